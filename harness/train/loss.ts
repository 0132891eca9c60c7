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
import { unitLength } from '../tensor/layers.js';
import * as tf from '../tensor/operations.js';
import { leaveOut, overTemperature } from './softmax-scores.js';
import { type TeacherObjective, type TeacherScores, teacherLoss } from './teacher-loss.js';

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
  /** How vectors are compared: by their product where absent. */
  similarity?: 'dot' | 'cosine';
  /** Scores are divided by it before every softmax, that of equation (6) too; 1 where absent. */
  temperature?: number;
  /** Shorter lengths that vectors are cut to: the loss is a sum over these and the whole. */
  matryoshka?: readonly number[];
  /** What a teacher scores, and what comes of it. */
  teacher?: (TeacherObjective & TeacherScores) | undefined;
}

export interface ContrastiveLoss {
  /** Equation (7), contrastive + lambda * regularizer, a mean over queries; with a teacher that and the teacher's part, each times its weight. Each part is a sum over all lengths of vectors. */
  loss: Scalar;
  /** Equation (3), or (5) with self-contrastive pooling. */
  contrastive: Scalar;
  /** Equation (6); absent without a pooling that has one, or with lambda 0. */
  regularizer?: Scalar;
  /** The teacher's part before its weight: of the scores that search computes. */
  taught?: Scalar;
  /** [Q, P], the similarities that the contrastive loss saw, over the temperature and before candidates are left out. */
  similarity: Tensor2D;
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
  const { pooling, weights = [], matryoshka = [], teacher } = batch;
  const pooled = () => pooling?.pool(batch.passages, weights) ?? batch.passages;
  const trained = pooling?.trainsOn === 'pooled' ? pooled() : batch.passages;
  const searched = teacher === undefined || pooling?.trainsOn !== 'all' ? trained : pooled();
  const whole = lossOfLength(batch, trained, searched);
  return matryoshka
    .map((length) => lossOfLength(batch, trained, searched, length))
    .reduce((sum, part) => ({ ...added(sum, part), similarity: sum.similarity }), whole);
}

/**
 * @param trained what the contrastive loss sees of the passages
 * @param searched what search sees of them
 * @param length of the vectors, cut to it before anything else (Kusupati et al. 2022); whole where absent
 */
function lossOfLength(
  batch: ContrastiveBatch,
  trained: PassageVectors,
  searched: PassageVectors,
  length?: number,
): ContrastiveLoss {
  const { positive, pooling, lambda, teacher, temperature = 1 } = batch;
  const compared = <T extends Tensor>(x: T): T => {
    const cut = length === undefined ? x : cutTo(x, length);
    return batch.similarity === 'cosine' ? unitLength(cut) : cut;
  };
  const queries = compared(batch.queries);
  const scoresOf = (passages: PassageVectors) =>
    scoreVectors(queries, { ...passages, vectors: compared(passages.vectors) }); // [Q, P, M]
  const products = scoresOf(trained);
  const all = overTemperature(products, temperature);
  const scores: BatchScores = {
    all,
    positive,
    largest: () => largestOf(all) as Tensor2D,
    own: () => tf.sum(tf.mul(all, tf.expandDims(positive, 2)), 1) as Tensor2D, // [Q, M]
  };
  const similarity = pooling?.trainingSimilarity?.(scores) ?? scores.largest(); // [Q, P]
  const contrastive = crossEntropy(similarity, positive, batch.candidates);
  const regularizer = lambda === 0 ? undefined : pooling?.regularizer?.(scores);
  const taught =
    teacher &&
    teacherLoss(
      largestOf(searched === trained ? products : scoresOf(searched)) as Tensor2D,
      positive,
      teacher,
      temperature,
    );
  const own = regularizer ? tf.add(contrastive, tf.mul(regularizer, lambda)) : contrastive;
  return {
    loss: (taught ? besideTeacher(own, taught, teacher) : own) as Scalar,
    contrastive,
    ...(regularizer && { regularizer }),
    ...(taught && { taught }),
    similarity,
  };
}

/** Adds the teacher's part to equation (7). What counts 0 stays: every weight has a gradient, be it 0. */
const besideTeacher = (own: Tensor, taught: Tensor, { weight, contrastive }: TeacherObjective): Tensor =>
  tf.add(contrastive === 1 ? own : tf.mul(own, contrastive), tf.mul(taught, weight));

/** @param x [..., D] @returns [..., length] */
function cutTo<T extends Tensor>(x: T, length: number): T {
  const outer = x.shape.slice(0, -1);
  return tf.slice(x, [...outer.map(() => 0), 0], [...outer, length]) as T;
}

function added(a: ContrastiveLoss, b: ContrastiveLoss): Omit<ContrastiveLoss, 'similarity'> {
  const sum = (x: Scalar, y: Scalar | undefined) => (y === undefined ? x : (tf.add(x, y) as Scalar));
  return {
    loss: sum(a.loss, b.loss),
    contrastive: sum(a.contrastive, b.contrastive),
    ...(a.regularizer && { regularizer: sum(a.regularizer, b.regularizer) }),
    ...(a.taught && { taught: sum(a.taught, b.taught) }),
  };
}
