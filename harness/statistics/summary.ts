/** What one sample of numbers is summed up in, and what every test first asks of its numbers. */
import { createRequire } from 'node:module';
import type * as Mathjs from 'mathjs';
import { BenchError } from '../errors.js';

/** A confidence interval; how it was made belongs to whoever made it. */
export interface Interval {
  low: number;
  high: number;
  /** Such as 0.95. */
  level: number;
}

/** Mean and standard deviation, over seeds for instance. */
export interface Summary {
  n: number;
  mean: number;
  /** Undefined for a single value: one run says nothing of the spread. */
  standardDeviation: number | undefined;
}

const require = createRequire(import.meta.url);
let loaded: typeof Mathjs | undefined;

/** mathjs, loaded when there is a first number to compute: it takes longer than a command that computes none. */
function math(): typeof Mathjs {
  loaded ??= require('mathjs/number') as typeof Mathjs;
  return loaded;
}

/**
 * The arithmetic mean: the values are summed in their order, as trec_eval does, so that the means of
 * measures are its to the last digit.
 * @throws BenchError RECORD_INVALID on no values or one that is not finite
 */
export function mean(values: ArrayLike<number>): number {
  checkFinite(values, 'the values');
  return Number(math().mean(Array.from(values)));
}

/**
 * The harmonic mean, the work of all over the time of all: the rate of all of them together.
 * @param rates 0 or above; of one that is 0 it is 0 @param work what was done at each, above 0; equal where absent
 * @throws BenchError RECORD_INVALID on no values or one that is not finite
 */
export function meanRate(rates: ArrayLike<number>, work?: ArrayLike<number>): number {
  const all = Array.from(rates);
  checkFinite(all, 'the rates');
  if (all.includes(0)) return 0;
  if (work === undefined) return 1 / mean(all.map((rate) => 1 / rate));
  checkFinite(work, 'the work');
  return mean(work) / mean(all.map((rate, i) => work[i]! / rate));
}

/**
 * The sample standard deviation, sqrt(sum (x - mean)^2 / (n - 1)); undefined for one value. It is taken of what the values
 * differ from their mean by: the rounding of a long sum would else be a deviation of values that are all alike.
 * @throws BenchError RECORD_INVALID on no values or one that is not finite
 */
export function standardDeviation(values: ArrayLike<number>): number | undefined {
  const centre = mean(values);
  if (values.length < 2) return undefined;
  const residuals = Array.from(values, (value) => value - centre);
  return Number(math().std(residuals, 'unbiased'));
}

/** Mean and sample standard deviation (n - 1 in its denominator), over seeds as the field reports them. */
export function summarize(values: ArrayLike<number>): Summary {
  return { n: values.length, mean: mean(values), standardDeviation: standardDeviation(values) };
}

/**
 * A quantile of values that are already in ascending order, by linear interpolation between the order statistics
 * around (n - 1) q: definition 7 of Hyndman and Fan (The American Statistician 50, 1996), the default of R and NumPy.
 * `quantile(v, 0.5)` is the usual median.
 * @param sorted ascending, not empty
 * @param q in [0, 1]
 */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0 || !(q >= 0 && q <= 1)) throw new RangeError(`n ${sorted.length}, q ${q}`);
  return interpolate((rank) => sorted[rank]!, sorted.length, q);
}

/** The median of values in any order: their quantile 0.5. */
export const median = (values: ArrayLike<number>): number => quantile(Float64Array.from(values).sort(), 0.5);

/** Definition 7 over any way of asking for the value of a rank (from 0) among n. */
export function interpolate(valueAt: (rank: number) => number, n: number, q: number): number {
  const position = (n - 1) * q;
  const below = Math.floor(position);
  const fraction = position - below;
  const low = valueAt(below);
  if (fraction === 0) return low;
  const high = valueAt(below + 1);
  // Of the two alone mathjs gives what it gives of all n; between equal ones its sum could leave their value.
  return low === high ? low : Number(math().quantileSeq([low, high], fraction, true));
}

/** @throws BenchError RECORD_INVALID where there is no value or one is not a finite number */
export function checkFinite(values: ArrayLike<number>, what: string): void {
  if (values.length === 0) {
    throw new BenchError('RECORD_INVALID', `There is nothing to compute from: ${what} are empty.`, {
      hint: 'Check that the run was evaluated on a split that has queries.',
    });
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new BenchError(
        'RECORD_INVALID',
        `Number ${i + 1} of ${what} is ${values[i]}, not a finite number.`,
        { hint: 'The run record is damaged or was written by another tool; make it again with bench run.' },
      );
    }
  }
}

/** @throws BenchError CONFIG_INVALID unless the level of an interval lies between 0 and 1 */
export function checkLevel(level: number): void {
  if (level > 0 && level < 1) return;
  throw new BenchError(
    'CONFIG_INVALID',
    `The level of an interval must lie between 0 and 1, not at ${level}.`,
    { hint: 'Write 0.95 for a 95% interval.' },
  );
}

/** @throws BenchError CONFIG_INVALID unless a number of draws is a whole number of at least 1 */
export function checkDraws(draws: number, what: string): void {
  if (Number.isSafeInteger(draws) && draws >= 1) return;
  throw new BenchError(
    'CONFIG_INVALID',
    `The number of ${what} must be a whole number above 0, not ${draws}.`,
    { hint: `10000 ${what} are usual.` },
  );
}
