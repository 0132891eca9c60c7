/**
 * Scores that tell the order of a run by themselves. Tools order a run by its scores and read no ranks, and have each a rule of their
 * own for equal ones: trec_eval takes the larger passage id first. Anserini lowers such scores for the same reason.
 */
import type { Ranking, Run } from '../contracts.js';
import { nextBelow } from '../float32.js';

/**
 * The same hits in the same order: of those with equal scores each one behind the first has the next smaller 32-bit number, and so has
 * whatever that reaches. All others keep their scores.
 * @param run scores are 32-bit numbers, the largest first
 */
export const withOrderInScores = (run: Run): Run =>
  new Map(Array.from(run, ([queryId, ranking]) => [queryId, apart(ranking)]));

function apart(ranking: Ranking): Ranking {
  const { scores } = ranking;
  if (scores === undefined) return ranking;
  const own = Float32Array.from(scores);
  for (let i = 1; i < own.length; i++) if (own[i]! >= own[i - 1]!) own[i] = nextBelow(own[i - 1]!);
  return { ...ranking, scores: own };
}
