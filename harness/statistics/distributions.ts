/**
 * The distribution functions behind the tests, from Cephes (S. L. Moshier, Methods and Programs for Mathematical
 * Functions, 1989) as compiled to WebAssembly by the package `cephes`. Against SciPy they agree to 1e-9 relative or
 * better, far into the tails: see test/fixtures/statistics.
 */
import { bdtr, compiled, incbi, lgam, ndtr, ndtri, stdtr, stdtri } from 'cephes';

// Its functions exist only once the module is compiled (tens of milliseconds); waiting here keeps every test synchronous.
await compiled;

/**
 * Two-sided p of Student's t: P(|T| >= |t|) = 2 P(T <= -|t|). The lower tail is used because it keeps its digits
 * where 1 - P(T <= t) would round to 0.
 * @param t any number, infinite ones included
 * @param df degrees of freedom, a whole number of 1 or more
 */
export function studentTwoSidedP(t: number, df: number): number {
  if (!Number.isInteger(df) || df < 1 || Number.isNaN(t)) throw new RangeError(`t ${t}, df ${df}`);
  if (!Number.isFinite(t)) return 0;
  return Math.min(1, 2 * stdtr(df, -Math.abs(t)));
}

/**
 * P(T <= t) of Student's t.
 * @param t any number, infinite ones included
 * @param df degrees of freedom, a whole number of 1 or more
 */
export function studentLowerP(t: number, df: number): number {
  if (!Number.isInteger(df) || df < 1 || Number.isNaN(t)) throw new RangeError(`t ${t}, df ${df}`);
  if (!Number.isFinite(t)) return t < 0 ? 0 : 1;
  return stdtr(df, t);
}

/** log of the gamma function; x above 0. */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`x ${x}`);
  return lgam(x);
}

/**
 * Quantile of Student's t: the t with P(T <= t) = p.
 * @param p in (0, 1)
 * @param df degrees of freedom, a whole number of 1 or more
 */
export function studentQuantile(p: number, df: number): number {
  if (!Number.isInteger(df) || df < 1 || !(p > 0 && p < 1)) throw new RangeError(`p ${p}, df ${df}`);
  return stdtri(df, p);
}

/** So many deviations from the mean a double holds 0 or 1; far beyond them the package gives NaN. */
const farthest = 40;

/** P(Z <= z) of the standard normal distribution; z any number, infinite ones included. */
export const normalCdf = (z: number): number => ndtr(Math.min(farthest, Math.max(-farthest, z)));

/** Quantile of the standard normal distribution: the z with P(Z <= z) = p; p in (0, 1). */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`p ${p}`);
  return ndtri(p);
}

/**
 * P(X <= k) of the binomial distribution, X successes in n trials of probability p. Computed as the regularized
 * incomplete beta function I_{1-p}(n - k, k + 1) (Abramowitz and Stegun 26.5.24), so that it is exact for any n.
 */
export function binomialCdf(k: number, n: number, p: number): number {
  if (!Number.isInteger(k) || !Number.isInteger(n) || k < 0 || k > n || !(p >= 0 && p <= 1)) {
    throw new RangeError(`k ${k}, n ${n}, p ${p}`);
  }
  return k === n ? 1 : bdtr(k, n, p);
}

/**
 * The interval of Clopper and Pearson for a proportion of k in n ("The use of confidence or fiducial limits illustrated
 * in the case of the binomial", Biometrika 26, 1934): quantiles of Beta(k, n - k + 1) and Beta(k + 1, n - k).
 * @param k successes, 0 to n
 * @param n trials, 1 or more
 * @param level such as 0.95
 * @returns [low, high] in [0, 1]
 */
export function clopperPearson(k: number, n: number, level: number): [number, number] {
  const tail = (1 - level) / 2;
  const low = k === 0 ? 0 : incbi(k, n - k + 1, tail);
  const high = k === n ? 1 : incbi(k + 1, n - k, 1 - tail);
  return [low, high];
}
