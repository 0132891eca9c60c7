/** Scalar mix, equation (8): h_D(d) = sum over l of softmax(alpha)_l h^(l), with alpha learned. */
import type { Pooling, Tensor, Tensor3D } from '../../harness/contracts.js';
import * as tf from '../../harness/tensor/operations.js';

/** Added to alpha where a vector is absent: far below any trained value, and finite, so that no gradient is NaN. */
const absent = -1e30;

/**
 * One alpha per row of E(d), in the order of its rows; all 0 at first, which is the mean. Where a passage lacks vectors,
 * the softmax runs over those it has, so that the weights always add up to 1 and a short passage's vector is no shorter.
 */
const scalarMix: Pooling = {
  shortName: 'mix',
  summary: 'a weighted mean of the passage vectors, its weights learned',
  trainsOn: 'pooled',

  parameters({ vectors }) {
    if (vectors === 'varies') throw new RangeError('scalar mix needs a fixed number of vectors');
    return [{ name: 'alpha', shape: [vectors], initial: 'zeros' }];
  },

  describeWeights([alpha = new Float32Array()]) {
    const largest = Math.max(...alpha);
    const exponentials = Array.from(alpha, (value) => Math.exp(value - largest));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    return { alpha: exponentials.map((value) => value / sum) };
  },

  pool({ vectors, present }, weights) {
    const [batch, m] = vectors.shape;
    const alpha: Tensor = tf.reshape(weights[0]!, [1, m]); // [1, M]
    const logits = present === undefined ? alpha : tf.add(alpha, tf.mul(tf.sub(1, present), absent)); // [1 or B, M]
    const shares = tf.reshape(tf.softmax(logits), [present === undefined ? 1 : batch, m, 1]); // [1 or B, M, 1]
    return { vectors: tf.sum(tf.mul(vectors, shares), 1, true) as Tensor3D }; // [B, 1, D]
  },
};

export default scalarMix;
