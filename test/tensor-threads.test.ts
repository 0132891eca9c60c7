/** The bits of a program are the same at any number of threads and in every run. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stream } from '../harness/random.js';
import { type Engine, mostThreads, type NumericArray } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as layers from '../harness/tensor/layers.js';
import { Graph, prune } from '../harness/tensor/onnx/graph.js';
import { knownOperators, refuseUnknown } from '../harness/tensor/onnx/known-operators.js';
import * as tf from '../harness/tensor/operations.js';
import { root } from './places.js';

/** All threads and shapes: minutes on two cores. */
const isThorough = process.env.STRATA_TEST_THOROUGH === '1';

type Build = (inputs: tf.Tensor[]) => readonly tf.Tensor[];
type Shape = readonly number[];

const random = stream(1, 'threads');
const made = (shape: Shape) =>
  Float32Array.from({ length: shape.reduce((size, d) => size * d, 1) }, () => random.normal());
const bytes = (arrays: readonly (NumericArray | undefined)[]) =>
  Buffer.concat(arrays.map((array) => Buffer.from(array!.buffer, array!.byteOffset, array!.byteLength)));

it('more threads than that are refused', async () => {
  await assert.rejects(openEngine('onnx', { threads: mostThreads + 1 }), /threads: 33 is more than the 32/);
});

it('the page names every operator that a program may hold', async () => {
  const page = await readFile(path.join(root, 'docs', 'reproducible.md'), 'utf8');
  const kinds = page.slice(page.indexOf('| kind |'), page.indexOf('What was here before'));
  for (const operator of knownOperators) assert.match(kinds, new RegExp(`\\b${operator}\\b`));
});

it('an operator of which nothing is known is refused by name', () => {
  const graph = new Graph();
  const sums = graph.node('ScatterND', [graph.input([2], 'float32')], [2], 'float32', { reduction: 'add' });
  assert.throws(() => refuseUnknown(prune([sums]).nodes, 'a step'), /'a step' holds ScatterND/);
});

describe('a program leaves the same bits', () => {
  const engines: Engine[] = [];
  before(async () => {
    for (const threads of isThorough ? [1, 2, 3, 4, 7, 16, mostThreads] : [1, 2, 3, 7])
      engines.push(await openEngine('onnx', { threads }));
  });
  after(async () => {
    for (const engine of engines) await engine.dispose();
  });

  /** @param fixed inputs that are baked in */
  async function same(name: string, build: Build, shapes: readonly Shape[], fixed: readonly number[] = []) {
    const values = shapes.map(made);
    let first: Buffer | undefined;
    for (const engine of engines) {
      const program = await engine.compile(
        build,
        shapes.map((shape) => ({ shape, dtype: 'float32' })),
        { fixed: new Map(fixed.map((i) => [i, values[i]!])) },
      );
      for (let run = 0; run < 2; run++) {
        const found = bytes(await program.run(values.filter((_, i) => !fixed.includes(i))));
        first ??= found;
        assert.ok(found.equals(first), `${name}: other bits with ${engine.threads} threads, run ${run}`);
      }
      await program.dispose();
    }
  }

  const product =
    (transA: boolean, transB: boolean): Build =>
    ([a, b]) => [tf.matMul(a!, b!, transA, transB)];

  it('of matrix products: outputs high and wide, inner sizes of one step and of several, all transposes', async () => {
    for (const m of isThorough ? [1, 3, 16, 33, 48, 200] : [1, 3, 33, 200])
      for (const n of isThorough ? [1, 2, 16, 48, 128, 384, 768] : [1, 16, 128, 384])
        for (const k of isThorough ? [128, 130, 512, 2048] : [130, 2048]) {
          for (const [transA, transB] of [
            [false, false],
            [false, true],
            [true, false],
            [true, true],
          ] as const) {
            const shapes = [transA ? [k, m] : [m, k], transB ? [n, k] : [k, n]];
            await same(`${m} x ${n} over ${k}, ${transA}, ${transB}`, product(transA, transB), shapes);
          }
        }
  });

  it('of layers of the size of BERT-base and of wider ones', async () => {
    for (const [m, n, k] of [
      [24, 3072, 768],
      [24, 768, 3072],
      [300, 3072, 768],
      [500, 768, 768],
      [24, 4096, 1024],
    ] as const) {
      const shapes = [[m, k], [n, k], [n]];
      const build: Build = ([x, weight, bias]) => [
        layers.linear(x!, weight as tf.Tensor2D, bias as tf.Tensor1D),
      ];
      await same(`linear ${m} x ${n} over ${k}`, build, shapes);
      await same(`linear ${m} x ${n} over ${k}, weights baked in`, build, shapes, [1, 2]);
    }
  });

  it('of GELU as one kernel, at sizes that no block of a kernel divides', async () => {
    for (const shape of [[1], [3, 17], [37, 1536], [251, 3073]])
      await same(`gelu ${shape}`, ([x]) => [layers.gelu(x!)], [shape]);
  });

  it('of products in batches, fewer than threads and more', async () => {
    for (const batch of [1, 2, 5, 40])
      for (const [m, n, k] of [
        [40, 64, 256],
        [64, 40, 256],
        [1, 64, 256],
        [16, 16, 2048],
      ] as const)
        await same(`${batch} of ${m} x ${n} over ${k}`, product(false, false), [
          [batch, m, k],
          [batch, k, n],
        ]);
  });

  it('of sums and means over any axes', async () => {
    const shape = [6, 5, 40, 64];
    for (const axes of [
      [0],
      [1],
      [3],
      [0, 1],
      [2, 3],
      [1, 2],
      [0, 2],
      [0, 3],
      [1, 3],
      [0, 2, 3],
      [0, 1, 2, 3],
    ])
      for (const scale of [1, 8]) {
        const larger = shape.map((d, i) => (i === 2 ? d * scale : d));
        await same(`over ${axes} of ${larger}`, ([x]) => [tf.sum(x!, axes), tf.mean(x!, axes)], [larger]);
        await same(`squares over ${axes} of ${larger}`, ([x]) => [tf.sum(tf.square(x!), axes)], [larger]);
      }
    await same('a million', ([x]) => [tf.sum(x!), tf.sum(tf.square(x!))], [[1_000_003]]);
  });

  it('of what is done row by row and element by element', async () => {
    for (const shape of [
      [37, 100],
      [511, 769],
    ]) {
      const width = shape[1]!;
      const build: Build = ([x, gamma, beta]) => [
        layers.layerNorm(x!, gamma as tf.Tensor1D, beta as tf.Tensor1D, 1e-12),
        layers.rmsNorm(x!, gamma as tf.Tensor1D, 1e-6),
        layers.gelu(x!),
        layers.geluTanh(x!),
        tf.softmax(x!),
        tf.logSoftmax(x!),
        tf.cumsum(x!, 0),
        tf.max(x!, 1),
        tf.rsqrt(tf.square(x!)),
        tf.exp(x!),
        tf.log(tf.abs(x!)),
        tf.sigmoid(x!),
        tf.relu(x!),
        tf.div(gamma!, x!),
      ];
      await same(`rows of ${shape}`, build, [shape, [width], [width]]);
    }
  });
});
