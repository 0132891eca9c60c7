/** Layers and vectors that are chosen, with every fault said; number types, heads and the padding of attention by their definitions. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { vectorsProblem } from '../harness/model/architecture-options.js';
import { firstQueries, joinHeads, paddingBias, splitHeads } from '../harness/model/attention.js';
import { chooseLayers, layerProblems } from '../harness/model/layer-choice.js';
import { numberTypes } from '../harness/model/number-types.js';
import type { ArraySpec } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import type * as tf from '../harness/tensor/operations.js';

const engine = await openEngine('onnx', { threads: 1 });
after(() => engine.dispose());

/** What a function of one array gives, with its shape. */
async function computed(shape: number[], values: number[], build: (x: tf.Tensor) => tf.Tensor) {
  let made: number[] = [];
  const given: ArraySpec[] = [{ shape, dtype: 'float32' }];
  const program = await engine.compile(([x]) => {
    const y = build(x!);
    made = y.shape;
    return [y];
  }, given);
  const [found] = await program.run([Float32Array.from(values)]);
  await program.dispose();
  return { shape: made, values: [...found!] };
}

const chosen = (layers: readonly number[] | string | undefined, vectors?: number, depth = 12) =>
  chooseLayers(
    { ...(layers !== undefined && { layers }), ...(vectors !== undefined && { vectors }) },
    depth,
    [8, 12],
  );

test('layers by list, by placement, by number and by default', () => {
  for (const [layers, vectors, expected] of [
    [undefined, undefined, [8, 12]],
    [undefined, 2, [8, 12]],
    [undefined, 1, [12]],
    [undefined, 3, [10, 11, 12]],
    [undefined, 12, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    [[12, 1, 10, 2], undefined, [1, 2, 10, 12]],
    [[12, 1], 2, [1, 12]],
    [[12], 1, [12]],
    ['last', 1, [12]],
    ['first', 2, [1, 12]],
    ['uniform', 3, [4, 8, 12]],
  ] as const)
    assert.deepEqual(chosen(layers, vectors), { layers: expected, problems: [] }, `${layers}, ${vectors}`);
});

test('what cannot be chosen, each in a sentence', () => {
  for (const [layers, vectors, problems] of [
    [undefined, 13, ['arch.vectors: 13 vectors need as many layers; the encoder has 12']],
    [[1, 12], 3, ['arch.vectors: 3, but arch.layers [1, 12] holds 2']],
    [[1, 2, 12], 2, ['arch.vectors: 2, but arch.layers [1, 2, 12] holds 3']],
    ['last', undefined, ["arch.layers: 'last' needs arch.vectors, the number of layers to take"]],
    [
      'lasst',
      2,
      ["arch.layers: 'lasst' is neither a list of layers nor last, first or uniform; did you mean 'last'?"],
    ],
    ['middle', undefined, ["arch.layers: 'middle' is neither a list of layers nor last, first or uniform"]],
    ['toString', 2, ["arch.layers: 'toString' is neither a list of layers nor last, first or uniform"]],
    [undefined, 0, ['arch.vectors: 0 is not a whole number of 1 or more']],
    [undefined, 1.5, ['arch.vectors: 1.5 is not a whole number of 1 or more']],
    [[0, 13, 12.5], undefined, undefined],
  ] as const) {
    const found = chosen(layers, vectors);
    assert.deepEqual(found.layers, []);
    if (problems !== undefined) assert.deepEqual(found.problems, problems);
  }
  assert.deepEqual(layerProblems({ layers: [13, 1.5, 0, 1, 12] }, 12), [
    'arch.layers: [13, 1.5, 0, 1, 12] holds 13, 1.5, 0; the encoder has the layers 1 to 12',
  ]);
  assert.deepEqual(layerProblems({ layers: [1, 12], vectors: 1 }, 12), []);
});

test('a number of vectors that a family does not have is said; one that is none is said elsewhere', () => {
  const said = (vectors: number | undefined, own: number | 'varies') =>
    vectorsProblem(vectors === undefined ? {} : { vectors }, own, 'it');
  for (const own of [1, 2, 'varies'] as const)
    for (const none of [undefined, 0, -1, 1.5]) assert.deepEqual(said(none, own), [], `${none} of ${own}`);
  assert.deepEqual(said(1, 1), []);
  assert.deepEqual(said(2, 1), [
    'arch.vectors: 2, but it has 1 vector per passage; me-bert and mlr have a choice',
  ]);
  assert.deepEqual(said(1, 2), [
    'arch.vectors: 1, but it has 2 vectors per passage; me-bert and mlr have a choice',
  ]);
  assert.deepEqual(said(1, 'varies'), [
    'arch.vectors: 1, but it has one vector for each token per passage; me-bert and mlr have a choice',
  ]);
});

test('the bits of every number type of safetensors are in its name', () => {
  for (const [type, bits] of Object.entries(numberTypes))
    assert.equal(bits, type === 'BOOL' ? 8 : Number(/^(?:BF|F|I|U)(\d+)/.exec(type)![1]), type);
});

test('heads are split and joined, and padding gets the least that a float32 holds', async () => {
  // Two texts of two tokens with four numbers each.
  const numbers = Array.from({ length: 16 }, (_, i) => i);
  const split = await computed([4, 4], numbers, (x) => splitHeads(x, 2, 2, 2));
  assert.deepEqual(split.shape, [2, 2, 2, 2]);
  assert.deepEqual(split.values, [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
  const joined = await computed(split.shape, split.values, joinHeads);
  assert.deepEqual(joined, { shape: [4, 4], values: numbers });
  const bias = await computed([2, 3], [1, 1, 0, 1, 0, 0], (mask) => paddingBias(mask as tf.Tensor2D));
  assert.deepEqual(bias.shape, [2, 1, 1, 3]);
  const least = -(2 - 2 ** -23) * 2 ** 127;
  assert.deepEqual(
    bias.values.map((value) => value + 0),
    [0, 0, least, 0, least, least].map((value) => value + 0),
  );
});

test('of a bias the rows of the first tokens; one row stands for all', async () => {
  const numbers = Array.from({ length: 36 }, (_, i) => i);
  const first = (shape: number[], positions: number) =>
    computed(
      shape,
      numbers.slice(
        0,
        shape.reduce((a, b) => a * b),
      ),
      (x) => firstQueries(x, positions),
    );
  assert.deepEqual(await first([2, 2, 3, 3], 2), {
    shape: [2, 2, 2, 3],
    values: numbers.filter((i) => i % 9 < 6),
  });
  assert.deepEqual(await first([2, 2, 3, 3], 3), { shape: [2, 2, 3, 3], values: numbers });
  assert.deepEqual((await first([2, 1, 1, 3], 2)).shape, [2, 1, 1, 3]);
});
