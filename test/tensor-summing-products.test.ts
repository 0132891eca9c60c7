/** Sums on CUDA as products with ones: what is rewritten, and that the sums are those of the reduction. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useDeviceOperators } from '../harness/tensor/onnx/device-operators.js';
import { openOnnx } from '../harness/tensor/onnx/engine.js';
import { prune } from '../harness/tensor/onnx/graph.js';
import { record } from '../harness/tensor/onnx/recorder.js';
import { summedByProduct } from '../harness/tensor/onnx/summing-products.js';
import * as tf from '../harness/tensor/operations.js';
import { standInRuntime, withoutKoffi } from './cuda-devices.js';

interface Sum {
  shape: number[];
  axes: number[];
  /** How many products stand for the reduction; none where it stays. */
  products: number;
}

const sums: Sum[] = [
  // A gradient of a bias, and of normalization: columns that are few, and so many that one step is enough.
  { shape: [4096, 768], axes: [0], products: 2 },
  { shape: [128, 64, 192], axes: [0, 1], products: 2 },
  { shape: [128, 256, 300], axes: [0], products: 1 },
  // No divisor but the whole.
  { shape: [977, 768], axes: [0], products: 1 },
  { shape: [2310, 100], axes: [0], products: 2 },
  // A gradient of a softmax, and of normalization.
  { shape: [16, 12, 32, 32], axes: [3], products: 1 },
  { shape: [300, 768], axes: [1], products: 1 },
  // Few numbers, all of them, none of them.
  { shape: [4, 768], axes: [0], products: 0 },
  { shape: [300, 400], axes: [0, 1], products: 0 },
  { shape: [70_000, 1], axes: [1], products: 0 },
];

for (const { shape, axes, products } of sums)
  test(`[${shape}] over ${axes} are ${products || 'no'} products`, { skip: withoutKoffi }, async () => {
    for (const reduce of [tf.sum, tf.mean]) {
      const build = ([x]: tf.Tensor[]) => [reduce(x!, axes)];
      const specs = [{ shape, dtype: 'float32' as const }];
      const { graph, outputs } = record(build, specs, new Map(), true);
      useDeviceOperators(graph, outputs, { ReduceSum: summedByProduct, ReduceMean: summedByProduct });
      const ops = prune(outputs).nodes.map((node) => node.op);
      assert.equal(ops.filter((name) => name === 'MatMul').length, products);
      assert.equal(
        ops.some((name) => name.startsWith('Reduce')),
        products === 0,
      );

      const values = new Float32Array(shape.reduce((size, length) => size * length, 1)).map(
        (_, i) => Math.sin(1.3 * i) + 0.1,
      );
      const [by, plain] = await Promise.all(
        [{}, { rewritings: {} }].map(async (other) => {
          const engine = await openOnnx(1, 'cuda', async () => ({ ...(await standInRuntime()), ...other }));
          const program = await engine.compile(build, specs);
          const [found] = await program.run([values]);
          await program.dispose();
          await engine.dispose();
          return found as Float32Array;
        }),
      );
      assert.equal(by!.length, plain!.length);
      for (const [i, value] of by!.entries())
        assert.ok(Math.abs(value - plain![i]!) <= 1e-5 * (1 + Math.abs(plain![i]!)), `${reduce.name} ${i}`);
    }
  });
