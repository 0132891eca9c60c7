/** One system against others: the statistics of their records, as plain data. */

import type { ReportComparison, ReportEquivalence, ReportTest } from '../contracts.js';
import { counted } from '../counted.js';
import { BenchError, unknownName } from '../errors.js';
import type { StoredRecord } from '../record.js';
import { compareFamily, type PairedComparison, type SystemComparison } from '../statistics/compare.js';
import type { Equivalence } from '../statistics/equivalence.js';
import { compareLatencies } from './latency.js';
import { firstOf, groupSystems, hasSeeds, measuresOf, pairOfValues, type System } from './systems.js';

export interface ComparisonRequest {
  /** Name of the system that the others are compared with; the first where absent. */
  baseline?: string;
  /** All where absent; then every record must hold the same. */
  measures?: readonly string[];
  /** Pair the seeds that both have, instead of refusing where they differ. */
  commonSeeds?: boolean;
  correction?: 'holm' | 'none';
  /** Margin within which systems are tested to be as good as equal; not tested where absent. */
  equivalence?: number;
  /** Random sign patterns of the randomization test. */
  permutations?: number;
}

/**
 * Compares the systems of some records: the baseline with every other one, all p-values corrected as one family.
 * Runs that failed have nothing to compare and are left out, see `failuresIn`.
 * @throws BenchError RECORD_INVALID where there are not two systems, or a pair cannot be made: the message says what
 *   differs; UNKNOWN_NAME for a baseline that is not there
 */
export function compareRecords(
  records: readonly StoredRecord[],
  request: ComparisonRequest = {},
): ReportComparison[] {
  const [baseline, candidates] = sidesOf(records, request.baseline);
  return compareWithBaseline(baseline, candidates, request);
}

/**
 * The baseline and what is compared with it.
 * @throws BenchError RECORD_INVALID where the records do not hold two systems, UNKNOWN_NAME for the baseline
 */
export function sidesOf(records: readonly StoredRecord[], name?: string): [System, System[]] {
  const systems = groupSystems(records);
  if (systems.length < 2) {
    const held =
      systems.map((system) => `${system.name} with ${counted(system.runs.length, 'runs')}`).join('') ||
      'none';
    const failed = failuresIn(records).map((line) => `\n  ${line}`);
    throw new BenchError(
      'RECORD_INVALID',
      `A comparison needs two systems, and the records hold ${held}.${failed.join('')}`,
      {
        hint: 'Runs that differ only in their seed are one system; name records of another architecture or other settings too.',
      },
    );
  }
  const baseline = baselineOf(systems, name);
  return [baseline, systems.filter((system) => system !== baseline)];
}

/** What to say of runs that failed, a line each. */
export function failuresIn(records: readonly StoredRecord[]): string[] {
  return records
    .filter(({ record }) => record.status === 'failed')
    .map(
      ({ file, record }) =>
        `The run ${file} failed and is left out: ${record.error?.message ?? 'no reason known'}`,
    );
}

/** @throws BenchError UNKNOWN_NAME */
export function baselineOf(systems: readonly System[], name?: string): System {
  const found = name === undefined ? systems[0] : systems.find((system) => system.name === name);
  if (found !== undefined) return found;
  throw unknownName(
    'system',
    name!,
    systems.map((system) => system.name),
  );
}

/** @throws BenchError RECORD_INVALID where a pair cannot be made */
export function compareWithBaseline(
  baseline: System,
  candidates: readonly System[],
  { baseline: _, ...asked }: ComparisonRequest,
): ReportComparison[] {
  // A baseline without seeds is expanded to those of each candidate, so the candidates are taken in groups of equal seeds.
  const withSeeds = candidates.find(hasSeeds) ?? baseline;
  const [values] = pairOfValues(baseline, withSeeds);
  const others = candidates.map(
    (candidate) => pairOfValues(hasSeeds(baseline) ? baseline : withSeeds, candidate)[1],
  );
  const compared = compareFamily(values, others, {
    ...asked,
    lowerIsBetter: measuresOf(baseline).filter((id) => !firstOf(baseline).measures[id]!.higherIsBetter),
  });
  return compared.map((comparison, i) => plain(comparison, baseline, candidates[i]!));
}

/** Measures that all of the systems hold. */
export function sharedMeasures(systems: readonly System[]): string[] {
  return measuresOf(systems[0]!).filter((id) => systems.every((system) => measuresOf(system).includes(id)));
}

function plain(comparison: SystemComparison, baseline: System, candidate: System): ReportComparison {
  const { ratios, notes } = compareLatencies(baseline, candidate);
  const unseeded = !hasSeeds(baseline) && !hasSeeds(candidate);
  return {
    baseline: comparison.baseline,
    candidate: comparison.candidate,
    queryCount: comparison.queryCount,
    correction: comparison.correction,
    familySize: comparison.familySize,
    measures: comparison.measures.map(
      ({ measure, seeds, baseline: a, candidate: b, overQueries, overSeeds }) => ({
        measure,
        seeds: unseeded ? seeds.map(() => null) : seeds,
        baseline: a.mean,
        candidate: b.mean,
        overQueries: { seed: unseeded ? null : overQueries.seed, ...plainTest(overQueries) },
        overSeeds: plainTest(overSeeds),
      }),
    ),
    latency: ratios,
    latencyNotes: notes,
  };
}

function plainTest(test: PairedComparison & { equivalence?: Equivalence }): ReportTest {
  const { n, difference, interval, p, correctedP, effectSize, wins, ties, losses, reason } = test;
  return {
    n,
    test: test.test,
    difference,
    ...(interval && { interval: { low: interval.low, high: interval.high } }),
    ...(p !== undefined && { p }),
    ...(correctedP !== undefined && { correctedP }),
    ...(effectSize.value !== undefined && {
      effectSize: {
        name: effectSize.name,
        value: Number.isFinite(effectSize.value) ? effectSize.value : null,
      },
    }),
    wins,
    ties,
    losses,
    ...(test.randomization && { randomization: test.randomization }),
    ...(test.equivalence && { equivalence: plainEquivalence(test.equivalence) }),
    ...(reason !== undefined && { reason }),
  };
}

function plainEquivalence({ margin, p, correctedP, interval, reason }: Equivalence): ReportEquivalence {
  return {
    margin,
    ...(p !== undefined && { p }),
    ...(correctedP !== undefined && { correctedP }),
    ...(interval && { interval: { low: interval.low, high: interval.high } }),
    ...(reason !== undefined && { reason }),
  };
}
