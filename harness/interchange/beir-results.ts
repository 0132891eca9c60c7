/** BEIR's results, `{ query: { passage: score } }` as one JSON object, and tevatron's runs of three columns. */
import { isUtf8 } from 'node:buffer';
import type { DataFile, Ranking, Run } from '../contracts.js';
import { BenchError } from '../errors.js';
import { fileBytes } from './text-blocks.js';
import { writeLines } from './text-writer.js';

/**
 * Reads BEIR results. The format has no order: hits are ranked by score, and among equal scores by passage id, the larger
 * first, which is trec_eval's rule.
 * @throws BenchError PATH_INVALID; RECORD_INVALID naming query and passage
 */
export async function readBeirResults(file: string): Promise<Run> {
  const chunks: Buffer[] = [];
  for await (const chunk of fileBytes(file, 'RECORD_INVALID')) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const hint = 'BEIR results are { "query": { "passage": score } }.';
  if (!isUtf8(bytes)) throw new BenchError('RECORD_INVALID', `${file} is not valid UTF-8.`, { hint });
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new BenchError('RECORD_INVALID', `${file} is not JSON: ${(cause as Error).message}.`, {
      hint,
      cause,
    });
  }
  if (!isObject(value)) throw new BenchError('RECORD_INVALID', `${file} is no JSON object.`, { hint });
  const run = new Map<string, Ranking>();
  for (const [queryId, hits] of Object.entries(value)) {
    if (!isObject(hits))
      throw new BenchError('RECORD_INVALID', `${file}: query '${queryId}' has no object of scores.`, {
        hint,
      });
    const ranked = Object.entries(hits).map(([passageId, score]) => {
      if (typeof score === 'number' && Number.isFinite(score)) return { passageId, score };
      const seen = JSON.stringify(score);
      throw new BenchError(
        'RECORD_INVALID',
        `${file}: query '${queryId}', passage '${passageId}': ${seen} is no score.`,
        { hint },
      );
    });
    ranked.sort((a, b) => b.score - a.score || (a.passageId < b.passageId ? 1 : -1));
    run.set(queryId, {
      passageIds: ranked.map(({ passageId }) => passageId),
      scores: ranked.map(({ score }) => score),
    });
  }
  if (run.size === 0) throw new BenchError('RECORD_INVALID', `${file} holds no results.`, { hint });
  return run;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws BenchError DATA_INVALID for a ranking without finite scores */
export async function writeBeirResults(file: string, run: Run): Promise<DataFile> {
  return writeLines(file, beirPieces(run));
}

function* beirPieces(run: Run): Generator<string> {
  yield '{';
  let isFirst = true;
  for (const [queryId, ranking] of run) {
    const hits = scored(queryId, ranking).map(
      ([passageId, score]) => `${JSON.stringify(passageId)}:${score}`,
    );
    yield `${isFirst ? '' : ','}\n${JSON.stringify(queryId)}:{${hits.join(',')}}`;
    isFirst = false;
  }
  yield '\n}\n';
}

/** Writes tevatron's `query<TAB>passage<TAB>score`, which `readRun` of trec.ts reads. */
export async function writeThreeColumns(file: string, run: Run): Promise<DataFile> {
  return writeLines(file, threeColumns(run));
}

function* threeColumns(run: Run): Generator<string> {
  for (const [queryId, ranking] of run) {
    for (const [passageId, score] of scored(queryId, ranking)) {
      for (const id of [queryId, passageId]) {
        if (id !== '' && !/[\0- ]/.test(id)) continue;
        throw new BenchError(
          'DATA_INVALID',
          `The id ${JSON.stringify(id)} cannot stand in a three-column run.`,
          {
            hint: 'Ids there are not empty and hold no white space.',
          },
        );
      }
      yield `${queryId}\t${passageId}\t${score}\n`;
    }
  }
}

function scored(queryId: string, { passageIds, scores }: Ranking): [passageId: string, score: number][] {
  return passageIds.map((passageId, i) => {
    const score = scores?.[i];
    if (score !== undefined && Number.isFinite(score)) return [passageId, score];
    throw new BenchError(
      'DATA_INVALID',
      `Query '${queryId}', passage '${passageId}': no finite score (${score}).`,
    );
  });
}
