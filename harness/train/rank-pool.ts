/** What dev queries' positives are ranked among, where average rank is DPR's. */
import type { TrainConfig } from '../config/bench-config.js';

/** Negatives that each dev query brings to the pool, beside its positive. */
export interface RankPool {
  /** Hard ones, the first of its list; null: those of the batches. */
  hard: number | null;
  /** Those that are not hard, the first of its list. */
  other: number;
}

type RankRules = Pick<
  TrainConfig,
  'averageRank' | 'averageRankFrom' | 'averageRankHardNegatives' | 'averageRankOtherNegatives' | 'epochs'
>;

/** Whether dev judges some epoch by average rank. */
export function ranksEpochs({
  averageRankFrom,
  epochs,
}: Pick<TrainConfig, 'averageRankFrom' | 'epochs'>): boolean {
  return averageRankFrom !== null && averageRankFrom < epochs;
}

/** The pool as the configuration has it; undefined where no epoch is judged in one other than the passages of the batches. */
export function rankPool(config: RankRules): RankPool | undefined {
  if (config.averageRank !== 'dpr' || !ranksEpochs(config)) return undefined;
  const { averageRankHardNegatives: hard, averageRankOtherNegatives: other } = config;
  return hard === null && other === 0 ? undefined : { hard, other };
}

/** Where a passage stands that scores as much as the positive: behind it, or where the list of passages has it. */
export type RankTies = TrainConfig['averageRankTies'];

/**
 * How many passages of a list stand before the positive. `listed` is what torch.argsort(descending=True) makes of equal
 * scores on a CPU, and on a GPU in lists of more than 32: they keep their order, so that one listed earlier stands before.
 * @param scores of the passages, in the order of the list
 * @param positive its place in the list, which may lie before the first or after the last of these scores
 * @param own what the positive scores
 */
export function ranksBefore(
  scores: Float32Array,
  positive: number,
  own: number,
  ties: RankTies = 'behind',
): number {
  let before = 0;
  for (const [p, score] of scores.entries()) {
    if (p === positive) continue;
    if (score > own || (ties === 'listed' && score === own && p < positive)) before++;
  }
  return before;
}
