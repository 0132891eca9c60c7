/** Many queries at once in 32,768 rows or more: `exact` goes through them in steps, of 1024 rows for each thread. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RowHits } from '../harness/search/searcher.js';
import { ExactSearcher } from '../harness/searchers/exact/flat.js';
import { openEngine } from '../harness/tensor/engines.js';
import { countedEngine } from './counted-engine.js';
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

/** By sums in float64 that are rounded once, of the first queries. */
function assertBest(hits: RowHits, rows: Rows, queries: Rows, depth: number, label: string): void {
  for (const q of [0, 1]) {
    const expected = rankRows(rows, queryAt(queries, q))
      .map(({ row, score }) => ({ row, score: Math.fround(score) }))
      .sort((a, b) => b.score - a.score || a.row - b.row)
      .slice(0, depth);
    const found = listOf(hits.rows, hits.depth, hits.counts, q);
    assert.deepEqual(
      found,
      expected.map(({ row }) => row),
      label,
    );
  }
}

test('hits and scores are those of each query alone, bit for bit, whatever is left for the last step', async () => {
  const queries = normalRows(128, 140, 'queries');
  const all = normalRows(36_000, 140, 'rows');
  for (const count of [32_768, 32_769, 34_815, 36_000]) {
    const rows = { ...all, values: all.values.subarray(0, count * 140) };
    const searcher = await ExactSearcher.open(sourceOf(rows), engine, { memoryBytes: ample });
    for (const depth of [10, 1000]) {
      const label = `${count} rows, depth ${depth}`;
      const hits = await searcher.search(queries.values, 128, depth);
      assertBest(hits, rows, queries, depth, label);
      for (const q of [0, 127]) {
        const alone = await searcher.search(queryAt(queries, q), 1, depth);
        assert.deepEqual(hits.rows.subarray(q * depth, (q + 1) * depth), alone.rows, label);
        assert.deepEqual(hits.scores.subarray(q * depth, (q + 1) * depth), alone.scores, label);
      }
    }
    await searcher.dispose();
  }
});

