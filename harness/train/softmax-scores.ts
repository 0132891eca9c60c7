/** Scores on their way into a softmax. */
import type { Tensor } from '../contracts.js';
import * as tf from '../tensor/operations.js';

/**
 * The score of what takes no part: below any product of vectors, so that it never wins a maximum and its share of a
 * softmax is exactly 0, and finite, so that 0 times it is 0 and no gradient is NaN.
 */
export const absentScore = -1e30;

/** Keeps the scores where `take` is 1 and puts `absentScore` where it is 0. */
export function leaveOut<T extends Tensor>(scores: T, take: Tensor | undefined): T {
  if (take === undefined) return scores;
  return tf.add(tf.mul(scores, take), tf.mul(tf.sub(1, take), absentScore)) as T;
}

/** What a softmax of a temperature is taken of. */
export const overTemperature = <T extends Tensor>(scores: T, temperature: number): T =>
  temperature === 1 ? scores : (tf.div(scores, temperature) as T);
