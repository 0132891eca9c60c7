/** A program for every kernel that our models and losses use, with inputs from seeded streams. */
import assert from 'node:assert/strict';
import type { ArraySpec, NumericArray } from '../harness/tensor/engine.js';
import * as layers from '../harness/tensor/layers.js';
import { lookUp, lookUpFew, lookUpPlan } from '../harness/tensor/look-up.js';
import * as tf from '../harness/tensor/operations.js';
import { flags, float, type Input, integers, positive } from './kernel-inputs.js';

export type Build = (inputs: tf.Tensor[]) => readonly tf.Tensor[];
/** Every kernel that our programs use, forward and where it has one backward. */
export const programs: Record<string, { inputs: Input[]; build: Build; noGradient?: true }> = {
  add: { inputs: [float(2, 3), float(3)], build: ([a, b]) => [tf.add(a!, b!)] },
  'add integers': { inputs: [integers(9, 2, 3), integers(9, 3)], build: ([a, b]) => [tf.add(a!, b!)] },
  sub: { inputs: [float(2, 3), float(2, 1)], build: ([a, b]) => [tf.sub(a!, b!)] },
  mul: { inputs: [float(2, 3), float(1, 3)], build: ([a, b]) => [tf.mul(a!, b!)] },
  div: { inputs: [float(2, 3), positive(2, 3)], build: ([a, b]) => [tf.div(a!, b!)] },
  maximum: { inputs: [float(2, 3), float(2, 3)], build: ([a, b]) => [tf.maximum(a!, b!)] },
  minimum: { inputs: [float(2, 3), float(2, 3)], build: ([a, b]) => [tf.minimum(a!, b!)] },
  squaredDifference: { inputs: [float(2, 3), float(3)], build: ([a, b]) => [tf.squaredDifference(a!, b!)] },
  comparisons: {
    inputs: [integers(3, 2, 5), integers(3, 5)],
    build: ([a, b]) => [
      tf.equal(a!, b!),
      tf.notEqual(a!, b!),
      tf.greater(a!, b!),
      tf.greaterEqual(a!, b!),
      tf.less(a!, b!),
      tf.lessEqual(a!, b!),
    ],
  },
  logic: {
    inputs: [flags(7), flags(7)],
    build: ([a, b]) => [
      tf.logicalAnd(a!, b!),
      tf.logicalOr(a!, b!),
      tf.logicalNot(a!),
      tf.any(a!),
      tf.all(a!),
    ],
  },
  erf: { inputs: [float(9)], build: ([x]) => [tf.erf(x!)] },
  exp: { inputs: [float(9)], build: ([x]) => [tf.exp(x!)] },
  log: { inputs: [positive(9)], build: ([x]) => [tf.log(x!)] },
  sqrt: { inputs: [positive(9)], build: ([x]) => [tf.sqrt(x!)] },
  rsqrt: { inputs: [positive(9)], build: ([x]) => [tf.rsqrt(x!)] },
  reciprocal: { inputs: [positive(9)], build: ([x]) => [tf.reciprocal(x!)] },
  square: { inputs: [float(9)], build: ([x]) => [tf.square(x!)] },
  neg: { inputs: [float(9)], build: ([x]) => [tf.neg(x!)] },
  abs: { inputs: [float(9)], build: ([x]) => [tf.abs(x!)] },
  sign: { inputs: [float(9)], build: ([x]) => [tf.sign(x!)] },
  floor: { inputs: [float(9)], build: ([x]) => [tf.floor(x!)] },
  relu: { inputs: [float(9)], build: ([x]) => [tf.relu(x!)] },
  tanh: { inputs: [float(9)], build: ([x]) => [tf.tanh(x!)] },
  sigmoid: { inputs: [float(9)], build: ([x]) => [tf.sigmoid(x!)] },
  clip: { inputs: [float(9)], build: ([x]) => [tf.clipByValue(x!, -0.5, 0.5)] },
  cast: {
    inputs: [float(9)],
    build: ([x]) => [tf.cast(tf.mul(x!, 3), 'int32'), tf.cast(x!, 'bool')],
    noGradient: true,
  },
  'cast of floats': { inputs: [float(2, 3)], build: ([x]) => [tf.cast(tf.mul(x!, 2), 'float32')] },
  'unit length': { inputs: [float(3, 2, 4)], build: ([x]) => [layers.unitLength(x!)] },
  reshape: { inputs: [float(2, 6)], build: ([x]) => [tf.reshape(x!, [3, -1])] },
  'reshape to nothing': { inputs: [float(0, 6)], build: ([x]) => [tf.reshape(x!, [6, 0])] },
  expandDims: { inputs: [float(2, 3)], build: ([x]) => [tf.expandDims(x!, 1), tf.expandDims(x!, -1)] },
  transpose: { inputs: [float(2, 3, 4)], build: ([x]) => [tf.transpose(x!, [2, 0, 1])] },
  slice: { inputs: [float(4, 5)], build: ([x]) => [tf.slice(x!, [1, 2], [2, -1])] },
  pad: {
    inputs: [float(2, 3)],
    build: ([x]) => [
      tf.pad(
        x!,
        [
          [1, 0],
          [0, 2],
        ],
        7,
      ),
    ],
  },
  tile: { inputs: [float(2, 1, 3)], build: ([x]) => [tf.tile(x!, [1, 4, 1]), tf.tile(x!, [2, 1, 2])] },
  concat: { inputs: [float(2, 3), float(2, 2)], build: ([a, b]) => [tf.concat([a!, b!], -1)] },
  stack: { inputs: [float(2, 3), float(2, 3)], build: ([a, b]) => [tf.stack([a!, b!], 1)] },
  unstack: { inputs: [float(2, 3, 2)], build: ([x]) => tf.unstack(x!, 1) },
  split: { inputs: [float(2, 6)], build: ([x]) => tf.split(x!, [1, 3, 2], 1) },
  constants: {
    inputs: [float(2, 3)],
    build: ([x]) => [
      tf.fill([2, 2], 5),
      tf.fill([2, 2], 300, 'int32'),
      tf.fill([3], 1, 'bool'),
      tf.scalar(-70_000, 'int32'),
      tf.zerosLike(x!),
      tf.onesLike(x!),
      tf.range(0, 5, 1, 'int32'),
      tf.scalar(-0),
    ],
  },
  oneHot: {
    inputs: [integers(4, 5)],
    build: ([x]) => [tf.oneHot(x!, 4), tf.oneHot(x!, 4, 2, -1, 'float32')],
  },
  sum: { inputs: [float(2, 3, 4)], build: ([x]) => [tf.sum(x!), tf.sum(x!, 1), tf.sum(x!, [0, 2], true)] },
  'sums over axes in several runs': {
    inputs: [float(2, 3, 2, 2, 3)],
    build: ([x]) =>
      [
        [0, 2, 4],
        [0, 1, 3, 4],
        [1, 3],
        [4, 0, 1],
      ].map((axes) => tf.sum(x!, axes)),
  },
  'sum of flags': { inputs: [flags(7)], build: ([x]) => [tf.sum(x!)] },
  mean: { inputs: [float(2, 3, 4)], build: ([x]) => [tf.mean(x!, -1, true)] },
  max: { inputs: [float(2, 3, 4)], build: ([x]) => [tf.max(x!, 1)] },
  min: { inputs: [float(2, 3, 4)], build: ([x]) => [tf.min(x!, [1, 2])] },
  argMax: { inputs: [float(4, 7)], build: ([x]) => [tf.argMax(x!, 1), tf.argMin(x!, 0)], noGradient: true },
  topk: { inputs: [float(4, 9)], build: ([x]) => Object.values(tf.topk(x!, 3)), noGradient: true },
  cumsum: { inputs: [float(2, 5)], build: ([x]) => [tf.cumsum(x!, 1), tf.cumsum(x!, 1, true, true)] },
  softmax: { inputs: [float(2, 5)], build: ([x]) => [tf.softmax(x!)] },
  logSoftmax: { inputs: [float(2, 5)], build: ([x]) => [tf.logSoftmax(x!)] },
  'flags, moved': {
    inputs: [flags(3, 4), flags(3, 4)],
    build: ([a, b]) => [
      tf.transpose(a!),
      tf.slice(a!, [1, 2], [2, 2]),
      tf.slice(a!, [0, 1], [3, 1]),
      tf.slice(a!, [0, 0], [3, 4]),
      tf.concat([a!, b!], 1),
      tf.tile(a!, [2, 1]),
      tf.cast(a!, 'bool'),
      tf.equal(a!, b!),
      tf.any(a!, 1),
      tf.all(a!, 0, true),
      tf.cast(a!, 'int32'),
    ],
    noGradient: true,
  },
  'integers, moved': {
    inputs: [integers(9, 3, 4), integers(9, 3, 4)],
    build: ([a, b]) => {
      const signed = tf.sub(a!, b!);
      return [
        tf.transpose(a!),
        tf.slice(a!, [1, 2], [2, 2]),
        tf.slice(a!, [0, 1], [3, 1]),
        tf.slice(a!, [0, 0], [3, 4]),
        tf.concat([a!, b!], 0),
        tf.tile(a!, [1, 2]),
        tf.neg(a!),
        tf.abs(signed),
        tf.sign(signed),
        tf.max(signed, 1),
        tf.min(signed, 0, true),
        tf.cast(signed, 'float32'),
        tf.cast(signed, 'bool'),
      ];
    },
    noGradient: true,
  },
  where: { inputs: [flags(2, 5), float(2, 5), float(5)], build: ([c, a, b]) => [tf.where(c!, a!, b!)] },
  gather: {
    inputs: [float(6, 3), integers(6, 2, 4)],
    build: ([x, i]) => [tf.gather(x!, i!)],
    noGradient: true,
  },
  lookUp: {
    inputs: [float(6, 3)],
    build: ([x]) => {
      const ids = Int32Array.of(1, 0, 5, 1, 1, 0, 2);
      return [lookUp(x!, tf.tensor1d(ids, 'int32'), tf.tensor1d(lookUpPlan(ids, 6), 'int32'))];
    },
  },
  lookUpFew: {
    inputs: [float(6, 3)],
    build: ([x]) => [lookUpFew(x!, tf.tensor2d([1, 0, 5, 1, 1, 0, 2, 2], [2, 4], 'int32'))],
  },
  matMul: { inputs: [float(4, 3), float(3, 5)], build: ([a, b]) => [tf.matMul(a!, b!)] },
  'matMul, transposed': {
    inputs: [float(3, 4), float(5, 3)],
    build: ([a, b]) => [
      tf.matMul(a!, b!, true, true),
      tf.matMul(a!, a!, true, false),
      tf.matMul(b!, b!, false, true),
    ],
  },
  'matMul of batches': {
    inputs: [float(2, 3, 4, 5), float(2, 3, 6, 5)],
    build: ([a, b]) => [tf.matMul(a!, b!, false, true)],
  },
  linear: {
    inputs: [float(2, 3, 4), float(5, 4), float(5)],
    build: ([x, w, b]) => [layers.linear(x!, w as tf.Tensor2D, b as tf.Tensor1D)],
  },
  layerNorm: {
    inputs: [float(2, 3, 8), float(8), float(8)],
    build: ([x, g, b]) => [layers.layerNorm(x!, g as tf.Tensor1D, b as tf.Tensor1D, 1e-12)],
  },
  rmsNorm: {
    inputs: [float(2, 3, 8), float(8)],
    build: ([x, g]) => [layers.rmsNorm(x!, g as tf.Tensor1D, 1e-6)],
  },
  gelu: { inputs: [float(40)], build: ([x]) => [layers.gelu(x!), layers.geluTanh(x!)] },
  dropout: { inputs: [float(2, 9), flags(2, 9)], build: ([x, keep]) => [layers.dropout(x!, keep, 0.25)] },
};

