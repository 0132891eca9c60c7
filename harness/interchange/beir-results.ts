/** BEIR's results, `{ query: { passage: score } }` as one JSON object, and tevatron's runs of three columns. */
import type { DataFile, Ranking, Run } from '../contracts.js';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { jsonMembers } from './json-array.js';
import { numberMembers } from './number-members.js';
import { writeLines } from './text-writer.js';
import { kindOfNumbers, type ThirdColumn } from './third-column.js';

const hint = 'BEIR results are { "query": { "passage": score } }.';
const refusal = (what: string, more: { hint?: string } = {}) =>
  new BenchError('RECORD_INVALID', what, { hint, ...more });

/**
 * Reads BEIR results. The format has no order: hits are ranked by score, and among equal scores by passage id, the larger
 * first, which is trec_eval's rule.
 * @param areScores whether the user said that the numbers are scores; where not, those that could be ranks are refused
 * Memory is that of the run and of its largest query as it is written.
 * @throws BenchError PATH_INVALID; RECORD_INVALID naming query and passage
 */
export async function readBeirResults(file: string, areScores = false): Promise<Run> {
  const rankings: [queryId: string, Scores][] = [];
  const seen = new Set<string>();
  const scores = (text: string, queryId: string) => scoresOf(file, queryId, text);
  for await (const { name: queryId, value } of jsonMembers(file, 'RECORD_INVALID', scores)) {
    if (seen.has(queryId)) throw twice(file, queryId, 'comes twice');
    seen.add(queryId);
    rankings.push([queryId, rankedByScore(value)]);
  }
  if (rankings.length === 0) throw refusal(`${file} holds no results.`);
  // The order of the members means nothing.
  const numbers = rankings.map(([, { scores }]) => scores);
  if (!areScores && kindOfNumbers(numbers) !== 'score') {
    throw refusal(`${file}: its numbers could be ranks (1 is best) or scores (the highest is best).`, {
      hint: 'Where they are scores, say --run-format beir. Where they are ranks, write lines of query, passage and rank, and say --run-format ms-marco. For --arch run:FILE say it to bench convert --to trec.',
    });
  }
  return new Map(inOrderOfMembers(rankings));
}

const index = /^(0|[1-9]\d{0,9})$/;

/** As an object has its members once it is read whole: names that are numbers first, those in their order. */
function inOrderOfMembers<T>(members: readonly [name: string, value: T][]): [name: string, value: T][] {
  const isIndex = ([name]: [string, T]) => index.test(name) && Number(name) < 2 ** 32 - 1;
  const numbered = members.filter(isIndex).sort(([a], [b]) => Number(a) - Number(b));
  return numbered.length === 0 ? [...members] : [...numbered, ...members.filter((each) => !isIndex(each))];
}

/** Passages by their ids, in any order, and the score of each. */
interface Scores {
  passageIds: string[];
  scores: number[];
}

function scoresOf(file: string, queryId: string, text: string): Scores {
  const found = numberMembers(text, (passageId) => {
    throw twice(file, queryId, `has the passage '${passageId}' twice`);
  });
  if (found === undefined) throw noScores(file, queryId, parseJson(text));
  return { passageIds: found.names, scores: found.numbers };
}

/** What stands where an object of scores should be. Other tools' JSON also begins with an object. */
function noScores(file: string, queryId: string, value: unknown): BenchError {
  if (!isObject(value)) return refusal(`${file}: query '${queryId}' has no object of scores.`);
  if (Array.isArray(value.contexts)) {
    return refusal(
      `${file} is a retrieval result of Pyserini, { query: { question, answers, contexts } }, which is not read.`,
      { hint: 'Pyserini makes it from a TREC run: give that run.' },
    );
  }
  const [passageId, score] = Object.entries(value).find(([, each]) => !Number.isFinite(each)) ?? [];
  return refusal(
    `${file}: query '${queryId}', passage '${passageId}': ${JSON.stringify(score)?.slice(0, 40)} is no score.`,
  );
}

function twice(file: string, queryId: string, what: string): BenchError {
  return refusal(`${file}: query '${queryId}' ${what}.`, {
    hint: 'Each query has to stand there once, with all its hits, and each passage once in it.',
  });
}

function rankedByScore({ passageIds, scores }: Scores): Scores {
  const order = [...scores.keys()];
  order.sort((a, b) => scores[b]! - scores[a]! || (passageIds[a]! < passageIds[b]! ? 1 : -1));
  return { passageIds: order.map((at) => passageIds[at]!), scores: order.map((at) => scores[at]!) };
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
          { hint: 'Ids there are not empty and hold no white space.' },
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
