import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadSearcher } from '../harness/plugins/searchers.js';
import { kernelMemory, kernelOf } from '../harness/program/web-assembly.js';
import { stream } from '../harness/random.js';
import { codeQuery, codeRow } from '../harness/searchers/exact/row-codes.js';
import { partsOf } from '../harness/searchers/exact/scan-threads.js';
import { openEngine } from '../harness/tensor/engines.js';
import { listOf, normalRows, type Rows, rankRows, wholeNumberRows } from './made-index.js';
import { BuiltKind } from './searcher-cases.js';
import { queryAt, unevenRows, unitRows } from './searcher-rows.js';

const engine = await openEngine('onnx', { threads: 2 });
after(() => engine.dispose());
const { builder } = await loadSearcher('exact');
const kindOf = (kind: string) => new BuiltKind('exact', builder!, kind, engine);

const negated = ({ dimensions, values }: Rows): Rows => ({
  dimensions,
  values: values.map((v) => -Math.abs(v)),
});

const collections: Readonly<Record<string, (purpose: string, count: number) => Rows>> = {
  'normal numbers': (purpose, count) => normalRows(count, 50, purpose),
  'lengths from a thousandth to a thousand': (purpose, count) => unevenRows(count, 50, purpose),
  'directions of length 1': (purpose, count) => unitRows(count, 64, purpose),
  'whole numbers, with ties': (purpose, count) => wholeNumberRows(count, 17, purpose),
  'numbers near the smallest': (purpose, count) => {
    const rows = normalRows(count, 33, purpose);
    return { ...rows, values: rows.values.map((v) => v * 1e-40) };
  },
  'scores below 0 alone': (purpose, count) =>
    purpose === 'rows'
      ? negated(normalRows(count, 40, purpose))
      : negatedTwice(normalRows(count, 40, purpose)),
};
const negatedTwice = (rows: Rows): Rows => ({ ...rows, values: rows.values.map(Math.abs) });

for (const [label, make] of Object.entries(collections)) {
  test(`bounds, ${label}: the rows of brute force, whatever the depth`, async (t) => {
    const rows = make('rows', 3000);
    const queries = make('queries', 12);
    const kind = kindOf('bounds');
    const index = await kind.index(t, rows, 1);
    const searcher = await kind.open(index, await kind.build(index));
    t.after(() => searcher.dispose());
    for (const depth of [1, 10, 100, 5000]) {
      const hits = await searcher.search(queries.values, 12, depth);
      for (let q = 0; q < 12; q++) {
        const expected = rankRows(rows, queryAt(queries, q))
          .map(({ row, score }) => ({ row, score: Math.fround(score) }))
          .sort((a, b) => b.score - a.score || a.row - b.row)
          .slice(0, depth);
        const found = listOf(hits.ordinals, hits.depth, hits.counts, q);
        assert.deepEqual(
          found,
          expected.map(({ row }) => row),
          `depth ${depth}, query ${q}`,
        );
      }
    }
  });
}

test('bounds: a query of zeros finds the first rows, all of score 0', async (t) => {
  const kind = kindOf('bounds');
  const index = await kind.index(t, normalRows(500, 20, 'rows'), 1);
  const searcher = await kind.open(index, await kind.build(index));
  t.after(() => searcher.dispose());
  const hits = await searcher.search(new Float32Array(20), 1, 5);
  assert.deepEqual([...hits.ordinals], [0, 1, 2, 3, 4]);
  assert.deepEqual([...hits.scores], [0, 0, 0, 0, 0]);
});

test('no float32 sum of products, in whatever order, lies further from that of the codes than the bound', () => {
  const random = stream(3, 'bounds');
  const [codes, dimensions] = [new Int8Array(64), 61];
  let nearest = Number.POSITIVE_INFINITY;
  for (let trial = 0; trial < 3000; trial++) {
    const vector = (spike: number) => {
      const length = 10 ** (random.integer(9) - 4);
      const values = Float32Array.from({ length: dimensions }, () => random.normal() * length);
      values[random.integer(dimensions)]! *= spike;
      return values;
    };
    const [row, query] = [vector(trial % 3 === 0 ? 300 : 1), vector(trial % 5 === 0 ? 300 : 1)];
    codes.fill(0);
    const { scale, error } = codeRow(row, codes);
    const order = random.shuffle(Array.from(row, (_, d) => d));
    const sums = [order, [...order].sort((a, b) => a - b)].map((places) =>
      places.reduce((sum, d) => Math.fround(sum + Math.fround(row[d]! * query[d]!)), 0),
    );
    const asked = codeQuery(query, 64);
    const radius = asked.errorShare * error + asked.scaleShare * scale + asked.least;
    const product = codes.reduce((sum, code, d) => sum + code * asked.codes[d]!, 0);
    assert.ok(Math.abs(product) < 2 ** 31);
    for (const sum of sums) {
      const off = Math.abs(sum - scale * asked.factor * product);
      assert.ok(off <= radius, `${off} where ${radius} is the bound`);
      nearest = Math.min(nearest, radius / off);
    }
  }
  // A bound that is never come near would rule nothing out.
  assert.ok(nearest < 4, `${nearest}`);
});

