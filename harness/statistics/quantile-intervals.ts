/** How sure the quantiles of one set of samples are. */
import { stream } from '../random.js';
import { type Interval, quantile } from './summary.js';

export interface IntervalOptions {
  seed: number;
  /** Samples drawn with replacement, 2000 by default. */
  resamples?: number;
  /** Share of resamples inside, 0.95 by default. */
  level?: number;
}

/**
 * Percentile bootstrap intervals (Efron 1979) of several quantiles (see `quantile`) of one set of samples.
 * A high one needs samples beyond it: of 100 samples, p99 rests on the largest two.
 * @param sorted ascending, one or more
 * @param shares such as 0.95 for p95
 * @returns one interval per share
 */
export function quantileIntervals(
  sorted: ArrayLike<number>,
  shares: readonly number[],
  { seed, resamples = 2000, level = 0.95 }: IntervalOptions,
): Pick<Interval, 'low' | 'high'>[] {
  if (!(level > 0 && level < 1)) throw new RangeError(`level ${level}`);
  const n = sorted.length;
  const random = stream(seed, 'latency', 'bootstrap');
  const drawn = shares.map(() => new Float64Array(resamples));
  const counts = new Uint32Array(n);
  const resampled = new Float64Array(n);
  for (let r = 0; r < resamples; r++) {
    // Counting how often each order statistic was drawn gives the resample in sorted order without a sort.
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[random.integer(n)]!++;
    for (let i = 0, at = 0; i < n; i++) {
      for (let c = counts[i]!; c > 0; c--) resampled[at++] = sorted[i]!;
    }
    for (const [j, q] of shares.entries()) drawn[j]![r] = quantile(resampled, q);
  }
  const tail = (1 - level) / 2;
  return drawn.map((values) => {
    values.sort();
    return { low: quantile(values, tail), high: quantile(values, 1 - tail) };
  });
}
