/** Whether a row is better than the one that the paper tests it against, by our own paired tests. */
import { BenchError } from '../errors.js';
import type { RunRecord } from '../record.js';
import { compareSystems, type SystemValues } from '../statistics/compare.js';
import type { Made } from './facts.js';
import type { GridEntry } from './grid.js';

/** Below it an improvement gets its star, as in the paper. */
const level = 0.05;

/** One figure against the same column of another row. */
export interface Significance {
  /** Label of the other row. */
  against: string;
  /** What is paired: the means of the seeds where there are several, the queries of the two runs where there is one seed. */
  over: 'seeds' | 'queries';
  /** Of those. */
  n: number;
  /** `paired t`, `McNemar exact`; absent where no test could be made. */
  test?: string;
  /** Two-sided; null where no test can judge, and `reason` says why. */
  p: number | null;
  /** After Holm's correction over the columns of one dataset. */
  correctedP: number | null;
  /** Better, and the corrected p below 0.05. */
  isSignificant: boolean;
  reason?: string;
}

/**
 * @param entry this row in a group of columns, and @param other the row it is tested against
 * @param measures those of the columns
 * @returns by measure; undefined where there is nothing to pair, because a run failed or is of several datasets
 */
export function significanceOf(
  entry: GridEntry,
  other: GridEntry,
  measures: readonly string[],
  done: ReadonlyMap<string, Made | Error>,
): Map<string, Significance> | undefined {
  const candidate = valuesOf(entry, measures, done);
  const baseline = valuesOf(other, measures, done);
  if (candidate === undefined || baseline === undefined) return undefined;
  const over = entry.seeds.length > 1 ? 'seeds' : 'queries';
  const against = other.row.label;
  try {
    const compared = compareSystems(baseline, candidate, { measures });
    return new Map(
      compared.measures.map((each) => {
        const { n, test, p, correctedP, difference, reason } =
          over === 'seeds' ? each.overSeeds : each.overQueries;
        const isSignificant = difference > 0 && correctedP !== undefined && correctedP < level;
        const tested = { test, p: p ?? null, correctedP: correctedP ?? null, isSignificant };
        return [each.measure, { against, over, n, ...tested, ...(reason !== undefined && { reason }) }];
      }),
    );
  } catch (error) {
    // Seeds or queries that cannot be paired: the figures stand, without a test.
    if (!(error instanceof BenchError)) throw error;
    const none = { against, over, n: 0, p: null, correctedP: null, isSignificant: false } as const;
    return new Map(measures.map((measure) => [measure, { ...none, reason: error.message }]));
  }
}

/** What a reader has to know of the stars. */
export function significanceNotes(
  figures: readonly { row: string; group: string; column: string; significance?: Significance }[],
): string[] {
  const tested = figures.filter(({ significance }) => significance !== undefined);
  const notes = new Set<string>();
  for (const { row, significance } of tested) {
    const { against, over, n, test } = significance!;
    if (test === undefined) continue;
    const corrected = `p < ${level}, corrected by Holm over the columns of a dataset`;
    notes.add(
      over === 'seeds'
        ? `A star beside our figure: ${row} is better than ${against} by the ${test} test over ${n} seeds, ${corrected}.`
        : `One seed: the paper's test over seeds cannot be made. A star beside our figure says that this one model of ${row} is better than this one of ${against} on queries like these (${test}, ${corrected}); another seed may say otherwise.`,
    );
  }
  if (tested.length > 0)
    notes.add(
      `A star beside a published figure: as printed, p < ${level} over seeds by a test that is not named.`,
    );
  for (const { row, group, column, significance } of tested) {
    const { p, reason } = significance!;
    if (p === null) notes.add(`${row}, ${group} ${column}: no test: ${reason ?? 'nothing to judge by'}`);
  }
  return [...notes];
}

function valuesOf(
  { row, seeds }: GridEntry,
  measures: readonly string[],
  done: ReadonlyMap<string, Made | Error>,
): SystemValues | undefined {
  const runs: { seed: number; record: RunRecord }[] = [];
  for (const { seed, runs: members } of seeds) {
    const record = members.length === 1 ? done.get(members[0]!.key) : undefined;
    if (record === undefined || !('measures' in record)) return undefined;
    runs.push({ seed, record });
  }
  const first = runs[0]!.record;
  const sameQueries = (record: RunRecord) =>
    record.queryIds.length === first.queryIds.length &&
    record.queryIds.every((id, i) => first.queryIds[i] === id);
  if (!runs.every(({ record }) => sameQueries(record))) return undefined;
  return {
    name: row.label,
    queryIds: first.queryIds,
    measures: Object.fromEntries(
      measures.map((id) => [
        id,
        runs.map(({ seed, record }) => ({ seed, values: record.measures[id]!.perQuery })),
      ]),
    ),
  };
}
