/** How the exact search cuts its rows: never over the memory it may take, and never into smaller blocks than that asks for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { planBlocks as plan } from '../harness/searchers/exact/block-plan.js';

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

test('on a device groups of 64 rows lie there, beside a block that is turned or the scores of one, twice', () => {
  // 256 bytes a row, and twice 512 for its scores in a batch of 128 queries.
  const [groupBytes, groupScores] = [64 * 256, 64 * 1024];
  const on = (memoryBytes: number, deviceMemoryBytes: number, vectors = 64 * 1000) =>
    plan(vectors, dimensions, { memoryBytes, deviceMemoryBytes });
  const ample = 2 ** 40;
  const enough = 1000 * groupBytes + 64 * groupScores;
  assert.deepEqual(on(ample, enough), { resident: true, blockRows: 4096 });
  assert.deepEqual(on(ample, enough + groupScores), { resident: true, blockRows: 4160 });
  const streamed = groupBytes + groupScores;
  assert.deepEqual(on(ample, enough - 1), {
    resident: false,
    blockRows: 64 * Math.floor((enough - 1) / streamed),
  });
  // Read into one array and sent from another.
  assert.deepEqual(on(64 * 2 * groupBytes, ample), { resident: true, blockRows: 4096 });
  assert.deepEqual(on(64 * 2 * groupBytes - 1, ample), { resident: false, blockRows: 64 * 42 });
  // The last group is filled up.
  assert.deepEqual(on(ample, ample, 7), { resident: true, blockRows: 64 });
  assert.deepEqual(on(ample, ample, 65), { resident: true, blockRows: 128 });
  assert.deepEqual(on(ample, ample, 0), { resident: true, blockRows: 64 });
  for (const groups of [1, 2, 50]) {
    // Two blocks on their way, and one that is read; on the device one with its scores.
    const own = groups * 3 * groupBytes;
    assert.deepEqual(on(own, 2 ** 22), { resident: false, blockRows: 64 * groups });
    assert.deepEqual(on(own + 3 * groupBytes - 1, 2 ** 22), { resident: false, blockRows: 64 * groups });
    assert.deepEqual(on(2 ** 22, groups * streamed), { resident: false, blockRows: 64 * groups });
    assert.deepEqual(on(2 ** 22, (groups + 1) * streamed - 1), { resident: false, blockRows: 64 * groups });
  }
  for (const [memoryBytes, deviceMemoryBytes, least, setting] of [
    [49_151, 2 ** 22, 49_152, 'search.memoryMiB'],
    [2 ** 22, 81_919, 81_920, 'search.deviceMemoryMiB'],
  ] as const)
    assert.throws(() => on(memoryBytes, deviceMemoryBytes), {
      code: 'CONFIG_INVALID',
      message: `A memory budget of ${least - 1} bytes does not hold 64 rows of 64 dimensions and their scores.`,
      hint: `Give at least ${least} bytes with ${setting}; a gigabyte is a good start.`,
    });
});

test('no block is larger than gains the processor anything, nor an array than the device takes', () => {
  const of = (vectors: number, own: number, largestArrayBytes?: number) =>
    plan(vectors, own, {
      memoryBytes: 2 ** 40,
      ...(largestArrayBytes !== undefined && { largestArrayBytes, deviceMemoryBytes: 2 ** 40 }),
    });
  assert.equal(of(200_000, dimensions).blockRows, 131_072);
  assert.equal(of(131_071, dimensions).blockRows, 131_071);
  // Of rows and scores the larger: 512 bytes of scores, or 1024 of a row of 256 numbers; 64 rows at a time.
  for (const [own, bytes] of [
    [64, 512],
    [4, 512],
    [256, 1024],
  ] as const) {
    assert.equal(of(200_000, own, 640 * bytes).blockRows, 640);
    assert.equal(of(200_000, own, 704 * bytes - 1).blockRows, 640);
    assert.equal(of(200_000, own, 64 * bytes - 1).blockRows, 64);
  }
});
