/** Whether two systems are as good as equal: the other question than whether they differ. */
import { BenchError } from '../errors.js';
import { studentLowerP, studentQuantile } from './distributions.js';
import { pairedDifferences } from './pairs.js';
import { type Interval, mean, standardDeviation } from './summary.js';

export interface Equivalence {
  /** In the measure's own unit: 0.01 is a point. */
  margin: number;
  /** Of the claim that the true difference lies within -margin and margin: the larger of the two one-sided p. */
  p: number | undefined;
  /** p after correction over the family. */
  correctedP: number | undefined;
  /** Of the claim that the candidate is not worse by the margin or more: one of the two, by the measure's direction. */
  notWorseP: number | undefined;
  /** At 90 %: p is below 0.05 where it lies within the margins. Undefined where there is no spread. */
  interval: Interval | undefined;
  /** Why p is undefined, or made in another way. */
  reason?: string;
}

/** Two one-sided tests at 0.05 are an interval at 90 %. */
const level = 0.9;

/**
 * Two one-sided t-tests over pairs (Schuirmann, "A comparison of the two one-sided tests procedure and the power approach
 * for assessing the equivalence of average bioavailability", Journal of Pharmacokinetics and Biopharmaceutics 15, 1987):
 * with m the mean of candidate - baseline and e its standard error, p = max(P(T >= (m + margin) / e), P(T <= (m - margin) / e)),
 * n - 1 degrees of freedom. That two systems do not differ significantly says nothing of the kind: few queries do that too.
 *
 * Where every difference is 0 there is no spread to test with. Of values that lie between 0 and 1 a mean difference of the
 * margin needs a share of at least the margin of the queries to differ, and then none of n would with a chance of at most
 * (1 - margin)^n, which is p. Of other values, and of one repeated difference, p is undefined.
 * @param baseline [n]
 * @param candidate [n], in the same order
 * @param margin above 0, in the unit of the values
 * @param lower true for a measure of which less is better
 * @throws BenchError CONFIG_INVALID for the margin, RECORD_INVALID as `pairedDifferences`
 */
export function equivalence(
  baseline: ArrayLike<number>,
  candidate: ArrayLike<number>,
  margin: number,
  lower = false,
): Equivalence {
  checkMargin(margin);
  const differences = pairedDifferences(baseline, candidate);
  const n = differences.length;
  const none = { margin, interval: undefined, ...both(undefined, undefined) };
  const deviation = standardDeviation(differences);
  if (deviation === undefined) return { ...none, reason: 'An equivalence test needs at least 2 pairs.' };
  const difference = mean(differences);
  if (differences.every((value) => value === 0)) {
    if (![baseline, candidate].every(liesInUnit)) {
      return { ...none, reason: `All ${n} differences are 0, of values without bounds: no p can be given.` };
    }
    // A mean of such values cannot differ by more than 1.
    const p = Math.max(0, 1 - margin) ** n;
    return { ...none, ...both(p, p), reason: `All ${n} differences are 0: p is (1 - margin)^n.` };
  }
  const error = deviation / Math.sqrt(n);
  if (error < 10 * Number.EPSILON * Math.abs(difference)) {
    return {
      ...none,
      reason: `All ${n} differences are ${difference}: without any spread there is no test.`,
    };
  }
  const tooLow = studentLowerP(-(difference + margin) / error, n - 1);
  const tooHigh = studentLowerP((difference - margin) / error, n - 1);
  const half = studentQuantile((1 + level) / 2, n - 1) * error;
  return {
    margin,
    interval: { low: difference - half, high: difference + half, level },
    ...both(Math.max(tooLow, tooHigh), lower ? tooHigh : tooLow),
  };
}

function both(p: number | undefined, notWorseP: number | undefined) {
  return { p, correctedP: p, notWorseP };
}

function liesInUnit(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!(values[i]! >= 0 && values[i]! <= 1)) return false;
  return true;
}

/** @throws BenchError CONFIG_INVALID unless the margin lies above 0 and is finite */
export function checkMargin(margin: number): void {
  if (margin > 0 && Number.isFinite(margin)) return;
  throw new BenchError('CONFIG_INVALID', `A margin of equivalence must be a number above 0, not ${margin}.`, {
    hint: 'It counts in the unit of the measure: 0.01 is one point of nDCG.',
  });
}
