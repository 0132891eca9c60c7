/** What dev queries' positives are ranked among, where average rank is DPR's. */
import type { TrainConfig } from '../config/bench-config.js';

/** Negatives that each dev query brings to the pool, beside its positive. */
export interface RankPool {
  /** Hard ones, the first of its list; null: those of the batches. */
  hard: number | null;
  /** Those that are not hard, the first of its list. */
  other: number;
}

/** The pool as the configuration has it; undefined where no epoch is judged in one other than the passages of the batches. */
export function rankPool(config: TrainConfig): RankPool | undefined {
  const { averageRank, averageRankFrom, epochs } = config;
  if (averageRank !== 'dpr' || averageRankFrom === null || averageRankFrom >= epochs) return undefined;
  const { averageRankHardNegatives: hard, averageRankOtherNegatives: other } = config;
  return hard === null && other === 0 ? undefined : { hard, other };
}
