/**
 * Runs and qrels in TREC's format, which trec_eval, ir_measures and ranx read and write, and the three-column tables
 * of BEIR (qrels) and tevatron (runs). gzip is read whatever the file is called, and written where the name ends in .gz.
 */
import type { DataFile, Qrels, Run } from '../contracts.js';
import { BenchError } from '../errors.js';
import { eachLine, type Line } from './columns.js';
import { writeLines } from './text-writer.js';

export interface TrecRun {
  run: Run;
  /** The system's name, from the last column of the first line; absent in a three-column file. */
  tag?: string;
  hitCount: number;
}

interface RankingBeingRead {
  passageIds: string[];
  scores: number[];
  ranks?: number[];
  lines: number[];
}

/**
 * Reads a run: `query Q0 passage rank score tag` (what follows the tag is ignored, as trec_eval does), or tevatron's
 * `query passage score`. Lines may come in any order; the ranking keeps it, beside the ranks of the six-column format
 * where all those of its query are numbers.
 * Memory grows with the run, not with the file's packing.
 * @throws BenchError PATH_INVALID, or RECORD_INVALID with the line number: columns, numbers, a passage twice for a query
 */
export async function readRun(file: string): Promise<TrecRun> {
  const run = new Map<string, RankingBeingRead>();
  let tag: string | undefined;
  let columns = 0;
  let queryId = '';
  let ranking: RankingBeingRead | undefined;
  let repeated: ((ranking: RankingBeingRead) => void) | undefined;
  const hitCount = await eachLine(file, 'RECORD_INVALID', (line) => {
    if (columns === 0) {
      columns = runColumns(line);
      if (columns === 6) tag = line.column(5);
      repeated = (each) => assertDistinct(each, line);
    }
    if (columns === 6 ? line.count < 6 : line.count !== 3) throw wrongRunColumns(line);
    if (ranking === undefined || !line.holds(0, queryId)) {
      queryId = line.column(0);
      ranking = run.get(queryId);
      if (ranking === undefined) {
        ranking = { passageIds: [], scores: [], lines: [], ...(columns === 6 ? { ranks: [] } : {}) };
        run.set(queryId, ranking);
      }
    }
    ranking.passageIds.push(line.column(columns === 6 ? 2 : 1));
    // trec_eval orders by the scores and reads no rank: what stands there need not be a number.
    if (ranking.ranks !== undefined) takeRank(ranking, line);
    ranking.scores.push(line.decimal(columns === 6 ? 4 : 2, 'score'));
    ranking.lines.push(line.number);
  });
  if (hitCount === 0) throw new BenchError('RECORD_INVALID', `${file} holds no hits.`);
  for (const each of run.values()) repeated?.(each);
  return { run, hitCount, ...(tag === undefined ? {} : { tag }) };
}

/** A query of which one rank is no number is left without ranks. */
function takeRank(ranking: RankingBeingRead, line: Line): void {
  const rank = line.decimalIfAny(3);
  if (rank === undefined) delete ranking.ranks;
  else ranking.ranks?.push(rank);
}

function runColumns(line: Line): 3 | 6 {
  if (line.count >= 6) return 6;
  if (line.count === 3) return 3;
  throw wrongRunColumns(line);
}

function wrongRunColumns(line: Line): BenchError {
  return line.fault(
    `${line.count} columns`,
    'A TREC run has six: query Q0 passage rank score tag. Three are taken as: query passage score.',
  );
}

function assertDistinct(ranking: RankingBeingRead, line: Line): void {
  const { passageIds, lines } = ranking;
  if (new Set(passageIds).size === passageIds.length) return;
  const seen = new Map<string, number>();
  for (const [i, passageId] of passageIds.entries()) {
    const before = seen.get(passageId);
    if (before !== undefined) {
      throw line.fault(
        `passage '${passageId}' again for its query, after line ${before}`,
        undefined,
        lines[i],
      );
    }
    seen.set(passageId, lines[i]!);
  }
}

/**
 * Reads qrels: TREC's `query iteration passage relevance`, or BEIR's `query-id corpus-id score` with or without that
 * header. Queries and passages that no run has are fine.
 * @throws BenchError PATH_INVALID, or DATA_INVALID with the line number: columns, numbers, a passage twice for a query
 */
