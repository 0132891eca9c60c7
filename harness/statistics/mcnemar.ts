/** McNemar's exact test, for measures that are 0 or 1 per query. */
import { BenchError } from '../errors.js';
import { binomialCdf, clopperPearson } from './distributions.js';
import { checkPairs } from './pairs.js';
import { checkLevel, type Interval } from './summary.js';

export interface McNemar {
  test: 'McNemar exact';
  /** Pairs: both + neither + onlyBaseline + onlyCandidate. */
  n: number;
  both: number;
  neither: number;
  /** Queries that only the baseline answered. */
  onlyBaseline: number;
  /** Queries that only the candidate answered. */
  onlyCandidate: number;
  /** (onlyCandidate - onlyBaseline) / n: the difference of the two accuracies. */
  difference: number;
  /** Two-sided and exact. */
  p: number;
  /** onlyCandidate / onlyBaseline; infinite where only the candidate won, undefined where neither ever did. */
  oddsRatio: number | undefined;
  /** Exact interval of the odds ratio; its upper end may be infinite; undefined with it. */
  oddsRatioInterval: Interval | undefined;
}

/**
 * McNemar's test in its exact form (McNemar, "Note on the sampling error of the difference between correlated
 * proportions or percentages", Psychometrika 12, 1947): of the m discordant queries, b that only the baseline answered
 * and c that only the candidate did, each falls to either side with probability 1/2 where the two are equally accurate.
 * So p = min(1, 2 P(X <= min(b, c))), X ~ Binomial(m, 1/2). Concordant queries carry no information; m = 0 gives p = 1.
 *
 * The effect size is the conditional odds ratio c / b (Agresti, Categorical Data Analysis, 3rd edition, section 11.2);
 * its interval is that of Clopper and Pearson for c of m, carried over by x / (1 - x), which excludes 1 exactly when p is
 * below 1 - level (Fay, "Two-sided exact tests and matching confidence intervals for discrete data", R Journal 2, 2010).
 * @param baseline n values, each 0 or 1
 * @param candidate n values of the same queries, in the same order
 * @throws BenchError RECORD_INVALID on unequal lengths, no values, or values other than 0 and 1
 */
export function mcnemar(baseline: ArrayLike<number>, candidate: ArrayLike<number>, level = 0.95): McNemar {
  checkLevel(level);
  checkPairs(baseline, candidate);
  const n = baseline.length;
  let both = 0;
  let onlyBaseline = 0;
  let onlyCandidate = 0;
  for (let i = 0; i < n; i++) {
    const a = baseline[i]!;
    const b = candidate[i]!;
    if ((a !== 0 && a !== 1) || (b !== 0 && b !== 1)) {
      throw new BenchError(
        'RECORD_INVALID',
        `McNemar's test takes values of 0 and 1 alone; pair ${i + 1} is ${a} and ${b}.`,
        { hint: 'Compare a graded measure with a paired t-test or a randomization test.' },
      );
    }
    if (a === 1 && b === 1) both++;
    else if (a === 1) onlyBaseline++;
    else if (b === 1) onlyCandidate++;
  }
  const discordant = onlyBaseline + onlyCandidate;
  const shared = {
    test: 'McNemar exact',
    n,
    both,
    neither: n - both - discordant,
    onlyBaseline,
    onlyCandidate,
    difference: (onlyCandidate - onlyBaseline) / n,
  } as const;
  if (discordant === 0) return { ...shared, p: 1, oddsRatio: undefined, oddsRatioInterval: undefined };
  const [low, high] = clopperPearson(onlyCandidate, discordant, level);
  return {
    ...shared,
    p: Math.min(1, 2 * binomialCdf(Math.min(onlyBaseline, onlyCandidate), discordant, 0.5)),
    oddsRatio: onlyCandidate / onlyBaseline,
    oddsRatioInterval: { low: low / (1 - low), high: high / (1 - high), level },
  };
}

/** Whether every value is 0 or 1, so that McNemar's test applies. */
export function isBinary(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0 && values[i] !== 1) return false;
  return true;
}