test('ties are in order of their rows, across steps and blocks', async () => {
  const rows = wholeNumberRows(70_000, 6, 'rows');
  const queries = wholeNumberRows(150, 6, 'queries');
  const rowBytes = 6 * 4;
  const scoreBytes = 128 * 4;
  // One block, and three.
  const budgets = [ample, 70_000 * rowBytes + 33_000 * (rowBytes + scoreBytes)];
  for (const memoryBytes of budgets) {
    const searcher = await ExactSearcher.open(sourceOf(rows), engine, { memoryBytes });
    for (const depth of [1, 70]) {
      const hits = await searcher.search(queries.values, 150, depth);
      for (const q of [0, 127, 128]) {
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

test('blocks that are read again by every search give the same', async () => {
  const [count, dimensions] = [79_000, 256];
  const numbers = normalRows(1, 1 << 18, 'numbers').values;
  const source = {
    vectors: count,
    dimensions,
    async readRows(first: number, rows: number, into: Float32Array) {
      for (let i = 0; i < rows; i++) {
        const at = ((first + i) * 97) % (numbers.length - dimensions);
        into.set(numbers.subarray(at, at + dimensions), i * dimensions);
      }
    },
  };
  const queries = normalRows(128, dimensions, 'queries').values;
  const found = [];
  for (const [memoryBytes, resident] of [
    [ample, true],
    [33_000 * (2 * dimensions * 4 + 128 * 4), false],
  ] as const) {
    const searcher = await ExactSearcher.open(source, engine, { memoryBytes });
    assert.equal(searcher.resident, resident);
    const { rows, scores } = await searcher.search(queries, 128, 30);
    found.push({ rows, scores });
    await searcher.dispose();
  }
  assert.deepEqual(found[0], found[1]);
});

test('rows in the worst order, each better than all before, are found as well', async () => {
  const count = 40_000;
  const rows: Rows = {
    dimensions: 1,
    values: Float32Array.from({ length: count }, (_, row) => row - 20_000),
  };
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
  const [count, dimensions] = [33_000, 130];
  const values = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row++) values[row * dimensions] = (row * 7) % 3000;
  const large = 3e38;
  // Sums over the first 128 numbers and over the others are added up: infinity and -infinity.
  for (const [row, first, last] of [
    [0, large, -large],
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
    .filter((row) => ![0, 1000, 1001, 1600, 1603, 1605, 2900].includes(row))
    .sort((a, b) => ((b * 7) % 3000) - ((a * 7) % 3000) || a - b);
  for (const q of [0, 127])
    assert.deepEqual(listOf(hits.rows, hits.depth, hits.counts, q), [
      ...[1000, 2900, 1600, 1605],
      ...others.slice(0, 16),
    ]);
});

test('steps are taken from so many rows and queries on, and to such a depth', async () => {
  const compiled: string[] = [];
  const counting = (threads: number) =>
    ({
      ...{ device: 'cpu', threads },
      async compile(_: unknown, [q]: { shape: number[] }[], { name }: { name: string }) {
        compiled.push(name);
        const size = q!.shape[0]! * 1100;
        return { run: async () => [new Float32Array(size), new Int32Array(size)], dispose: async () => {} };
      },
      variables(sizes: number[]) {
        const variables = sizes.map((length) => ({ size: length, write: () => {}, upload: async () => {} }));
        return { variables, memory: new Float32Array(sizes.reduce((a, b) => a + b)), dispose: () => {} };
      },
    }) as unknown as typeof engine;
  const atOnce = (queries: number, rows: number) => `search of ${queries} queries in ${rows} rows`;
  const inSteps = (rows: number) => `search of 128 queries in steps of ${rows} rows`;
  // All scores are equal: four queries and more then go through once more in steps, and others alone.
  for (const [count, queries, depth, threads, ...expected] of [
    [32_767, 128, 10, 2, atOnce(128, 32_767), atOnce(1, 32_767)],
    [32_767, 96, 10, 2, atOnce(32, 32_767), atOnce(1, 32_767)],
    [32_768, 128, 10, 2, inSteps(2048)],
    [32_768, 97, 10, 2, inSteps(2048)],
    [32_768, 96, 10, 2, atOnce(32, 32_768), inSteps(2048)],
    [32_768, 17, 10, 2, atOnce(32, 32_768), inSteps(2048)],
    [32_768, 4, 10, 2, atOnce(16, 32_768), inSteps(2048)],
    [32_768, 3, 10, 2, atOnce(16, 32_768), atOnce(1, 32_768)],
    [32_768, 128 + 40, 10, 2, inSteps(2048), atOnce(32, 32_768), atOnce(16, 32_768)],
    [32_768, 128, 1000, 2, inSteps(2048)],
    [32_768, 128, 1001, 2, atOnce(128, 32_768), atOnce(1, 32_768)],
    // A step of so many threads has more rows than there are.
    [33_791, 128, 10, 33, atOnce(128, 33_791), atOnce(1, 33_791)],
    [33_792, 128, 10, 33, inSteps(33_792)],
  ] as const) {
    compiled.length = 0;
    const rows = { dimensions: 1, values: new Float32Array(count) };
    const searcher = await ExactSearcher.open(sourceOf(rows), counting(threads), { memoryBytes: ample });
    await searcher.search(new Float32Array(queries), queries, depth);
    await searcher.dispose();
    assert.deepEqual(compiled, expected, `${[count, queries, depth, threads]}`);
  }
});

test('what is disposed of while it searches ends with that search, and leaves no program and no variable', async () => {
  const rows = normalRows(33_000, 2, 'rows');
  const queries = normalRows(129, 2, 'queries');
  const { engine: counted, living } = countedEngine(engine);
  for (const memoryBytes of [ample, 33_000 * 8]) {
    const searcher = await ExactSearcher.open(sourceOf(rows), counted, { memoryBytes });
    const told: number[] = [];
    const searching = searcher.search(queries.values, 129, 5, (done) => told.push(done));
    const second = searcher.search(queries.values, 1, 2);
    await searcher.dispose();
    assert.deepEqual(living, { programs: 0, variables: 0 });
    const hits = await searching;
    assert.deepEqual((await second).rows, hits.rows.subarray(0, 2));
    for (const q of [0, 127, 128]) {
      const expected = rankRows(rows, queryAt(queries, q)).slice(0, 5);
      assert.deepEqual(
        listOf(hits.rows, hits.depth, hits.counts, q),
        expected.map(({ row }) => row),
      );
    }
    assert.equal(told.at(-1), searcher.resident ? undefined : 33_000);
    assert.deepEqual(
      told,
      [...new Set(told)].sort((a, b) => a - b),
    );
  }
});

test('on a device all rows are searched at once: no scores travel', async () => {
  const rows = normalRows(40_000, 4, 'rows');
  const queries = normalRows(128, 4, 'queries');
  const compiled: string[] = [];
  const device: typeof engine = {
    ...engine,
    device: 'cuda',
    compile(build, inputs, options) {
      compiled.push(options?.name ?? '');
      return engine.compile(build, inputs, options);
    },
  };
  const searcher = await ExactSearcher.open(sourceOf(rows), device, { memoryBytes: ample });
  const hits = await searcher.search(queries.values, 128, 10);
  await searcher.dispose();
  assert.ok(compiled.length > 0);
  assert.ok(!compiled.some((name) => name.includes('steps')), compiled.join());
  assertBest(hits, rows, queries, 10, 'on a device');
});
