/** How many indexes of a curve are open at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { turnsOf } from '../harness/pipeline/curve-times.js';

test('as many of the largest as fit the memory take turns together, in their order, and at least one', () => {
  const all = [3, 10, 5, 10, 7].map((bytes) => ({ bytes }));
  const sizes = (memoryBytes: number) =>
    turnsOf(all, memoryBytes).map((turn) => turn.map(({ bytes }) => bytes));
  assert.deepEqual(sizes(1), [[3], [10], [5], [10], [7]]);
  assert.deepEqual(sizes(19), [[3], [10], [5], [10], [7]]);
  assert.deepEqual(sizes(20), [[3, 10], [5, 10], [7]]);
  assert.deepEqual(sizes(39), [
    [3, 10, 5],
    [10, 7],
  ]);
  assert.deepEqual(sizes(50), [[3, 10, 5, 10, 7]]);
  assert.deepEqual(sizes(1000), [[3, 10, 5, 10, 7]]);
});
