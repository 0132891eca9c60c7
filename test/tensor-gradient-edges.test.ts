/** Gradients where a function bends, and of steps: each side of the bend, and the bend itself, by the rule that is written down. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Engine, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as layers from '../harness/tensor/layers.js';
import { isFixed } from '../harness/tensor/onnx/extent.js';
import * as tf from '../harness/tensor/operations.js';

const engines: Engine[] = [await openEngine('tfjs-cpu'), await openEngine('onnx', { threads: 1 })];
after(() => Promise.all(engines.map((engine) => engine.dispose())));

/** The gradients of the sum, where the i-th output counts i + 1 times. */
async function gradientsOf(
  engine: Engine,
  given: { shape: number[]; values: number[] }[],
  build: (...xs: tf.Tensor[]) => tf.Tensor,
): Promise<number[][]> {
  const program = await engine.compile(
    (inputs) =>
      tf.valueAndGrads((...xs: tf.Tensor[]) => {
        const y = tf.reshape(tf.cast(build(...xs), 'float32'), [-1]);
        return tf.sum(tf.mul(y, tf.range(1, y.size + 1, 1, 'float32'))) as tf.Scalar;
      })(inputs).grads,
    given.map(({ shape }) => ({ shape, dtype: 'float32' })),
  );
  const found = await program.run(given.map(({ values }) => Float32Array.from(values)));
  await program.dispose();
  return found.map((values) => Array.from(values!, (value) => value + 0));
}

const row = (...values: number[]) => ({ shape: [values.length], values });
const cases: [
  string,
  { shape: number[]; values: number[] }[],
  (...xs: tf.Tensor[]) => tf.Tensor,
  number[][],
][] = [
  [
    'maximum',
    [row(1, 2, 3), row(2, 2, 2)],
    (a, b) => tf.maximum(a!, b!),
    [
      [0, 2, 3],
      [1, 0, 0],
    ],
  ],
  [
    'minimum',
    [row(1, 2, 3), row(2, 2, 2)],
    (a, b) => tf.minimum(a!, b!),
    [
      [1, 2, 0],
      [0, 0, 3],
    ],
  ],
  ['relu', [row(-0.5, 0, 0.5, 1)], (x) => tf.relu(x!), [[0, 0, 3, 4]]],
  ['abs', [row(-0.5, 0, 0.5)], (x) => tf.abs(x!), [[-1, 0, 3]]],
  ['clip', [row(-2, -1, 0, 1, 2)], (x) => tf.clipByValue(x!, -1, 1), [[0, 2, 3, 4, 0]]],
  ['sign', [row(-1, 1)], (x) => tf.sign(x!), [[0, 0]]],
  ['floor', [row(-1.5, 1.5)], (x) => tf.floor(x!), [[0, 0]]],
  ['cast', [row(2, 3)], (x) => tf.cast(x!, 'float32'), [[1, 2]]],
  [
    'max, the first of equals',
    [{ shape: [2, 3], values: [1, 3, 3, 2, 2, 1] }],
    (x) => tf.max(x!, 1),
    [[0, 1, 0, 2, 0, 0]],
  ],
  [
    'min of the other axis',
    [{ shape: [2, 3], values: [1, 3, 3, 1, 2, 4] }],
    (x) => tf.min(x!, 0),
    [[1, 0, 3, 0, 2, 0]],
  ],
  ['max of all', [{ shape: [2, 2], values: [5, 7, 7, 7] }], (x) => tf.max(x!), [[0, 1, 0, 0]]],
  ['max of one', [{ shape: [3, 1], values: [5, 7, 6] }], (x) => tf.max(x!, 1), [[1, 2, 3]]],
];

for (const engine of engines)
  test(`${engine.name}: where functions bend`, async () => {
    for (const [what, given, build, expected] of cases)
      assert.deepEqual(await gradientsOf(engine, given, build), expected, what);
  });

for (const engine of engines)
  test(`${engine.name}: each of several vectors gets length 1, and one of zeros stays one`, async () => {
    const shape = [2, 2, 2];
    const program = await engine.compile(([x]) => [layers.unitLength(x!)], [{ shape, dtype: 'float32' }]);
    const [found] = await program.run([Float32Array.of(3, 4, 0, 0, -5, 0, 30, 40)]);
    assert.equal(found!.length, sizeOf(shape));
    for (const [i, value] of [0.6, 0.8, 0, 0, -1, 0, 0.6, 0.8].entries())
      assert.ok(Math.abs(found![i]! - value) < 1e-6, `${i}: ${found![i]}`);
    await program.dispose();
  });

test('a size is fixed where neither texts nor tokens have a part in it', () => {
  const none = { constant: 7, batch: 0, tokens: 0, product: 0 };
  assert.equal(isFixed(none), true);
  for (const part of ['batch', 'tokens', 'product'] as const)
    for (const factor of [1, -1]) assert.equal(isFixed({ ...none, [part]: factor }), false, part);
});
