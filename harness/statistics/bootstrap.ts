/**
 * Bootstrap intervals: what a statistic would have been on other queries like these. The queries are drawn with
 * replacement, the statistic computed again, and the spread of those replicates read off.
 * Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 14.
 */
import { BenchError } from '../errors.js';
import { type Stream, stream } from '../random.js';
import { bootstrapInterval, type IntervalMethod } from './bootstrap-interval.js';
import { meanOf, quantileOf, type Resampled, type StatisticName } from './resample.js';
import { checkDraws, checkFinite, checkLevel, type Interval } from './summary.js';

export interface BootstrapOptions {
  /** B, the number of resamples: 2,000, as DiCiccio and Efron use for BCa (Statistical Science 11, 1996). */
  resamples?: number;
  level?: number;
  method?: IntervalMethod;
  /** Seeds the draws; the same seed gives the same interval. */
  seed?: number;
}

export interface RatioOptions extends BootstrapOptions {
  /** What is divided. */
  of?: StatisticName;
  /** True where value i of both systems belongs to the same query: such pairs are drawn together. */
  paired: boolean;
}

export interface Bootstrap {
  /** The statistic of the sample itself. */
  estimate: number;
  /** `method` is the one used: 'percentile' too where BCa was asked for and does not exist, which `bootstrapInterval` explains. */
  interval: Interval & { method: IntervalMethod };
  resamples: number;
}

/**
 * An interval for one statistic of one sample, such as the p95 of latencies.
 * @param values n values, at least 2
 * @throws BenchError RECORD_INVALID on fewer than 2 values or one that is not finite
 */
export function bootstrapStatistic(
  values: ArrayLike<number>,
  of: StatisticName,
  options: BootstrapOptions = {},
): Bootstrap {
  checkSample(values, 'the values');
  const sample = resampled(values, of);
  return draw([values.length], ([indices]) => sample.at(indices!), sample.whole, [sample.leftOut()], options);
}

/**
 * An interval for statistic(candidate) / statistic(baseline): below 1 the candidate is faster, where the values are
 * latencies. Paired, queries are drawn once for both systems, which takes out what is slow about a query in both;
 * unpaired, each system's values are drawn on their own.
 * @param baseline values above 0, at least 2, all in one unit
 * @param candidate values above 0, at least 2; as many and in the same order where `paired`
 * @throws BenchError RECORD_INVALID on values that are not finite and above 0, fewer than 2, or unequal lengths of pairs
 */
export function bootstrapRatio(
  baseline: ArrayLike<number>,
  candidate: ArrayLike<number>,
  { of = 'median', paired, ...options }: RatioOptions,
): Bootstrap {
  checkRatio(baseline, "the baseline's values");
  checkRatio(candidate, "the candidate's values");
  const below = resampled(baseline, of);
  const above = resampled(candidate, of);
  const estimate = above.whole / below.whole;
  const belowLeftOut = below.leftOut();
  const aboveLeftOut = above.leftOut();
  if (paired) {
    if (baseline.length !== candidate.length) {
      throw new BenchError(
        'RECORD_INVALID',
        `Paired latencies need as many values of one system as of the other, not ${baseline.length} and ${candidate.length}.`,
        { hint: 'Measure both systems on the same queries, or compare them unpaired.' },
      );
    }
    const leftOut = aboveLeftOut.map((value, i) => value / belowLeftOut[i]!);
    return draw(
      [baseline.length],
      ([indices]) => above.at(indices!) / below.at(indices!),
      estimate,
      [leftOut],
      options,
    );
  }
  return draw(
    [baseline.length, candidate.length],
    ([a, b]) => above.at(b!) / below.at(a!),
    estimate,
    [belowLeftOut.map((value) => above.whole / value), aboveLeftOut.map((value) => value / below.whole)],
    options,
  );
}

function resampled(values: ArrayLike<number>, of: StatisticName): Resampled {
  if (of === 'mean') return meanOf(values);
  const q = of === 'median' ? 0.5 : of.quantile;
  if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile ${q}`);
  return quantileOf(values, q);
}

/** Draws index lists of the given lengths B times and makes the interval of what `statistic` says of them. */
function draw(
  lengths: readonly number[],
  statistic: (indices: readonly Uint32Array[]) => number,
  estimate: number,
  leftOut: readonly Float64Array[],
  { resamples = 2000, level = 0.95, method = 'bca', seed = 0 }: BootstrapOptions,
): Bootstrap {
  checkDraws(resamples, 'resamples');
  checkLevel(level);
  const draws = stream(seed, 'bootstrap');
  const indices = lengths.map((length) => new Uint32Array(length));
  const replicates = new Float64Array(resamples);
  for (let b = 0; b < resamples; b++) {
    for (const list of indices) fill(list, draws);
    replicates[b] = statistic(indices);
  }
  return { estimate, interval: bootstrapInterval(estimate, replicates, leftOut, level, method), resamples };
}

/** Uniform whole numbers in [0, n): 2^32 random values fall into n equal steps, those past the last step are drawn again. */
function fill(indices: Uint32Array, draws: Stream): void {
  const n = indices.length;
  const step = Math.floor(2 ** 32 / n);
  for (let i = 0; i < n; i++) {
    // One division instead of the two remainders of Stream.integer: this line runs millions of times.
    let index = Math.floor(draws.bits() / step);
    while (index >= n) index = Math.floor(draws.bits() / step);
    indices[i] = index;
  }
}

function checkSample(values: ArrayLike<number>, what: string): void {
  checkFinite(values, what);
  if (values.length >= 2) return;
  throw new BenchError(
    'RECORD_INVALID',
    `A bootstrap interval needs at least 2 values; of ${what} there is 1.`,
    { hint: 'Measure more queries.' },
  );
}

function checkRatio(values: ArrayLike<number>, what: string): void {
  checkSample(values, what);
  for (let i = 0; i < values.length; i++) {
    if (values[i]! > 0) continue;
    throw new BenchError(
      'RECORD_INVALID',
      `Number ${i + 1} of ${what} is ${values[i]}: a ratio needs values above 0.`,
      { hint: 'A latency of 0 comes from a clock that is too coarse; measure it again.' },
    );
  }
}
