/** Many queries at once in many rows: `exact` goes through them in steps, of 1024 rows for each thread. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ExactSearcher } from '../harness/searchers/exact/flat.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { listOf, normalRows, type Rows, rankRows, wholeNumberRows } from './made-index.js';
import { queryAt } from './searcher-rows.js';

const engine = await openEngine('onnx', { threads: 2 });
after(() => engine.dispose());
const ample = 1 << 28;

const sourceOf = ({ values, dimensions }: Rows) => ({
  vectors: values.length / dimensions,
  dimensions,
  async readRows(first: number, rows: number, into: Float32Array) {
    into.set(values.subarray(first * dimensions, (first + rows) * dimensions));
  },
});

/** All scores by one product, and the engine's own top-k. */
async function atOnce(rows: Rows, queries: Rows, depth: number) {
  const sizes = [queries, rows].map(({ values, dimensions }) => values.length / dimensions);
  const program = await engine.compile(
    ([q, r]) => {
      const found = tf.topk(tf.matMul(q as tf.Tensor2D, r as tf.Tensor2D, false, true), depth);
      return [found.values, found.indices];
    },
    sizes.map((size) => ({ shape: [size, rows.dimensions], dtype: 'float32' as const })),
  );
  const [scores, found] = await program.run([queries.values, rows.values]);
  await program.dispose();
  return { scores: scores as Float32Array, rows: Float64Array.from(found as Int32Array) };
}

test('hits and scores are those of all rows at once, bit for bit, whatever is left for the last step', async () => {
  const queries = normalRows(128, 200, 'queries');
  for (const count of [2048, 2049, 4095, 4096, 6001]) {
    const rows = normalRows(count, 200, 'rows');
    const searcher = await ExactSearcher.open(sourceOf(rows), engine, { memoryBytes: ample });
    for (const depth of [1, 100, 1000]) {
      const hits = await searcher.search(queries.values, 128, depth);
      const expected = await atOnce(rows, queries, depth);
      assert.deepEqual(hits.rows, expected.rows, `${count} rows, depth ${depth}`);
      assert.deepEqual(hits.scores, expected.scores, `${count} rows, depth ${depth}`);
    }
    await searcher.dispose();
  }
});

test('ties are in order of their rows, across steps and blocks, kept or read again', async () => {
  const rows = wholeNumberRows(9000, 6, 'rows');
  const queries = wholeNumberRows(150, 6, 'queries');
  const rowBytes = 6 * 4;
  const scoreBytes = 128 * 4;
  // One block; three that stay; two at a time.
  const budgets = [
    ample,
    9000 * rowBytes + 4096 * (rowBytes + scoreBytes),
    2500 * (2 * rowBytes + scoreBytes),
  ];
  for (const [i, memoryBytes] of budgets.entries()) {
    const searcher = await ExactSearcher.open(sourceOf(rows), engine, { memoryBytes });
    assert.equal(searcher.resident, i < 2);
    for (const depth of [1, 50, 700]) {
      const hits = await searcher.search(queries.values, 150, depth);
      for (const q of [0, 1, 64, 127, 128, 149]) {
        const expected = rankRows(rows, queryAt(queries, q)).slice(0, depth);
        const label = `budget ${memoryBytes}, depth ${depth}, query ${q}`;
        assert.deepEqual(
          listOf(hits.rows, hits.depth, hits.counts, q),
          expected.map(({ row }) => row),
          label,
        );
        assert.deepEqual(
          listOf(hits.scores, hits.depth, hits.counts, q),
          expected.map(({ score }) => score),
          label,
        );
      }
    }
    await searcher.dispose();
  }
});

test('rows in the worst order, each better than all before, are found as well', async () => {
  const count = 5000;
  const rows: Rows = { dimensions: 1, values: Float32Array.from({ length: count }, (_, row) => row - 2500) };
  const searcher = await ExactSearcher.open(sourceOf(rows), engine, { memoryBytes: ample });
  const queries = Float32Array.from({ length: 128 }, (_, q) => (q % 3) - 1);
  const hits = await searcher.search(queries, 128, 300);
  await searcher.dispose();
  for (let q = 0; q < 128; q++) {
    const wanted = Array.from({ length: 300 }, (_, i) => (q % 3 === 2 ? count - 1 - i : i));
    assert.deepEqual(listOf(hits.rows, hits.depth, hits.counts, q), wanted, `${q}`);
  }
});

test('scores that overflow to infinity are in order, and what is no number hides no other', async () => {
  const [count, dimensions] = [3000, 130];
  const values = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row++) values[row * dimensions] = (row * 7) % count;
  const large = 3e38;
  // Sums over the first 128 numbers and over the others are added up: infinity and -infinity.
  for (const [row, first, last] of [
    [1000, large, 0],
    [1001, -large, 0],
    [1603, large, -large],
    [2900, 0, large],
  ] as const) {
    values[row * dimensions] = first;
    values[row * dimensions + 129] = last;
  }
  // In the group of what is no number, before and behind it.
  values[1600 * dimensions] = 9001;
  values[1605 * dimensions] = 9000;
  const searcher = await ExactSearcher.open(sourceOf({ dimensions, values }), engine, { memoryBytes: ample });
  const hits = await searcher.search(new Float32Array(128 * dimensions).fill(10), 128, 20);
  await searcher.dispose();
  const others = Array.from({ length: count }, (_, row) => row)
    .filter((row) => ![1000, 1001, 1600, 1603, 1605, 2900].includes(row))
    .sort((a, b) => ((b * 7) % count) - ((a * 7) % count));
  for (const q of [0, 127])
    assert.deepEqual(listOf(hits.rows, hits.depth, hits.counts, q), [
      ...[1000, 2900, 1600, 1605],
      ...others.slice(0, 16),
    ]);
});
