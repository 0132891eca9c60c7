/**
 * Which mined passages score too close to a query's positive to be called negatives: many of them are answers that nobody has
 * judged. The rules are those of NV-Retriever (Moreira et al. 2024): TopK-PercPos by a share of the positive's score, TopK-MarginPos
 * by a distance from it.
 */
import type { BenchConfig } from '../config/config.js';
import type { QueryVectors } from '../index/query-vectors.js';
import type { VectorIndex } from '../index/vector-index.js';
import { rowsOf, winnerOf } from './passage-rows.js';

/** `stage2.*`; null: no such rule. */
export interface ScoreMargins {
  maxScoreRatio: number | null;
  scoreMargin: number | null;
}

/** The rules that a configuration asks for; undefined where it asks for none. */
export function marginsOf({ stage2 }: Pick<BenchConfig, 'stage2'>): ScoreMargins | undefined {
  const { maxScoreRatio, scoreMargin } = stage2;
  return maxScoreRatio === null && scoreMargin === null ? undefined : { maxScoreRatio, scoreMargin };
}

/**
 * The most that a negative may score beside a positive. A share of a score below 0 would lie above it: there the limit lies as
 * far below the positive as it would of the score without its sign, by (1 - ratio) |positive|.
 */
export function highestScore(positive: number, { maxScoreRatio, scoreMargin }: ScoreMargins): number {
  const byRatio =
    maxScoreRatio === null
      ? Number.POSITIVE_INFINITY
      : positive * (positive < 0 ? 2 - maxScoreRatio : maxScoreRatio);
  return Math.min(byRatio, scoreMargin === null ? Number.POSITIVE_INFINITY : positive - scoreMargin);
}

/** What queries score passages that may not be among their hits. */
export type PairScores = (
  pairs: ReadonlyMap<string, readonly number[]>,
  take: (query: number, score: number) => void,
) => Promise<void>;

/**
 * By their vectors, as exact search scores them; what the index does not hold, or has no vector of, is left out.
 * @returns a reader of pairs: passage ids, and the places of the queries that they are scored with
 */
export function pairScores(
  index: VectorIndex,
  vectors: QueryVectors,
  checkInterrupted: () => void,
): PairScores {
  return async (pairs, take) => {
    const identifiers = await index.identifiers();
    let left = pairs.size;
    for (let ordinal = 0; ordinal < index.passages && left > 0; ordinal++) {
      const queries = pairs.get(identifiers.at(ordinal));
      if (queries === undefined) continue;
      left--;
      const rows = await rowsOf(index, ordinal);
      for (const query of queries) {
        const winner = winnerOf(await vectors.read(query, 1), rows);
        if (winner !== undefined) take(query, Math.fround(winner.score));
      }
      checkInterrupted();
    }
  };
}
