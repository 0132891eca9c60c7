/** The contrastive losses, equations (2), (3), (5), (6) and (7), over the vectors of a batch. */
import type {
  BatchScores,
  PassageVectors,
  Pooling,
  Scalar,
  Tensor,
  Tensor2D,
  Tensor3D,
} from '../contracts.js';
import * as tf from '../tensor/operations.js';

/**
 * The score of what takes no part: below any product of vectors, so that it never wins a maximum and its share of a
 * softmax is exactly 0, and finite, so that 0 times it is 0 and no gradient is NaN.
 */
export const absentScore = -1e30;

export interface ContrastiveBatch {
  /** [Q, D] */
  queries: Tensor2D;
  /** E(d) of P passages, as the family represents them: pooling happens here. */
  passages: PassageVectors;
  /** [Q, P] float32, 1 at the query's own positive and 0 elsewhere: exactly one 1 in a row. */
  positive: Tensor2D;
  /** [Q, P] or [P] float32, 1 where the passage takes part in the softmax; all do where absent. The positive must. */
  candidates?: Tensor;
  pooling?: Pooling;
  /** The pooling's own parameters. */
  weights?: readonly Tensor[];
  /** lambda of equation (7). */
  lambda: number;
}

export interface ContrastiveLoss {
  /** Equation (7): contrastive + lambda * regularizer, a mean over queries. */
  loss: Scalar;
  /** Equation (3), or (5) with self-contrastive pooling. */
  contrastive: Scalar;
  /** Equation (6); absent without a pooling that has one, or with lambda 0. */
  regularizer?: Scalar;
  /** [Q, P], the similarities that the contrastive loss saw, before candidates are left out. */
  similarity: Tensor2D;
}

/** Keeps the scores where `take` is 1 and puts `absentScore` where it is 0. */
function leaveOut<T extends Tensor>(scores: T, take: Tensor | undefined): T {
  if (take === undefined) return scores;
  return tf.add(tf.mul(scores, take), tf.mul(tf.sub(1, take), absentScore)) as T;
}

/**
 * The largest value along the last axis; its gradient goes to the first of several equal ones alone (`Max` in
 * tensor/gradients.ts).
 * @param x [..., M] @returns [...]
 */
export const largestOf = (x: Tensor): Tensor =>
  x.shape[x.shape.length - 1] === 1 ? tf.reshape(x, x.shape.slice(0, -1)) : tf.max(x, -1);

/**
 * h_q . h for every vector of every passage, as one matrix product.
 * @param queries [Q, D]
 * @returns [Q, P, M]; absent vectors hold `absentScore`
 */
export function scoreVectors(queries: Tensor2D, { vectors, present }: PassageVectors): Tensor3D {
  const [passages, m, dimensions] = vectors.shape;
  const rows = tf.reshape(vectors, [passages * m, dimensions]); // [P M, D]
  const scores = tf.reshape(tf.matMul(queries, rows, false, true), [
    queries.shape[0],
    passages,
    m,
  ]) as Tensor3D; // [Q, P, M]
  return leaveOut(scores, present === undefined ? undefined : tf.reshape(present, [1, passages, m]));
}

/**
 * The cross entropy of each query's own positive among its candidates, a mean over queries: equation (3) of any
 * similarity.
 * @param similarity [Q, P] @param positive [Q, P], one 1 in a row @param candidates [Q, P] or [P]
 */
export function crossEntropy(similarity: Tensor2D, positive: Tensor2D, candidates?: Tensor): Scalar {
  const [queries, passages] = similarity.shape;
  const take = candidates?.rank === 1 ? tf.reshape(candidates, [1, passages]) : candidates;
  const logShares = tf.logSoftmax(leaveOut(similarity, take)); // [Q, P]
  return tf.neg(tf.div(tf.sum(tf.mul(logShares, positive)), queries)) as Scalar;
}

/**
 * The loss of a batch, equation (7), with in-batch negatives: every passage but the own positive is a negative of the
 * query. A pure function of tensors: it reads no values, so that it can be compiled and differentiated.
 */
export function contrastiveLoss(batch: ContrastiveBatch): ContrastiveLoss {
  const { queries, positive, pooling, weights = [], lambda } = batch;
  const passages = pooling?.trainsOn === 'pooled' ? pooling.pool(batch.passages, weights) : batch.passages;
  const all = scoreVectors(queries, passages); // [Q, P, M]
  const scores: BatchScores = {
    all,
    positive,
    largest: () => largestOf(all) as Tensor2D,
    own: () => tf.sum(tf.mul(all, tf.expandDims(positive, 2)), 1) as Tensor2D, // [Q, M]
  };
  const similarity = pooling?.trainingSimilarity?.(scores) ?? scores.largest(); // [Q, P]
  const contrastive = crossEntropy(similarity, positive, batch.candidates);
  const regularizer = lambda === 0 ? undefined : pooling?.regularizer?.(scores);
  if (regularizer === undefined) return { loss: contrastive, contrastive, similarity };
  return {
    loss: tf.add(contrastive, tf.mul(regularizer, lambda)) as Scalar,
    contrastive,
    regularizer,
    similarity,
  };
}
