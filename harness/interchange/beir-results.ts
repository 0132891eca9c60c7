/** BEIR's results, `{ query: { passage: score } }` as one JSON object, and tevatron's runs of three columns. */
import { isUtf8 } from 'node:buffer';
import type { DataFile, Ranking, Run } from '../contracts.js';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { repeatedMember } from './repeated-members.js';
import { fileBytes } from './text-blocks.js';
import { writeLines } from './text-writer.js';
import { kindOfNumbers, type ThirdColumn } from './third-column.js';

const hint = 'BEIR results are { "query": { "passage": score } }.';
const refusal = (what: string, more: { hint?: string; cause?: unknown } = {}) =>
  new BenchError('RECORD_INVALID', what, { hint, ...more });

/**
 * Reads BEIR results. The format has no order: hits are ranked by score, and among equal scores by passage id, the larger
 * first, which is trec_eval's rule.
 * @param areScores whether the user said that the numbers are scores; where not, those that could be ranks are refused
 * @throws BenchError PATH_INVALID; RECORD_INVALID naming query and passage
 */
export async function readBeirResults(file: string, areScores = false): Promise<Run> {
  const chunks: Buffer[] = [];
  for await (const chunk of fileBytes(file, 'RECORD_INVALID')) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (!isUtf8(bytes)) throw refusal(`${file} is not valid UTF-8.`);
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw refusal(`${file} is not JSON: ${(cause as Error).message}.`, { cause });
  }
  if (!isObject(value)) throw refusal(`${file} is no JSON object.`);
  const results = Object.entries(value);
  refuseOtherKinds(file, results[0]?.[1]);
  const scores = results.map(([queryId, hits]): [string, Record<string, number>] => {
    if (!isObject(hits)) throw refusal(`${file}: query '${queryId}' has no object of scores.`);
    for (const [passageId, score] of Object.entries(hits)) {
      if (typeof score === 'number' && Number.isFinite(score)) continue;
      throw refusal(
        `${file}: query '${queryId}', passage '${passageId}': ${JSON.stringify(score)} is no score.`,
      );
    }
    return [queryId, hits as Record<string, number>];
  });
  if (scores.length === 0) throw refusal(`${file} holds no results.`);
  // Whoever reads JSON keeps the last of two members with one name, and never hears of the first.
  const repeated = repeatedMember(
    text,
    scores.length + scores.reduce((sum, [, hits]) => sum + countOf(hits), 0),
  );
  if (repeated !== undefined) {
    const [queryId, passageId] = repeated;
    const what = passageId === undefined ? 'comes twice' : `has the passage '${passageId}' twice`;
    throw refusal(`${file}: query '${queryId}' ${what}.`, {
      hint: 'Each query has to stand there once, with all its hits, and each passage once in it.',
    });
  }
  // The order of the members means nothing.
  const numbers = scores.map(([, hits]) => Object.values(hits).sort((a, b) => b - a));
  if (!areScores && kindOfNumbers(numbers) !== 'score') {
    throw refusal(`${file}: its numbers could be ranks (1 is best) or scores (the highest is best).`, {
      hint: 'Where they are scores, say --run-format beir. Where they are ranks, write lines of query, passage and rank, and say --run-format ms-marco.',
    });
  }
  return new Map(scores.map(([queryId, hits]) => [queryId, rankedByScore(hits)]));
}

/** Other tools' JSON also begins with an object. @throws BenchError naming whose it is */
function refuseOtherKinds(file: string, first: unknown): void {
  if (!isObject(first) || !Array.isArray(first.contexts)) return;
  throw refusal(
    `${file} is a retrieval result of Pyserini, { query: { question, answers, contexts } }, which is not read.`,
    { hint: 'Pyserini makes it from a TREC run: give that run.' },
  );
}

function rankedByScore(hits: Record<string, number>): Ranking {
  const ranked = Object.entries(hits);
  ranked.sort(([a, x], [b, y]) => y - x || (a < b ? 1 : -1));
  return { passageIds: ranked.map(([id]) => id), scores: ranked.map(([, score]) => score) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function countOf(object: object): number {
  return Object.keys(object).length;
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

/** Writes `query<TAB>passage<TAB>score`, tevatron's, or MS MARCO's with a rank, which `readRun` of trec.ts reads. */
export async function writeThreeColumns(
  file: string,
  run: Run,
  third: ThirdColumn = 'score',
): Promise<DataFile> {
  return writeLines(file, threeColumns(run, third));
}

function* threeColumns(run: Run, third: ThirdColumn): Generator<string> {
  for (const [queryId, ranking] of run) {
    for (const [i, [passageId, score]] of scored(queryId, ranking).entries()) {
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
      yield `${queryId}\t${passageId}\t${third === 'rank' ? i + 1 : score}\n`;
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
