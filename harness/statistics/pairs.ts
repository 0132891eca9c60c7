/** Values of two systems on the same queries (or seeds): what the paired tests start from. */
import { BenchError } from '../errors.js';
import { checkFinite } from './summary.js';

/** How often the candidate was better, the same, or worse than the baseline. */
export interface Outcomes {
  wins: number;
  ties: number;
  losses: number;
}

/** Two values this close, relative to the larger, differ by rounding alone: sums taken in another order do that. */
const rounding = 1e-12;

/**
 * candidate - baseline, pair by pair; exactly 0 where the two differ by no more than rounding, so that ties are ties.
 * @param baseline n values
 * @param candidate n values, in the same order
 * @returns [n]
 * @throws BenchError RECORD_INVALID where the lengths differ, nothing is there, or a value is not finite
 */
export function pairedDifferences(baseline: ArrayLike<number>, candidate: ArrayLike<number>): Float64Array {
  checkPairs(baseline, candidate);
  const differences = new Float64Array(baseline.length);
  for (let i = 0; i < differences.length; i++) {
    const a = baseline[i]!;
    const b = candidate[i]!;
    const difference = b - a;
    differences[i] = Math.abs(difference) <= rounding * Math.max(Math.abs(a), Math.abs(b)) ? 0 : difference;
  }
  return differences;
}

/**
 * Counts the signs of paired differences (candidate - baseline).
 * @param lowerIsBetter true for a measure such as the average rank: then a negative difference is a win
 */
export function countOutcomes(differences: ArrayLike<number>, lowerIsBetter = false): Outcomes {
  let positive = 0;
  let negative = 0;
  for (let i = 0; i < differences.length; i++) {
    if (differences[i]! > 0) positive++;
    else if (differences[i]! < 0) negative++;
  }
  const ties = differences.length - positive - negative;
  return lowerIsBetter
    ? { wins: negative, ties, losses: positive }
    : { wins: positive, ties, losses: negative };
}

/** @throws BenchError RECORD_INVALID where two samples cannot be paired value by value */
export function checkPairs(baseline: ArrayLike<number>, candidate: ArrayLike<number>): void {
  if (baseline.length !== candidate.length) {
    throw new BenchError(
      'RECORD_INVALID',
      `A paired test needs as many values of one system as of the other, not ${baseline.length} and ${candidate.length}.`,
      { hint: 'Evaluate both systems on the same queries of the same dataset version and split.' },
    );
  }
  checkFinite(baseline, "the baseline's values");
  checkFinite(candidate, "the candidate's values");
}
