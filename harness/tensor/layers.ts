/** The layers that encoders are made of, as pure functions over tensors. Weights have PyTorch's shapes. */
import * as tf from './operations.js';

type Tensor = tf.Tensor;

/** y = x W^T + b. @param x [..., I] @param weight [O, I] @param bias [O] @returns [..., O] */
export function linear(x: Tensor, weight: tf.Tensor2D, bias?: tf.Tensor1D): Tensor {
  const inner = x.shape[x.shape.length - 1]!;
  const rows = tf.reshape(x, [-1, inner]);
  const product = tf.matMul(rows, weight, false, true);
  const sum = bias === undefined ? product : tf.add(product, bias);
  return tf.reshape(sum, [...x.shape.slice(0, -1), weight.shape[0]]);
}

/** Layer normalization over the last axis (Ba et al. 2016). @param x [..., D] @param gamma [D] @param beta [D] */
export function layerNorm(x: Tensor, gamma: tf.Tensor1D, beta: tf.Tensor1D, epsilon: number): Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), gamma), beta);
}

/** Root mean square normalization over the last axis (Zhang and Sennrich 2019), as in T5. @param x [..., D] */
export function rmsNorm(x: Tensor, weight: tf.Tensor1D, epsilon: number): Tensor {
  const square = tf.mean(tf.square(x), -1, true);
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(square, epsilon))), weight);
}

/** GELU by the error function (Hendrycks and Gimpel 2016), BERT's `gelu`. */
export function gelu(x: Tensor): Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

/** GELU by the hyperbolic tangent, `gelu_new` of transformers: T5 v1.1's gate. */
export function geluTanh(x: Tensor): Tensor {
  const cubed = tf.mul(tf.mul(x, x), x);
  const inner = tf.mul(tf.add(x, tf.mul(cubed, 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

/**
 * Inverted dropout with a mask drawn by the caller.
 * @param keep bool, of x's shape: 1 where the value stays
 * @param rate the share that `keep` drops, in [0, 1)
 */
export function dropout(x: Tensor, keep: Tensor | undefined, rate: number): Tensor {
  if (keep === undefined || rate === 0) return x;
  return tf.mul(tf.mul(x, 1 / (1 - rate)), tf.cast(keep, 'float32'));
}
