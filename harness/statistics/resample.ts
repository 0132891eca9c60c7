/** Statistics that can be computed again on any resample of the same values, and without each of them in turn. */
import { interpolate, mean } from './summary.js';

/** Which statistic of a sample: its mean, its median, or any quantile (definition 7, see `quantile`). */
export type StatisticName = 'mean' | 'median' | { quantile: number };

export interface Resampled {
  /** The statistic of all n values. */
  whole: number;
  /** The statistic of the values at these indices, [n], repeats included. */
  at(indices: Uint32Array): number;
  /** [n]: the statistic of the n - 1 other values, for the jackknife. */
  leftOut(): Float64Array;
}

/** @param values n values, at least 2 */
export function meanOf(values: ArrayLike<number>): Resampled {
  const numbers = Float64Array.from(values);
  const n = numbers.length;
  const whole = mean(numbers);
  return {
    whole,
    at(indices) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += numbers[indices[i]!]!;
      return sum / n;
    },
    leftOut: () => numbers.map((value) => (n * whole - value) / (n - 1)),
  };
}

/**
 * The values are ranked once; a resample only counts how often each rank was drawn, so it takes n steps and no sorting.
 * @param values n values, at least 2
 */
export function quantileOf(values: ArrayLike<number>, q: number): Resampled {
  const n = values.length;
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const sorted = Float64Array.from(order, (index) => values[index]!);
  const rankOf = new Uint32Array(n);
  for (let rank = 0; rank < n; rank++) rankOf[order[rank]!] = rank;
  const drawn = new Uint32Array(n);
  return {
    whole: interpolate((rank) => sorted[rank]!, n, q),
    at(indices) {
      drawn.fill(0);
      for (let i = 0; i < n; i++) drawn[rankOf[indices[i]!]!]!++;
      // The ranks of a resample are asked for in ascending order, so one walk over the counts answers them all.
      let passed = drawn[0]!;
      let original = 0;
      return interpolate(
        (rank) => {
          while (passed <= rank) passed += drawn[++original]!;
          return sorted[original]!;
        },
        n,
        q,
      );
    },
    leftOut: () =>
      Float64Array.from(rankOf, (out) =>
        interpolate((rank) => sorted[rank < out ? rank : rank + 1]!, n - 1, q),
      ),
  };
}
