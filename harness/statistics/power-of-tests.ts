/** How likely a paired test is to find a difference that is there, exactly: sums and integrals, nothing drawn. */
import { binomialCdf, logGamma, normalCdf, studentQuantile } from './distributions.js';

const fewestPanels = 800;
const mostPanels = 1_000_000;

/**
 * Power of the two-sided paired t-test where the differences are normal: P(|T| > t) of a noncentral t with n - 1 degrees
 * of freedom and noncentrality effect sqrt(n) (Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, chapter
 * 2), as the mean of P(|Z + effect sqrt(n)| > t s) over s = chi / sqrt(n - 1), by Simpson's rule. R's power.t.test with
 * strict = TRUE gives the same. Of many queries the differences need not be normal.
 * @param effect d_z: mean over standard deviation of the differences
 * @param n pairs, 2 or more
 * @param alpha level of the test, such as 0.05
 */
export function powerOfPairedT(effect: number, n: number, alpha: number): number {
  const df = n - 1;
  const critical = studentQuantile(1 - alpha / 2, df);
  const shift = Math.abs(effect) * Math.sqrt(n);
  const root = Math.sqrt(df);
  // The standard deviation of chi is below 0.71 whatever its degrees of freedom: 8 to either side are all of it.
  const [low, high] = [Math.max(0, root - 8), root + 8];
  const mode = Math.sqrt(df - 1);
  // What is found falls from all to nothing within root / critical, which of two or three pairs is little.
  const panels = 2 * Math.ceil(Math.min(mostPanels, Math.max(fewestPanels, (160 * critical) / root)) / 2);
  let found = 0;
  let all = 0;
  for (let i = 0; i <= panels; i++) {
    const chi = low + (i * (high - low)) / panels;
    const away = chi - mode;
    // Beside its value at the mode: of many pairs the density's own logarithm would lose its digits.
    const logDensity = (df === 1 ? 0 : mode ** 2 * Math.log1p(away / mode)) - (away * (chi + mode)) / 2;
    const weight = (i === 0 || i === panels ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(logDensity);
    const bound = (critical * chi) / root;
    all += weight;
    found += weight * (normalCdf(shift - bound) + normalCdf(-shift - bound));
  }
  return found / all;
}

/** Numbers of discordant queries that are looked at. */
const mostPoints = 601;

/**
 * Power of McNemar's exact test: the number m of discordant queries is binomial, and of m the candidate wins
 * a binomial number with chance (1 + difference / discordant) / 2 (Connett, Smith and McHugh, "Sample size and power for
 * pair-matched case-control studies", Statistics in Medicine 6, 1987). The sum goes over all m within 6 standard
 * deviations and 20 of the mean; where those are more than 601, over as many at equal steps.
 * @param discordant share of the queries that one system answers and the other does not, in (0, 1]
 * @param difference of the two shares answered, at most `discordant`
 */
export function powerOfMcNemar(discordant: number, difference: number, n: number, alpha: number): number {
  const spread = 20 + 6 * Math.sqrt(n * discordant * (1 - discordant));
  const from = Math.max(0, Math.floor(n * discordant - spread));
  const to = Math.min(n, Math.ceil(n * discordant + spread));
  const stride = Math.ceil((to - from + 1) / mostPoints);
  const wins = Math.min(1, (1 + Math.abs(difference) / discordant) / 2);
  let found = 0;
  let all = 0;
  for (let m = from; m <= to; m += stride) {
    const weight = Math.exp(logBinomial(m, n, discordant));
    all += weight;
    const most = criticalLosses(m, alpha);
    // P(wins <= most) + P(losses <= most)
    if (most >= 0) found += weight * (binomialCdf(most, m, wins) + binomialCdf(most, m, 1 - wins));
  }
  return all === 0 ? 0 : found / all;
}

/** log P(X = k), X ~ Binomial(n, p) */
function logBinomial(k: number, n: number, p: number): number {
  if (p === 1) return k === n ? 0 : Number.NEGATIVE_INFINITY;
  const ways = logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
  return ways + k * Math.log(p) + (n - k) * Math.log1p(-p);
}

/** The most losses among m discordant queries with which the test still finds a difference; -1 where none is few enough. */
function criticalLosses(m: number, alpha: number): number {
  const finds = (losses: number) => 2 * binomialCdf(losses, m, 0.5) <= alpha;
  let low = -1;
  let high = Math.floor(m / 2) + 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (finds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
