/**
 * Runs in TREC's format, which trec_eval, ir_measures and ranx read and write, and in the three columns of tevatron and
 * MS MARCO. gzip is read whatever the file is called, and written where the name ends in .gz.
 */
import type { DataFile, Run } from '../contracts.js';
import { BenchError } from '../errors.js';
import { eachLine, type Line } from './columns.js';
import { areDistinct } from './identifier-hashes.js';
import { assertFirstColumn, assertId } from './identifiers.js';
import { writeLines } from './text-writer.js';
import { kindOfNumbers, type ThirdColumn } from './third-column.js';

export interface TrecRun {
  run: Run;
  /** The system's name, from the last column of the first line; absent in a three-column file. */
  tag?: string;
  /** What the last column of a three-column file holds; absent in one of six. */
  third?: ThirdColumn;
  hitCount: number;
}

interface RankingBeingRead {
  passageIds: string[];
  scores: number[];
  ranks?: number[];
  lines: number[];
}

/**
 * Reads a run: `query Q0 passage rank score tag` (what follows the tag is ignored, as trec_eval does), or `query passage score` (tevatron) or `query passage rank` (MS MARCO).
 * Lines may come in any order; the ranking keeps it, beside the ranks of the file where all those of its query are numbers.
 * A run of ranks alone gets scores, minus the ranks.
 * Memory grows with the run, not with the file's packing.
 * @param third what a third and last column holds; found out where absent
 * @throws BenchError PATH_INVALID, or RECORD_INVALID with the line number: columns, numbers, a passage twice for a query;
 *   where three columns could be either
 */
export async function readRun(file: string, third?: ThirdColumn): Promise<TrecRun> {
  const run = new Map<string, RankingBeingRead>();
  let tag: string | undefined;
  let columns = 0;
  let queryId = '';
  let ranking: RankingBeingRead | undefined;
  let repeated: ((ranking: RankingBeingRead) => void) | undefined;
  const hitCount = await eachLine(file, 'RECORD_INVALID', (line) => {
    line.assertNoBlankInside(3, 6);
    if (columns === 0) {
      columns = runColumns(line);
      if (columns === 6) tag = line.column(5);
      repeated = (each) => assertDistinct(each, line);
    }
    if (columns === 6 ? line.count < 6 : line.count !== 3) throw wrongRunColumns(line);
    if (line.count > 6) assertTagBeforeRest(line);
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
    ranking.scores.push(
      columns === 3 && third === 'rank' ? rankOf(line) : line.decimal(columns === 6 ? 4 : 2, 'score'),
    );
    ranking.lines.push(line.number);
  });
  if (hitCount === 0) throw new BenchError('RECORD_INVALID', `${file} holds no hits.`);
  for (const each of run.values()) repeated?.(each);
  if (columns === 6) return { run, hitCount, ...(tag === undefined ? {} : { tag }) };
  const found = third ?? thirdColumnOf(file, run);
  if (found === 'rank') for (const each of run.values()) scoreByRank(each);
  return { run, hitCount, third: found };
}

function thirdColumnOf(file: string, run: ReadonlyMap<string, RankingBeingRead>): ThirdColumn {
  const kind = kindOfNumbers([...run.values()].map(({ scores }) => scores));
  if (kind !== 'either') return kind;
  throw new BenchError(
    'RECORD_INVALID',
    `${file}: the third column could be a rank (1 is best) or a score (the highest is best).`,
    {
      hint: 'Say which: --run-format ms-marco for ranks, --run-format tevatron for scores; for --arch run:FILE to bench convert --to trec.',
    },
  );
}

function rankOf(line: Line): number {
  const rank = line.whole(2, 'rank');
  if (rank >= 0) return rank;
  throw line.fault(`rank '${rank}' is below 0`);
}

/** What was read as the score is the rank. */
function scoreByRank(ranking: RankingBeingRead): void {
  ranking.ranks = ranking.scores;
  ranking.scores = ranking.ranks.map((rank) => -rank);
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

/**
 * trec_eval ignores what follows the tag. A blank in an id makes as many columns, of which rank and score stand further to the
 * right: two numbers side by side.
 */
function assertTagBeforeRest(line: Line): void {
  for (let i = 5; i < line.count; i++) {
    if (line.decimalIfAny(i - 1) === undefined || line.decimalIfAny(i) === undefined) continue;
    throw line.fault(
      `more than six columns, where '${line.column(i - 1)} ${line.column(i)}' could be rank and score of an id with a blank in it`,
      'Ids hold no white space in a TREC run: write another character for it, in all files.',
    );
  }
}

function wrongRunColumns(line: Line): BenchError {
  return line.wrongCount(
    'A TREC run has six: query Q0 passage rank score tag. Three are: query, passage, and a score or a rank.',
  );
}

function assertDistinct(ranking: RankingBeingRead, line: Line): void {
  const { passageIds, lines } = ranking;
  if (areDistinct(passageIds)) return;
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
 * Writes a run in six columns. The order of the ranking is kept and ranks count from 1; scores are written in full, so
 * that reading gives the same numbers. trec_eval orders equal scores by its own rule, whatever the ranks say: see `withOrderInScores`.
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
