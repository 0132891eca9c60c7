/** The paired t-test. */
import { studentQuantile, studentTwoSidedP } from './distributions.js';
import { pairedDifferences } from './pairs.js';
import { checkLevel, type Interval, mean, standardDeviation } from './summary.js';

export interface PairedT {
  test: 'paired t';
  /** Pairs. */
  n: number;
  /** Mean of candidate - baseline. */
  difference: number;
  /** t = difference / (s / sqrt(n)); infinite where all differences are the same and not 0, undefined for one pair. */
  t: number | undefined;
  /** n - 1 */
  df: number;
  /** Two-sided; undefined where the test cannot judge, and `reason` says why. */
  p: number | undefined;
  /** difference -+ t(1 - (1 - level) / 2; df) s / sqrt(n); undefined with p. */
  interval: Interval | undefined;
  /** Cohen's d_z = difference / s; infinite with t. */
  effectSize: number | undefined;
  reason?: string;
}

/**
 * Student's t-test for paired samples, two-sided: with d = candidate - baseline, mean m and sample standard deviation s,
 * t = m / (s / sqrt(n)) has n - 1 degrees of freedom where the mean of d is 0 (Student, "The probable error of a mean",
 * Biometrika 6, 1908). The effect size is Cohen's d_z = m / s (Cohen, Statistical Power Analysis for the Behavioral
 * Sciences, 1988, section 2.3.5), so t = d_z sqrt(n).
 *
 * Without spread the statistic does not exist, and three cases are told apart:
 * * all differences 0: nothing speaks against equality, so t = 0, p = 1, interval [0, 0], d_z = 0;
 * * all differences the same and not 0: t and d_z are infinite. p is undefined, not 0: the formula's limit would claim
 *   certainty from a spread that was never observed (two seeds with the same difference would have p = 0). The paired
 *   randomization test still gives an honest p there. R's t.test refuses such data as "essentially constant", by the
 *   criterion used here: s / sqrt(n) < 10 eps |m|;
 * * one pair: t, p, interval and effect size are undefined.
 * @param baseline n values
 * @param candidate n values of the same queries or seeds, in the same order
 * @param level of the interval
 * @throws BenchError RECORD_INVALID on unequal lengths, no values, or values that are not finite
 */
export function pairedT(baseline: ArrayLike<number>, candidate: ArrayLike<number>, level = 0.95): PairedT {
  checkLevel(level);
  const differences = pairedDifferences(baseline, candidate);
  const n = differences.length;
  const difference = mean(differences);
  const shared = { test: 'paired t', n, difference, df: n - 1 } as const;
  const deviation = standardDeviation(differences);
  if (deviation === undefined) {
    const reason = 'A paired t-test needs at least 2 pairs; there is 1.';
    return { ...shared, t: undefined, p: undefined, interval: undefined, effectSize: undefined, reason };
  }
  if (differences.every((value) => value === 0)) {
    return { ...shared, t: 0, p: 1, interval: { low: 0, high: 0, level }, effectSize: 0 };
  }
  const standardError = deviation / Math.sqrt(n);
  if (standardError < 10 * Number.EPSILON * Math.abs(difference)) {
    const t = difference > 0 ? Infinity : -Infinity;
    const reason = `All ${n} differences are ${difference}: without any spread a t-test cannot say how likely that is.`;
    return { ...shared, t, p: undefined, interval: undefined, effectSize: t, reason };
  }
  const t = difference / standardError;
  const halfWidth = studentQuantile(1 - (1 - level) / 2, n - 1) * standardError;
  return {
    ...shared,
    t,
    p: studentTwoSidedP(t, n - 1),
    interval: { low: difference - halfWidth, high: difference + halfWidth, level },
    effectSize: difference / deviation,
  };
}