export async function readQrels(file: string): Promise<Qrels> {
  const qrels = new Map<string, Map<string, number>>();
  let columns = 0;
  let queryId = '';
  let judgements: Map<string, number> | undefined;
  const lineCount = await eachLine(file, 'DATA_INVALID', (line) => {
    if (line.count !== 3 && line.count !== 4) throw wrongQrelColumns(line);
    if (columns === 0) {
      columns = line.count;
      if (columns === 3 && line.holds(0, 'query-id') && line.holds(1, 'corpus-id')) return;
    }
    if (line.count !== columns) throw wrongQrelColumns(line);
    if (judgements === undefined || !line.holds(0, queryId)) {
      queryId = line.column(0);
      judgements = qrels.get(queryId);
      if (judgements === undefined) {
        judgements = new Map();
        qrels.set(queryId, judgements);
      }
    }
    const passageId = line.column(columns - 2);
    if (judgements.has(passageId))
      throw line.fault(`passage '${passageId}' is judged twice for query '${queryId}'`);
    judgements.set(passageId, line.whole(columns - 1, 'relevance'));
  });
  if (lineCount === 0 || qrels.size === 0) throw new BenchError('DATA_INVALID', `${file} holds no qrels.`);
  return qrels;
}

function wrongQrelColumns(line: Line): BenchError {
  return line.fault(
    `${line.count} columns`,
    'TREC qrels have four: query 0 passage relevance. BEIR qrels have three: query-id corpus-id score.',
  );
}

/**
 * Writes a run in six columns. The order of the ranking is kept and ranks count from 1; scores are written in full, so
 * that reading gives the same numbers. trec_eval orders equal scores by its own rule, whatever the ranks say.
 * @throws BenchError DATA_INVALID for an id the format cannot hold, or a ranking without scores
 */
export async function writeRun(file: string, run: Run, tag: string): Promise<DataFile> {
  return writeLines(file, runLines(run, assertId(tag, 'tag')));
}

function* runLines(run: Run, tag: string): Generator<string> {
  for (const [queryId, { passageIds, scores }] of run) {
    assertFirstColumn(queryId);
    for (const [i, passageId] of passageIds.entries()) {
      const score = scores?.[i];
      if (score === undefined || !Number.isFinite(score)) {
        throw new BenchError(
          'DATA_INVALID',
          `Query '${queryId}', passage '${passageId}': no finite score (${score}).`,
        );
      }
      yield `${queryId} Q0 ${assertId(passageId, 'passage id')} ${i + 1} ${score} ${tag}\n`;
    }
  }
}

/**
 * Writes qrels in TREC's four columns.
 * @throws BenchError DATA_INVALID for an id the format cannot hold
 */
export async function writeQrels(file: string, qrels: Qrels): Promise<DataFile> {
  return writeLines(file, qrelLines(qrels));
}

function* qrelLines(qrels: Qrels): Generator<string> {
  for (const [queryId, judgements] of qrels) {
    assertFirstColumn(queryId);
    for (const [passageId, relevance] of judgements) {
      yield `${queryId} 0 ${assertId(passageId, 'passage id')} ${relevance}\n`;
    }
  }
}

// Written as a class of everything up to a space, because that is exactly what the reader takes for a column's end.
const separator = /[\0- ]/;

function assertFirstColumn(queryId: string): void {
  assertQueryId(queryId, () => 'The query id');
}

function assertId(id: string, kind: string): string {
  assertWritable(id, () => `The ${kind}`);
  return id;
}

/**
 * An id that no run file can hold is refused where a collection is read, not when its run is written.
 * @param what names the id, with its file and line where it was read
 * @throws BenchError DATA_INVALID
 */
export function assertWritable(id: string, what: () => string): void {
  if (id.length > 0 && !separator.test(id)) return;
  throw new BenchError('DATA_INVALID', `${what()} ${JSON.stringify(id)} cannot stand in a TREC file.`, {
    hint: 'Ids in TREC files are not empty and hold no white space.',
  });
}

/**
 * As `assertWritable`, for what begins a line: one that begins with # is a comment to trec_eval and to the reader here, so
 * that qrels of such a query would be passed over.
 */
export function assertQueryId(id: string, what: () => string): void {
  assertWritable(id, what);
  if (!id.startsWith('#')) return;
  throw new BenchError(
    'DATA_INVALID',
    `${what()} ${JSON.stringify(id)} cannot begin a line of a TREC file.`,
    {
      hint: 'Lines that begin with # are comments there: rename the query in all files.',
    },
  );
}
