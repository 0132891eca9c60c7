/**
 * Self-contrastive pooling: trained with every vector, searched with the last layer's alone, equations (4) to (6), so
 * that it costs what a dual encoder costs.
 */
import type { Pooling, Scalar, Tensor2D, Tensor3D } from '../../harness/contracts.js';
import * as tf from '../../harness/tensor/operations.js';

const selfContrastive: Pooling = {
  shortName: 'sc',
  summary: 'trained with all passage vectors, searched with the last layer alone',
  trainsOn: 'all',

  /** Equation (4). */
  pool({ vectors }) {
    const [batch, , dimensions] = vectors.shape;
    return { vectors: tf.slice(vectors, [0, 0, 0], [batch, 1, dimensions]) as Tensor3D }; // [B, 1, D]
  },

  /** Equation (5): the own positive by h_D; every other passage, other queries' positives too, by its best vector. */
  trainingSimilarity(scores) {
    const [queries, passages] = scores.all.shape;
    const alone = tf.reshape(tf.slice(scores.all, [0, 0, 0], [queries, passages, 1]), [queries, passages]); // [Q, P]
    const others = tf.mul(scores.largest(), tf.sub(1, scores.positive));
    return tf.add(tf.mul(alone, scores.positive), others) as Tensor2D; // [Q, P]
  },

  /** Equation (6): among the vectors of the own positive, h_D should score highest. */
  regularizer(scores) {
    const logShares = tf.logSoftmax(scores.own()); // [Q, M]
    const first = tf.slice(logShares, [0, 0], [logShares.shape[0]!, 1]); // [Q, 1]
    return tf.neg(tf.mean(first)) as Scalar;
  },
};

export default selfContrastive;
