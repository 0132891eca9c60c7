/** Which epoch is the best: dev cross entropy first, average rank from a set epoch on, as in DPR. */
import type { TrainConfig } from '../config/bench-config.js';
import type { Validation } from './validation.js';

export interface DevScore {
  measure: 'cross-entropy' | 'average-rank';
  /** Lower is better. */
  value: number;
  crossEntropy: number;
  averageRank?: number;
}

type Rules = Pick<TrainConfig, 'averageRank' | 'averageRankFrom' | 'resetBestAtSwitch' | 'devNegatives'>;

/** The dev score after an epoch (from 0). */
export async function devScore(validation: Validation, rules: Rules, epoch: number): Promise<DevScore> {
  const draw = rules.devNegatives === 'fixed' ? 'dev' : `dev ${epoch}`;
  const dev = await validation.encode(draw);
  const crossEntropy = await validation.crossEntropy(dev);
  if (rules.averageRankFrom === null || epoch < rules.averageRankFrom) {
    return { measure: 'cross-entropy', value: crossEntropy, crossEntropy };
  }
  const averageRank =
    rules.averageRank === 'dpr'
      ? await validation.rankInPool(dev, draw)
      : await validation.averageRank(dev, 'batch');
  return { measure: 'average-rank', value: averageRank, crossEntropy, averageRank };
}

/**
 * Whether a score replaces the best so far. An equal one does, as in the paper's code; DPR keeps the earlier epoch. Where
 * the measure changes, the best so far is of another scale: it is forgotten, as in DPR, unless `resetBestAtSwitch` is
 * false as in the paper's code.
 */
export function isBest(
  score: DevScore,
  epoch: number,
  { bestScore }: { readonly bestScore?: number },
  rules: Rules,
): boolean {
  if (bestScore === undefined) return true;
  if (rules.resetBestAtSwitch && epoch === rules.averageRankFrom) return true;
  return score.value <= bestScore;
}
