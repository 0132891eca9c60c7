/** Reads an interval off bootstrap replicates. */
import { normalCdf, normalQuantile } from './distributions.js';
import { type Interval, mean, quantile } from './summary.js';

/** 'bca': bias-corrected and accelerated; 'percentile': the replicates' own quantiles. */
export type IntervalMethod = 'bca' | 'percentile';

/**
 * The interval of B replicates of a statistic at level 1 - 2 alpha.
 *
 * * percentile: their quantiles at alpha and 1 - alpha (Efron and Tibshirani 1993, section 13.3).
 * * bca: their quantiles at Phi(z0 + (z0 + z) / (1 - a (z0 + z))) for z = z(alpha) and z(1 - alpha) (same book, equation
 *   14.10). z0 = Phi^-1(share of replicates below the estimate, ties counted half) corrects the bias. The acceleration a
 *   corrects for a standard error that changes with the value; from the jackknife over one or more independent samples
 *   (equation 14.15; for several samples Davison and Hinkley, Bootstrap Methods and their Application, 1997, equation
 *   5.27): with U = (n - 1)(mean of left-out values - left-out value i) in each sample,
 *   a = sum over samples (sum U^3 / n^3) / (6 (sum over samples (sum U^2 / n^2))^(3/2)), and 0 where all U are 0.
 *   SciPy's scipy.stats.bootstrap does the same.
 *
 * BCa does not exist where all replicates lie on one side of the estimate (z0 infinite) or 1 - a (z0 + z) is not above 0;
 * then the percentile interval is given and `method` says so.
 * @param replicates [B]
 * @param leftOut for each independent sample the statistic without each of its n values, [n]
 */
export function bootstrapInterval(
  estimate: number,
  replicates: Float64Array,
  leftOut: readonly ArrayLike<number>[],
  level: number,
  method: IntervalMethod,
): Interval & { method: IntervalMethod } {
  const sorted = replicates.slice().sort();
  const alpha = (1 - level) / 2;
  const ends = method === 'bca' ? bcaEnds(estimate, sorted, leftOut, alpha) : undefined;
  const [low, high] = ends ?? [alpha, 1 - alpha];
  return {
    low: quantile(sorted, low),
    high: quantile(sorted, high),
    level,
    method: ends === undefined ? 'percentile' : 'bca',
  };
}

/** Where in the replicates the two ends of a BCa interval lie, each in (0, 1). */
function bcaEnds(
  estimate: number,
  replicates: Float64Array,
  leftOut: readonly ArrayLike<number>[],
  alpha: number,
): [number, number] | undefined {
  let below = 0;
  for (const value of replicates) below += value < estimate ? 1 : value === estimate ? 0.5 : 0;
  const share = below / replicates.length;
  if (share <= 0 || share >= 1) return undefined;
  const bias = normalQuantile(share);
  const a = acceleration(leftOut);
  const ends: number[] = [];
  for (const z of [normalQuantile(alpha), normalQuantile(1 - alpha)]) {
    const stretch = 1 - a * (bias + z);
    if (!(stretch > 0)) return undefined;
    ends.push(normalCdf(bias + (bias + z) / stretch));
  }
  return [ends[0]!, ends[1]!];
}

/** a, from the jackknife. */
function acceleration(leftOut: readonly ArrayLike<number>[]): number {
  let cubes = 0;
  let squares = 0;
  for (const values of leftOut) {
    const n = values.length;
    const centre = mean(values);
    for (let i = 0; i < n; i++) {
      const influence = ((n - 1) * (centre - values[i]!)) / n;
      cubes += influence ** 3;
      squares += influence ** 2;
    }
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}
