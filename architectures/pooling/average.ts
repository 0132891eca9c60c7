/** Average pooling: h_D(d) is the mean of E(d), in training and in search. */
import type { Pooling, Tensor3D } from '../../harness/contracts.js';
import * as tf from '../../harness/tensor/operations.js';

const average: Pooling = {
  shortName: 'avg',
  summary: 'the mean of the passage vectors',
  trainsOn: 'pooled',

  /** Over the vectors that exist; a passage without any gives zeros. */
  pool({ vectors, present }) {
    if (present === undefined) return { vectors: tf.mean(vectors, 1, true) as Tensor3D }; // [B, 1, D]
    const [batch, m] = vectors.shape;
    const count = tf.maximum(tf.sum(present, 1, true), 1); // [B, 1]
    const weights = tf.reshape(tf.div(present, count), [batch, m, 1]); // [B, M, 1]
    return { vectors: tf.sum(tf.mul(vectors, weights), 1, true) as Tensor3D }; // [B, 1, D]
  },
};

export default average;
