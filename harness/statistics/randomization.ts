/** The paired randomization test: no assumption on how the differences are distributed. */
import { stream } from '../random.js';
import { pairedDifferences } from './pairs.js';
import { checkDraws, mean } from './summary.js';

export interface RandomizationOptions {
  /** N, the number of random sign patterns. */
  permutations?: number;
  /** Seeds the signs; the same seed gives the same p. */
  seed?: number;
}

export interface Randomization {
  test: 'paired randomization';
  /** Pairs. */
  n: number;
  /** Mean of candidate - baseline. */
  difference: number;
  /** Two-sided. */
  p: number;
  /** Sign patterns looked at: N random ones, or all of them. */
  permutations: number;
  /** True where every sign pattern was counted, so that p has no sampling error. */
  exact: boolean;
}

/** Sums this close to the observed one, relative to the sum of absolute values, are the same sum added in another order. */
const rounding = 1e-11;

/**
 * Fisher's paired randomization test (Fisher, The Design of Experiments, 1935, section 21; recommended for retrieval by
 * Smucker, Allan and Carterette, CIKM 2007): where the systems are the same, the sign of each query's difference is a fair
 * coin, so |sum of differences| is compared with its values under other signs.
 *
 * * Random signs: p = (count + 1) / (N + 1), count being how many of N patterns reach the observed value. The observed
 *   pattern is one of the possible ones, so p is never 0 and the test keeps its level (Phipson and Smyth, "Permutation
 *   p-values should never be zero", Statistical Applications in Genetics and Molecular Biology 9, 2010).
 * * All signs, where the 2^m patterns of the m differences that are not 0 are at most N: p = count / 2^m, exact; the
 *   observed pattern is among them, so nothing is added. Without any difference p = 1.
 * @param baseline n values
 * @param candidate n values of the same queries, in the same order
 * @throws BenchError RECORD_INVALID on unequal lengths, no values, or values that are not finite
 */
export function pairedRandomization(
  baseline: ArrayLike<number>,
  candidate: ArrayLike<number>,
  { permutations = 10_000, seed = 0 }: RandomizationOptions = {},
): Randomization {
  checkDraws(permutations, 'permutations');
  const all = pairedDifferences(baseline, candidate);
  // A sign changes nothing about a difference of 0.
  const differences = all.filter((value) => value !== 0);
  let total = 0;
  let absolute = 0;
  for (const value of differences) {
    total += value;
    absolute += Math.abs(value);
  }
  const reached = Math.abs(total) - rounding * absolute;
  const patterns = 2 ** differences.length;
  const exact = patterns <= permutations;
  const p = exact
    ? countEvery(differences, total, reached) / patterns
    : (countRandom(differences, total, reached, permutations, seed) + 1) / (permutations + 1);
  return {
    test: 'paired randomization',
    n: all.length,
    difference: mean(all),
    p,
    permutations: exact ? patterns : permutations,
    exact,
  };
}

/** How many of all 2^m sign patterns reach the observed sum. */
function countEvery(differences: Float64Array, total: number, reached: number): number {
  let count = 0;
  for (let pattern = 0; pattern < 2 ** differences.length; pattern++) {
    let flipped = 0;
    for (let i = 0; i < differences.length; i++) if ((pattern >>> i) & 1) flipped += differences[i]!;
    if (Math.abs(total - 2 * flipped) >= reached) count++;
  }
  return count;
}

/** How many of `permutations` random sign patterns reach the observed sum. */
function countRandom(
  differences: Float64Array,
  total: number,
  reached: number,
  permutations: number,
  seed: number,
): number {
  const signs = stream(seed, 'randomization');
  let count = 0;
  for (let drawn = 0; drawn < permutations; drawn++) {
    let flipped = 0;
    for (let start = 0; start < differences.length; start += 32) {
      const end = Math.min(start + 32, differences.length);
      let bits = signs.bits();
      for (let i = start; i < end; i++) {
        flipped += (bits & 1) * differences[i]!;
        bits >>>= 1;
      }
    }
    if (Math.abs(total - 2 * flipped) >= reached) count++;
  }
  return count;
}
