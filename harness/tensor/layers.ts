/** The layers that encoders are made of, as pure functions over tensors. Weights have PyTorch's shapes. */
import * as tf from './operations.js';

type Tensor = tf.Tensor;

/** y = x W^T + b. @param x [..., I] @param weight [O, I] @param bias [O] @returns [..., O] */
export function linear(x: Tensor, weight: tf.Tensor2D, bias?: tf.Tensor1D): Tensor {
  const inner = x.shape[x.shape.length - 1]!;
  const rows = tf.reshape(x, [-1, inner]); // [R, I]
  const product = bias === undefined ? tf.matMul(rows, weight, false, true) : affine(rows, weight, bias);
  return tf.reshape(product, [...x.shape.slice(0, -1), weight.shape[0]]);
}

/** @param x [R, I] @returns x W^T + b, [R, O] */
function affine(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  if (!has('Linear')) return tf.add(tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, true), bias);
  return withGradient([x, weight, bias], ([input, matrix, shift]) => ({
    value: tf.engine().runKernel('Linear', { x: input!, weight: matrix!, bias: shift! }) as Tensor,
    saved: [input!, matrix!],
    gradient: (dy, [x, weight]) => [
      tf.matMul(dy as tf.Tensor2D, weight as tf.Tensor2D),
      tf.matMul(dy as tf.Tensor2D, x as tf.Tensor2D, true, false),
      tf.sum(dy, 0),
    ],
  }));
}

/** Whether the backend has a layer as one kernel. */
const has = (kernel: string): boolean => tf.getKernel(kernel, tf.getBackend()) !== undefined;

/**
 * Layer normalization over the last axis (Ba et al. 2016), with its gradient in closed form: tfjs's tape would keep five
 * arrays of x's size and make twice the operations.
 * @param x [..., D] @param gamma [D] @param beta [D]
 */
export function layerNorm(x: Tensor, gamma: tf.Tensor1D, beta: tf.Tensor1D, epsilon: number): Tensor {
  return withGradient([x, gamma, beta], ([input, scale, shift]) => {
    const [y, mean, inverse] = normalize(input!, scale!, shift!, epsilon);
    return {
      value: y,
      saved: [input!, scale!, mean, inverse],
      gradient: (dy, [x, gamma, mean, inverse]) => {
        const normal = tf.mul(tf.sub(x!, mean!), inverse!);
        const scaled = tf.mul(dy, gamma!);
        const along = tf.mean(tf.mul(scaled, normal), -1, true);
        const centred = tf.sub(tf.sub(scaled, tf.mean(scaled, -1, true)), tf.mul(normal, along));
        const axes = range(x!.rank - 1);
        return [tf.mul(centred, inverse!), tf.sum(tf.mul(dy, normal), axes), tf.sum(dy, axes)];
      },
    };
  });
}

/** @returns the normalized x, its mean and the inverse of its standard deviation, the latter two [..., 1] */
function normalize(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): [Tensor, Tensor, Tensor] {
  if (has('LayerNormalization')) {
    return tf.engine().runKernel('LayerNormalization', { x, gamma, beta }, { epsilon }) as [
      Tensor,
      Tensor,
      Tensor,
    ];
  }
  const mean = tf.mean(x, -1, true);
  const centred = tf.sub(x, mean);
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
  return [tf.add(tf.mul(tf.mul(centred, inverse), gamma), beta), mean, inverse];
}

/** Root mean square normalization over the last axis (Zhang and Sennrich 2019), as in T5. @param x [..., D] */
export function rmsNorm(x: Tensor, weight: tf.Tensor1D, epsilon: number): Tensor {
  return withGradient([x, weight], ([input, scale]) => {
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(input!), -1, true), epsilon));
    return {
      value: tf.mul(tf.mul(input!, inverse), scale!),
      saved: [input!, scale!, inverse],
      gradient: (dy, [x, weight, inverse]) => {
        const normal = tf.mul(x!, inverse!);
        const scaled = tf.mul(dy, weight!);
        const along = tf.mean(tf.mul(scaled, normal), -1, true);
        const dx = tf.mul(tf.sub(scaled, tf.mul(normal, along)), inverse!);
        return [dx, tf.sum(tf.mul(dy, normal), range(x!.rank - 1))];
      },
    };
  });
}

/**
 * Each vector over its length, as torch.nn.functional.normalize, with its gradient in closed form; a vector of zeros stays one.
 * @param x [..., D]
 */
export function unitLength<T extends Tensor>(x: T): T {
  return withGradient([x], ([input]) => {
    const length = tf.sqrt(tf.maximum(tf.sum(tf.square(input!), -1, true), smallestSquare)); // [..., 1]
    const unit = tf.div(input!, length);
    return {
      value: unit,
      saved: [unit, length],
      gradient: (dy, [unit, length]) => [
        tf.div(tf.sub(dy, tf.mul(unit!, tf.sum(tf.mul(unit!, dy), -1, true))), length!),
      ],
    };
  }) as T;
}

/** Of the length 1e-12, below which torch divides by that. */
const smallestSquare = 1e-24;

/** GELU by the error function (Hendrycks and Gimpel 2016), BERT's `gelu`. */
export function gelu(x: Tensor): Tensor {
  return withGradient([x], ([input]) => {
    const share = tf.mul(tf.add(tf.erf(tf.mul(input!, Math.SQRT1_2)), 1), 0.5);
    return {
      value: tf.mul(input!, share),
      saved: [input!, share],
      gradient: (dy, [x, share]) => {
        const density = tf.mul(tf.exp(tf.mul(tf.square(x!), -0.5)), 1 / Math.sqrt(2 * Math.PI));
        return [tf.mul(dy, tf.add(share!, tf.mul(x!, density)))];
      },
    };
  });
}

/** GELU by the hyperbolic tangent, `gelu_new` of transformers: T5 v1.1's gate. */
export function geluTanh(x: Tensor): Tensor {
  const cubed = tf.mul(tf.mul(x, x), x);
  const inner = tf.mul(tf.add(x, tf.mul(cubed, 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

/**
 * Inverted dropout with a mask drawn by the caller.
 * @param keep of x's shape: bool, 1 where the value stays; or float32, what the value is multiplied by: 0 or `keptScale(rate)`
 * @param rate the share that `keep` drops, in [0, 1)
 */
export function dropout(x: Tensor, keep: Tensor | undefined, rate: number): Tensor {
  if (keep === undefined || rate === 0) return x;
  // Scaled once, the mask serves both passes.
  return tf.mul(x, keep.dtype === 'bool' ? tf.mul(tf.cast(keep, 'float32'), keptScale(rate)) : keep);
}

/** What dropout multiplies by what stays. */
export const keptScale = (rate: number): number => 1 / (1 - rate);

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

interface WithGradient {
  value: Tensor;
  /** What the gradient needs. */
  saved: Tensor[];
  /** One for each input. */
  gradient(dy: Tensor, saved: Tensor[]): Tensor[];
}

/** A function whose gradient is given, not taped. */
export function withGradient(inputs: Tensor[], compute: (inputs: Tensor[]) => WithGradient): Tensor {
  return tf.customGrad((...args) => {
    const save = args.pop() as unknown as (tensors: Tensor[]) => void;
    const { value, saved, gradient } = compute(args as Tensor[]);
    save(saved);
    return { value, gradFunc: (dy: Tensor, kept: Tensor[]) => gradient(dy, kept) };
  })(...inputs);
}
