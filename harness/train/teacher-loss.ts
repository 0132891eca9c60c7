/**
 * What a teacher's scores add to the loss: the student's margins become the teacher's (MarginMSE, Hofstaetter et al. 2020), or
 * its shares among the passages of a query do (KL divergence, Hinton et al. 2015).
 */
import type { Scalar, Tensor2D } from '../contracts.js';
import * as tf from '../tensor/operations.js';
import { leaveOut, overTemperature } from './softmax-scores.js';

export interface TeacherObjective {
  loss: 'margin-mse' | 'kl';
  /** What it counts beside the contrastive loss. */
  weight: number;
  /** What equation (7) counts beside it; 0: the teacher alone is learned from. */
  contrastive: number;
  /** Of KL: the teacher's scores are divided by it before the softmax. */
  temperature: number;
}

/** The teacher's scores of a batch. */
export interface TeacherScores {
  /** [Q, P]; where there is none, any finite number. */
  scores: Tensor2D;
  /** [Q, P], 1 where there is one. */
  scored: Tensor2D;
}

/**
 * The mean over all pairs of a query's positive and one of its negatives, both scored, of the squared difference between the
 * student's margin and the teacher's; 0 where there is no such pair.
 * @param student [Q, P] @param positive [Q, P], one 1 in a row
 */
export function marginMse(student: Tensor2D, positive: Tensor2D, { scores, scored }: TeacherScores): Scalar {
  const ofPositive = (x: Tensor2D) => tf.sum(tf.mul(x, positive), 1, true); // [Q, 1]
  const pairs = tf.mul(tf.mul(scored, tf.sub(1, positive)), ofPositive(scored)); // [Q, P]
  const margins = tf.sub(ofPositive(student), student);
  const apart = tf.mul(tf.sub(margins, tf.sub(ofPositive(scores), scores)), pairs);
  return tf.div(tf.sum(tf.square(apart)), tf.maximum(tf.sum(pairs), 1)) as Scalar;
}

/**
 * KL(teacher || student) among the scored passages of each query, a mean over the queries that have two or more; 0 where none
 * has.
 * @param student [Q, P], over the student's temperature
 */
export function listKl(student: Tensor2D, { scores, scored }: TeacherScores, temperature: number): Scalar {
  const given = tf.logSoftmax(leaveOut(overTemperature(scores, temperature), scored)); // [Q, P]
  const own = tf.logSoftmax(leaveOut(student, scored));
  const terms = tf.mul(tf.mul(tf.exp(given), tf.sub(given, own)), scored);
  const lists = tf.minimum(tf.maximum(tf.sub(tf.sum(scored, 1), 1), 0), 1); // [Q]
  return tf.div(tf.sum(terms), tf.maximum(tf.sum(lists), 1)) as Scalar;
}

/** @param products [Q, P], the student's scores as search computes them @param temperature the student's */
export function teacherLoss(
  products: Tensor2D,
  positive: Tensor2D,
  teacher: TeacherObjective & TeacherScores,
  temperature: number,
): Scalar {
  return teacher.loss === 'margin-mse'
    ? marginMse(products, positive, teacher)
    : listKl(overTemperature(products, temperature), teacher, teacher.temperature);
}
