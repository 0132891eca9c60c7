/** How the exact search cuts its rows: never over the memory it may take, and never into smaller blocks than that asks for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { planBlocks as plan } from '../harness/searchers/exact/blocks.js';

const planBlocks = (vectors: number, dimensions: number, memoryBytes: number) =>
  plan(vectors, dimensions, { memoryBytes });

const dimensions = 64;
const rowBytes = 4 * dimensions;
/** What the scores of one row take, as the refusal tells. */
const scoreBytes = (() => {
  try {
    planBlocks(10, dimensions, 1);
  } catch (error) {
    assert.ok(error instanceof BenchError && error.code === 'CONFIG_INVALID');
    return Number(/at least (\d+) bytes/.exec(error.hint!)![1]) - 2 * rowBytes;
  }
  return assert.fail('one byte is enough');
})();
/** Of rows on their way in. */
const besideBytes = rowBytes + scoreBytes;

test('all rows stay in memory where they fit beside a block of 4096, or of all where these are fewer', () => {
  for (const [vectors, block] of [
    [100_000, 4096],
    [5000, 4096],
    [50, 50],
  ] as const) {
    const enough = vectors * rowBytes + block * besideBytes;
    assert.deepEqual(planBlocks(vectors, dimensions, enough), { resident: true, blockRows: block });
    assert.equal(planBlocks(vectors, dimensions, enough - 1).resident, false);
  }
  assert.deepEqual(planBlocks(100_000, dimensions, 100_000 * rowBytes + 5000 * besideBytes), {
    resident: true,
    blockRows: 5000,
  });
});

test('where they do not, two blocks of rows and the scores of one are as much as fits', () => {
  const each = 2 * rowBytes + scoreBytes;
  for (const rows of [1, 2, 77]) {
    assert.deepEqual(planBlocks(100_000, dimensions, rows * each), { resident: false, blockRows: rows });
    assert.deepEqual(planBlocks(100_000, dimensions, (rows + 1) * each - 1), {
      resident: false,
      blockRows: rows,
    });
  }
  assert.throws(() => planBlocks(100_000, dimensions, each - 1), { code: 'CONFIG_INVALID' });
});
