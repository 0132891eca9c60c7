/** The similarity of search in tensors, for tests that compare training's with it. */
import type { PassageVectors, Pooling, Tensor, Tensor2D } from '../harness/contracts.js';
import { largestOf, scoreVectors } from '../harness/train/loss.js';

/**
 * sim(q, d) as search computes it: the pooled vector's product, or equation (2) for
 * multi-vector search.
 * @returns [Q, P]
 */
export function devSimilarity(
  queries: Tensor2D,
  passages: PassageVectors,
  pooling?: Pooling,
  weights: readonly Tensor[] = [],
): Tensor2D {
  const searched = pooling === undefined ? passages : pooling.pool(passages, weights);
  return largestOf(scoreVectors(queries, searched)) as Tensor2D;
}
