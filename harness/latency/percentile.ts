/** Percentiles of samples, and how sure they are. */
import { stream } from '../random.js';

/**
 * The p-th percentile by linear interpolation between the two nearest order statistics: Hyndman and Fan's (1996)
 * definition 7, which is numpy's and R's default. Position (n - 1) p / 100 of the sorted samples, from 0.
 * @param sorted ascending, one or more
 * @param p from 0 to 100
 */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  assertPercent(p);
  if (sorted.length === 0) throw new RangeError('a percentile of no samples');
  const position = ((sorted.length - 1) * p) / 100;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (position - below) * (high - low);
}

export interface Interval {
  low: number;
  high: number;
}

export interface IntervalOptions {
  seed: number;
  /** Samples drawn with replacement, 2000 by default. */
  resamples?: number;
  /** Share of resamples inside, 0.95 by default. */
  level?: number;
}

/**
 * Percentile bootstrap intervals (Efron 1979) of several percentiles of one set of samples.
 * A high percentile needs samples beyond it: of 100 samples, p99 rests on the largest two.
 * @param sorted ascending, one or more
 * @returns one interval per percentile
 */
export function percentileIntervals(
  sorted: ArrayLike<number>,
  percents: readonly number[],
  { seed, resamples = 2000, level = 0.95 }: IntervalOptions,
): Interval[] {
  if (!(level > 0 && level < 1)) throw new RangeError(`level ${level}`);
  const n = sorted.length;
  const random = stream(seed, 'latency', 'bootstrap');
  const drawn = percents.map(() => new Float64Array(resamples));
  const counts = new Uint32Array(n);
  const resampled = new Float64Array(n);
  for (let r = 0; r < resamples; r++) {
    // Counting how often each order statistic was drawn gives the resample in sorted order without a sort.
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[random.integer(n)]!++;
    for (let i = 0, at = 0; i < n; i++) {
      for (let c = counts[i]!; c > 0; c--) resampled[at++] = sorted[i]!;
    }
    for (const [j, p] of percents.entries()) drawn[j]![r] = percentile(resampled, p);
  }
  const tail = (100 * (1 - level)) / 2;
  return drawn.map((values) => {
    values.sort();
    return { low: percentile(values, tail), high: percentile(values, 100 - tail) };
  });
}

function assertPercent(p: number): void {
  if (!(p >= 0 && p <= 100)) throw new RangeError(`percentile ${p}`);
}
