/** What the poolings make of vectors, worked out on paper. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import average from '../architectures/pooling/average.js';
import scalarMix from '../architectures/pooling/scalar-mix.js';
import selfContrastive from '../architectures/pooling/self-contrastive.js';
import type { Pooling, ResolvedArchitecture, Tensor2D, Tensor3D } from '../harness/contracts.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';

const engine = await openEngine('tfjs-cpu');
after(() => engine.dispose());

/** Two passages of three vectors of two numbers. */
const rows = [
  [
    [1, 2],
    [3, 6],
    [8, 1],
  ],
  [
    [2, 0],
    [4, 4],
    [9, 9],
  ],
];

async function pooled(pooling: Pooling, present?: number[][], weights: number[] = []) {
  const program = await engine.compile(() => {
    const vectors = tf.tensor3d(rows) as Tensor3D;
    const given = { vectors, ...(present && { present: tf.tensor2d(present) as Tensor2D }) };
    const { vectors: found } = pooling.pool(given, weights.length === 0 ? [] : [tf.tensor1d(weights)]);
    assert.deepEqual(found.shape, [2, 1, 2]);
    return [found];
  }, []);
  const [values] = await program.run([]);
  return Array.from(values!, (value) => Number(value.toFixed(5)));
}

const someAbsent = [
  [1, 1, 0],
  [0, 0, 1],
];
const allAbsent = [
  [1, 1, 1],
  [0, 0, 0],
];

test('the average is over the vectors that are there, and of none it is 0', async () => {
  assert.deepEqual(await pooled(average), [4, 3, 5, 4.33333]);
  assert.deepEqual(await pooled(average, someAbsent), [2, 4, 9, 9]);
  assert.deepEqual(await pooled(average, allAbsent), [4, 3, 0, 0]);
});

test('a mix weighs by the softmax of alpha over the vectors that are there', async () => {
  // Shares of 1/2, 1/4 and 1/4.
  const alpha = [Math.log(2), 0, 0];
  assert.deepEqual(await pooled(scalarMix, undefined, alpha), [3.25, 2.75, 4.25, 3.25]);
  // Of the first passage two thirds and a third.
  assert.deepEqual(await pooled(scalarMix, someAbsent, alpha), [1.66667, 3.33333, 9, 9]);
  assert.deepEqual(await pooled(scalarMix, undefined, [0, 0, 0]), await pooled(average));
});

test('what a mix has learned is told in shares, however large the numbers', () => {
  const { alpha } = scalarMix.describeWeights!([Float32Array.of(Math.log(3), 0)]) as { alpha: number[] };
  assert.ok(Math.abs(alpha[0]! - 0.75) < 1e-7 && Math.abs(alpha[1]! - 0.25) < 1e-7);
  for (const by of [-1000, 600, 1000]) {
    const { alpha: moved } = scalarMix.describeWeights!([Float32Array.of(by, by, by, by)]) as {
      alpha: number[];
    };
    assert.deepEqual(moved, [0.25, 0.25, 0.25, 0.25]);
  }
  assert.deepEqual(scalarMix.describeWeights!([]), { alpha: [] });
  const parameters = (vectors: ResolvedArchitecture['vectors']) =>
    scalarMix.parameters!({ layers: [1], vectors, lambda: 0 } as ResolvedArchitecture);
  assert.deepEqual(parameters(3), [{ name: 'alpha', shape: [3], initial: 'zeros' }]);
  assert.throws(() => parameters('varies'), RangeError);
});

test('self-contrastive pooling keeps the first vector', async () => {
  assert.deepEqual(await pooled(selfContrastive), [1, 2, 2, 0]);
  assert.deepEqual(
    [average, scalarMix, selfContrastive].map(({ shortName, trainsOn }) => [shortName, trainsOn]),
    [
      ['avg', 'pooled'],
      ['mix', 'pooled'],
      ['sc', 'all'],
    ],
  );
});