test('queries of the largest codes make no sum that leaves int32', () => {
  for (const dimensions of [1, 16, 767, 768, 4096, 70_000]) {
    const { codes } = codeQuery(new Float32Array(dimensions).fill(-3), Math.ceil(dimensions / 16) * 16);
    const sum = codes.reduce((total, code) => total + 127 * Math.abs(code), 0);
    assert.ok(sum < 2 ** 31 && sum > 2 ** 21, `${dimensions}: ${sum}`);
  }
});

test('int8 rows, however many, each have the sum that whole numbers say', () => {
  const random = stream(5, 'kernel');
  for (const width of [16, 48])
    for (const rows of [1, 2, 3, 4, 5, 6, 7, 8, 9, 23]) {
      const [queryAt, out] = [rows * width, rows * width + 2 * width];
      const memory = kernelMemory(out + 4 * (rows + 1));
      const scan = new URL('../harness/searchers/exact/scan.wasm', import.meta.url);
      const kernel = kernelOf(scan, memory).int8 as (...places: number[]) => void;
      const codes = new Int8Array(memory.buffer, 0, rows * width).map(() => random.integer(255) - 127);
      const query = new Int16Array(memory.buffer, queryAt, width).map(() => random.integer(20_001) - 10_000);
      new Int8Array(memory.buffer).set(codes);
      new Int16Array(memory.buffer, queryAt).set(query);
      kernel(0, rows, width, queryAt, out);
      const expected = Array.from({ length: rows }, (_, row) =>
        query.reduce((sum, value, d) => sum + value * codes[row * width + d]!, 0),
      );
      // And nothing behind them.
      assert.deepEqual(
        [...new Int32Array(memory.buffer, out, rows + 1)],
        [...expected, 0],
        `${rows} x ${width}`,
      );
    }
});

test('bounds: rows in the worst order, each better than all before, are found as well', async (t) => {
  const kind = kindOf('bounds');
  const values = Float32Array.from({ length: 3000 * 2 }, (_, i) => (i % 2 === 0 ? i - 3000 : 1));
  const index = await kind.index(t, { dimensions: 2, values }, 1);
  const searcher = await kind.open(index, await kind.build(index));
  t.after(() => searcher.dispose());
  const hits = await searcher.search(Float32Array.of(1, 0.5, -1, 0.5), 2, 200);
  const wanted = (first: number, step: number) => Array.from({ length: 200 }, (_, i) => first + step * i);
  assert.deepEqual(listOf(hits.ordinals, hits.depth, hits.counts, 0), wanted(2999, -1));
  assert.deepEqual(listOf(hits.ordinals, hits.depth, hits.counts, 1), wanted(0, 1));
});

test('codes are cut into parts for threads once each, and few codes are not cut', () => {
  for (const [rows, width, threads] of [
    [10, 16, 8],
    [100_000, 768, 3],
    [3_000_000, 1024, 2],
  ] as const) {
    const parts = partsOf({ rows, width }, threads);
    const all = parts.flat().sort((a, b) => a.firstRow - b.firstRow);
    let next = 0;
    for (const part of all) {
      assert.equal(part.firstRow, next);
      assert.ok(part.rows > 0 && part.rows * (width + 4) <= 2 ** 30);
      next += part.rows;
    }
    assert.equal(next, rows);
    assert.equal(parts.length, rows === 10 ? 1 : threads);
  }
  // A thread for each mebibyte.
  for (const [rows, threads] of [
    [2 ** 16, 1],
    [2 ** 17 - 1, 1],
    [2 ** 17, 2],
    [3 * 2 ** 16 - 1, 2],
    [3 * 2 ** 16, 3],
    [2 ** 20, 8],
  ] as const)
    assert.equal(partsOf({ rows, width: 16 }, 8).length, threads, `${rows}`);
});
