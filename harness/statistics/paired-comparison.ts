/** One measure of two systems, paired by query or by seed: the test, the interval, the effect size, who won how often. */
import { bootstrapStatistic } from './bootstrap.js';
import type { IntervalMethod } from './bootstrap-interval.js';
import { mcnemar } from './mcnemar.js';
import { pairedT } from './paired-t.js';
import { countOutcomes, type Outcomes, pairedDifferences } from './pairs.js';
import { pairedRandomization } from './randomization.js';
import type { Interval } from './summary.js';

export interface PairSettings {
  level: number;
  permutations: number;
  resamples: number;
  /** Seeds the random signs and the resamples. */
  randomSeed: number;
}

/** One paired comparison. Everything is candidate - baseline. */
export interface PairedComparison extends Outcomes {
  /** Queries or seeds. */
  n: number;
  /** Where p comes from: 'McNemar exact', 'paired t' or, where that test cannot judge, 'paired randomization'. */
  test: 'McNemar exact' | 'paired t' | 'paired randomization';
  difference: number;
  /** Of the difference: a bootstrap over queries, that of the t-test over seeds; undefined where nothing varies to make it of. */
  interval: (Interval & { method: IntervalMethod | 't' }) | undefined;
  /** Two-sided; undefined where no test can judge, and `reason` says why. */
  p: number | undefined;
  /** p after correction over the family; p itself where `correction` is 'none'. */
  correctedP: number | undefined;
  /** Cohen's d_z, or McNemar's odds ratio; may be infinite, which JSON writes as null; undefined where it does not exist. */
  effectSize: { name: 'd_z' | 'odds ratio'; value: number | undefined };
  /** Beside the t-test over queries: the same question without its assumption of normal means. */
  randomization?: { p: number; permutations: number; exact: boolean };
  /** Why p is undefined or comes from another test than usual. */
  reason?: string;
}

/**
 * Two runs paired by query, every value being 0 or 1.
 * @param baseline [Q]
 * @param candidate [Q], in the same order
 * @throws BenchError as `mcnemar` does
 */
export function compareBinary(
  baseline: Float64Array,
  candidate: Float64Array,
  lower: boolean,
  settings: PairSettings,
): PairedComparison {
  const { test, n, p, difference, oddsRatio } = mcnemar(baseline, candidate, settings.level);
  const differences = pairedDifferences(baseline, candidate);
  return {
    n,
    test,
    difference,
    interval: queryInterval(differences, settings),
    p,
    correctedP: p,
    effectSize: { name: 'odds ratio', value: oddsRatio },
    ...countOutcomes(differences, lower),
  };
}

/**
 * Two systems paired by query, the values being any: those of a graded measure, or means over seeds.
 * @param baseline [Q]
 * @param candidate [Q], in the same order
 * @throws BenchError as `pairedT` and `pairedRandomization` do
 */
export function compareGraded(
  baseline: Float64Array,
  candidate: Float64Array,
  lower: boolean,
  settings: PairSettings,
): PairedComparison {
  const differences = pairedDifferences(baseline, candidate);
  const t = pairedT(baseline, candidate, settings.level);
  const { permutations, randomSeed: seed } = settings;
  const random = pairedRandomization(baseline, candidate, { permutations, seed });
  // Without spread only the randomization test can judge; a single query can be judged by none.
  const judge = t.p === undefined && t.n > 1 ? random : t;
  return {
    n: t.n,
    test: judge.test,
    difference: t.difference,
    interval: t.interval && queryInterval(differences, settings),
    p: judge.p,
    correctedP: judge.p,
    effectSize: { name: 'd_z', value: t.effectSize },
    randomization: { p: random.p, permutations: random.permutations, exact: random.exact },
    ...countOutcomes(differences, lower),
    ...(t.reason === undefined ? {} : { reason: t.reason }),
  };
}

/**
 * Two systems paired by seed, each seed's value being its mean over queries.
 * @param baseline one value per seed
 * @param candidate one value per seed, in the same order
 * @throws BenchError as `pairedT` does
 */
export function compareSeeds(
  baseline: readonly number[],
  candidate: readonly number[],
  lower: boolean,
  settings: PairSettings,
): PairedComparison {
  const t = pairedT(baseline, candidate, settings.level);
  return {
    n: t.n,
    test: t.test,
    difference: t.difference,
    interval: t.interval && { ...t.interval, method: 't' },
    p: t.p,
    correctedP: t.p,
    effectSize: { name: 'd_z', value: t.effectSize },
    ...countOutcomes(pairedDifferences(baseline, candidate), lower),
    ...(t.reason === undefined ? {} : { reason: t.reason }),
  };
}

/** Every resample of one repeated difference is that difference: such an interval would feign certainty, unless it is 0. */
function queryInterval(differences: Float64Array, settings: PairSettings): PairedComparison['interval'] {
  const first = differences[0]!;
  if (differences.length < 2 || (first !== 0 && differences.every((value) => value === first)))
    return undefined;
  const { resamples, level, randomSeed: seed } = settings;
  return bootstrapStatistic(differences, 'mean', { resamples, level, seed }).interval;
}