/** The sum of all outputs, each weighted by fixed numbers, and its gradient for every float input. */
export function withGradients(build: Build, specs: ArraySpec[]): Build {
  const trained = specs.map(({ dtype }) => dtype === 'float32');
  return (inputs) => {
    const objective = (...floats: tf.Tensor[]) => {
      let next = 0;
      const outputs = build(inputs.map((input, i) => (trained[i] ? floats[next++]! : input)));
      const terms = outputs
        .filter((output) => output.dtype === 'float32')
        .map((output) => {
          const weights = Float32Array.from({ length: output.size }, (_, i) => Math.sin(i + 1));
          return tf.sum(tf.mul(output, tf.tensor(weights, output.shape))) as tf.Tensor;
        });
      return terms.reduce((sum, term) => tf.add(sum, term)) as tf.Scalar;
    };
    return tf.valueAndGrads(objective)(inputs.filter((_, i) => trained[i])).grads;
  };
}

/** Within 1e-4 of the largest magnitude. */
export function assertClose(actual: NumericArray, expected: NumericArray, message: string): void {
  assert.equal(actual.length, expected.length, message);
  let scale = 0;
  for (const value of expected) scale = Math.max(scale, Math.abs(value));
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    assert.ok(
      difference <= 1e-4 * Math.max(scale, 1e-3),
      `${message}[${i}]: ${actual[i]} against ${expected[i]}`,
    );
  }
}
