/** What a set of queries can show: the smallest difference that a test finds often enough, and how many queries one needs. */
import { BenchError } from '../errors.js';
import { powerOfMcNemar, powerOfPairedT } from './power-of-tests.js';

/** How much two systems differ query by query, which is what decides how many queries are needed. */
export type PairedSpread =
  /** Standard deviation of candidate - baseline. */
  | { test: 'paired t'; deviation: number }
  /** Share of the queries that one of the two answers and the other does not. */
  | { test: 'McNemar exact'; discordant: number };

export interface PowerTarget {
  /** Chance to find a difference that is there, such as 0.8. */
  power: number;
  /** Level of one test: 0.05, or that over the number of tests corrected together. */
  alpha: number;
}

/** More queries than this nobody judges. */
const mostQueries = 1e9;

/** Chance that the test finds a true difference with n queries. @param n whole number, 2 or more */
export function powerOf(spread: PairedSpread, n: number, difference: number, alpha: number): number {
  if (spread.test === 'paired t') return powerOfPairedT(difference / spread.deviation, n, alpha);
  // As many queries as the difference says change at the least.
  return powerOfMcNemar(Math.max(spread.discordant, Math.abs(difference)), difference, n, alpha);
}

/**
 * The smallest true difference that n queries show with the power asked for, above 0, in the unit of the measure.
 * Undefined where no difference does: with a share of discordant queries so small that the test finds nothing even where
 * one system wins all of them.
 * @throws BenchError CONFIG_INVALID for what is out of range
 */
export function smallestDifference(
  spread: PairedSpread,
  n: number,
  { power, alpha }: PowerTarget,
): number | undefined {
  check(spread, { power, alpha });
  if (!(Number.isSafeInteger(n) && n >= 2)) throw outOfRange('A number of pairs', 'a whole number from 2', n);
  const finds = (difference: number) => powerOf(spread, n, difference, alpha) >= power;
  let high = spread.test === 'paired t' ? spread.deviation : spread.discordant;
  if (spread.test === 'paired t') while (!finds(high)) high *= 2;
  else if (!finds(high)) return undefined;
  let low = 0;
  for (let i = 0; i < 50 && high - low > 1e-9 * high; i++) {
    const middle = (low + high) / 2;
    if (finds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * The fewest queries with which the test finds a true difference with the power asked for; undefined where these are more
 * than a thousand million. McNemar's test is discrete: with some more queries its power may be a little lower again.
 * @param difference not 0
 * @throws BenchError CONFIG_INVALID for what is out of range
 */
export function queriesNeeded(
  spread: PairedSpread,
  difference: number,
  { power, alpha }: PowerTarget,
): number | undefined {
  check(spread, { power, alpha });
  checkDifference(spread, difference);
  const finds = (n: number) => powerOf(spread, n, difference, alpha) >= power;
  let low = 1;
  let high = 2;
  while (!finds(high)) {
    if (high >= mostQueries) return undefined;
    low = high;
    high = Math.min(2 * high, mostQueries);
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (finds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function check(spread: PairedSpread, { power, alpha }: PowerTarget): void {
  if (!(alpha > 0 && alpha < 1)) throw outOfRange('The level of a test', 'between 0 and 1', alpha);
  if (!(power > alpha && power < 1)) throw outOfRange('Power', 'between the level of the test and 1', power);
  if (spread.test === 'paired t') {
    const { deviation } = spread;
    if (deviation > 0 && Number.isFinite(deviation)) return;
    throw outOfRange('The standard deviation of the differences', 'above 0', deviation);
  }
  const { discordant } = spread;
  if (discordant > 0 && discordant <= 1) return;
  throw outOfRange('The share of queries that change', 'above 0 and at most 1', discordant);
}

function checkDifference({ test }: PairedSpread, difference: number): void {
  const most = test === 'paired t' ? Number.MAX_VALUE : 1;
  if (difference !== 0 && Math.abs(difference) <= most) return;
  const range = test === 'paired t' ? 'a number other than 0' : 'other than 0 and at most 1';
  throw outOfRange('The difference to be shown', range, difference);
}

function outOfRange(what: string, range: string, seen: number): BenchError {
  return new BenchError('CONFIG_INVALID', `${what} must be ${range}, not ${seen}.`, {
    hint: "Shares count from 0 to 1: 0.01 is one point. 'bench power --help' has examples.",
  });
}
