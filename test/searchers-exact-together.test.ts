/** Several queries at once in an index of bounds: rows are gone through once for all of them, and hits are those of each query alone. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadSearcher } from '../harness/plugins/searchers.js';
import type { BestPassages } from '../harness/search/best-passages.js';
import { CodeBatches } from '../harness/searchers/exact/code-batches.js';
import { readLayout } from '../harness/searchers/exact/code-file.js';
import { CodeScan } from '../harness/searchers/exact/code-scan.js';
import { productRows } from '../harness/searchers/exact/product-rows.js';
import { RowCopies } from '../harness/searchers/exact/row-memory.js';
import { partsOf } from '../harness/searchers/exact/scan-threads.js';
import { openEngine } from '../harness/tensor/engines.js';
import { listOf, normalRows, type Rows, rankRows, wholeNumberRows } from './made-index.js';
import { BuiltKind } from './searcher-cases.js';
import { queryAt, unevenRows, unitRows } from './searcher-rows.js';

const engine = await openEngine('onnx', { threads: 2 });
after(() => engine.dispose());
const { builder } = await loadSearcher('exact');
const suite = new BuiltKind('exact', builder!, 'bounds', engine);
const asked = 20;

const scaled = (rows: Rows, factor: number): Rows => ({
  ...rows,
  values: rows.values.map((value) => value * factor),
});

const collections: Readonly<Record<string, (purpose: string, count: number) => Rows>> = {
  // Two threads' worth; the last step is not full.
  'normal numbers': (purpose, count) => normalRows(purpose === 'rows' ? 3 * count : count, 100, purpose),
  'lengths from a thousandth to a thousand': (purpose, count) => unevenRows(count, 50, purpose),
  'directions of length 1': (purpose, count) => unitRows(count, 64, purpose),
  'whole numbers, with ties': (purpose, count) => wholeNumberRows(count, 17, purpose),
  'numbers near the smallest': (purpose, count) => scaled(normalRows(count, 33, purpose), 1e-40),
  'numbers near the largest': (purpose, count) =>
    scaled(normalRows(count, 20, purpose), purpose === 'rows' ? 5e37 : 1e-3),
  'queries near the largest': (purpose, count) =>
    scaled(normalRows(count, 20, purpose), purpose === 'rows' ? 1e-3 : 5e37),
  'tiny queries of large rows': (purpose, count) =>
    scaled(normalRows(count, 20, purpose), purpose === 'rows' ? 1e16 : 1e-42),
  'one row of a huge number, and rows of zeros': (purpose, count) => {
    const rows = normalRows(count, 20, purpose);
    if (purpose !== 'rows') return rows;
    rows.values[4097 * 20 + 3] = 1e17;
    rows.values.fill(0, 20 * 100, 20 * 140);
    return rows;
  },
};

for (const [label, make] of Object.entries(collections))
  test(`${label}: the hits and scores of each query alone`, async (t) => {
    const rows = make('rows', 9000);
    const queries = make('queries', asked);
    const index = await suite.index(t, rows, 1);
    const searcher = await suite.open(index, await suite.build(index));
    t.after(() => searcher.dispose());
    for (const depth of [1, 100, 1000]) {
      const together = await searcher.search(queries.values, asked, depth);
      for (const q of [0, 1, asked - 1]) {
        const alone = await searcher.search(queryAt(queries, q), 1, depth);
        assert.deepEqual(together.ordinals.subarray(q * depth, (q + 1) * depth), alone.ordinals, `${depth}`);
        assert.deepEqual(together.scores.subarray(q * depth, (q + 1) * depth), alone.scores, `${depth}`);
      }
    }
  });

test('a query of which all rows are possible is searched alone, beside others', async (t) => {
  const index = await suite.index(t, normalRows(20_000, 24, 'rows'), 1);
  const searcher = await suite.open(index, await suite.build(index));
  t.after(() => searcher.dispose());
  const queries = normalRows(8, 24, 'queries');
  queryAt(queries, 3).fill(0);
  const hits = await searcher.search(queries.values, 8, 5);
  assert.deepEqual(listOf(hits.ordinals, hits.depth, hits.counts, 3), [0, 1, 2, 3, 4]);
  const alone = await searcher.search(queryAt(queries, 4), 1, 5);
  assert.deepEqual([...hits.ordinals.subarray(20, 25)], [...alone.ordinals]);
});

test('of 128 queries and of few, the best rows are found, and few others are compared', async (t) => {
  const rows = normalRows(9000, 64, 'rows');
  const index = await suite.index(t, rows, 1);
  const { file } = await suite.build(index);
  const layout = await readLayout(file, { coding: 'int8', dimensions: 64, rows: 9000 });
  const products = await engine.codeProducts!();
  const copies = new RowCopies(64);
  // All rows, and a part of them.
  for (const { firstRow, rows: count } of [...partsOf(layout, 1).flat(), { firstRow: 3000, rows: 2500 }]) {
    const piece = new CodeScan(layout, firstRow, count).forProducts();
    const batches = (await CodeBatches.open([piece], layout.width, products))!;
    for (const size of [1, 17, 128]) {
      const queries = normalRows(size, 64, 'queries');
      let compared = 0;
      const found = await batches.find(
        Array.from({ length: size }, (_, q) => queryAt(queries, q)),
        50,
        (query) => (wanted) => {
          compared += wanted.length;
          return copies.of(rows.values, query)(wanted);
        },
      );
      assert.equal(found.length, size);
      assert.ok(compared >= 50 * size && compared < 300 * size, `${compared} of ${size} queries`);
      for (const q of new Set([0, size - 1])) {
        const best = rankRows(rows, queryAt(queries, q))
          .filter(({ row }) => row >= firstRow && row < firstRow + count)
          .slice(0, 50);
        assert.deepEqual(
          rowsOf(found[q]!, 50),
          best.map(({ row }) => row),
        );
      }
    }
    await batches.dispose();
  }
});

/** Emptied. */
function rowsOf(best: BestPassages, depth: number): number[] {
  const rows = new Int32Array(depth);
  return [...rows.subarray(0, best.take(rows, new Float32Array(depth), 0))];
}

test('a query that is too long is searched alone, and a row that is too long leaves no queries together', async () => {
  const products = await engine.codeProducts!();
  const width = 16;
  const codes = new Int8Array(3 * width).fill(1);
  const piece = (scale: number) =>
    productRows(0, codes, { scales: Float32Array.of(1, scale, 1), errors: new Float32Array(3) });
  assert.equal(await CodeBatches.open([piece(1), piece(1e30)], width, products), undefined);
  const batches = (await CodeBatches.open([piece(1)], width, products))!;
  const query = new Float32Array(width).fill(1);
  const long = query.map(() => 1e30);
  const same = () => (wanted: ArrayLike<number>) => new Float32Array(wanted.length).fill(1);
  const found = await batches.find([long, query, long, query], 2, same);
  assert.deepEqual(
    found.map((each) => each && rowsOf(each, 2)),
    [undefined, [0, 1], undefined, [0, 1]],
  );
  assert.deepEqual(await batches.find([long], 2, same), [undefined]);
  await batches.dispose();
});

test('where memory is short, or lists are deep, queries are searched one by one, with the same hits', async (t) => {
  const rows = normalRows(9000, 16, 'rows');
  const queries = normalRows(8, 16, 'queries');
  const index = await suite.index(t, rows, 1);
  const built = await suite.build(index);
  const [ample, short] = [await suite.open(index, built), await suite.open(index, built, 2_000_000)];
  for (const depth of [10, 2000]) {
    const [hits, expected] = [
      await short.search(queries.values, 8, depth),
      await ample.search(queries.values, 8, depth),
    ];
    assert.deepEqual(hits, expected);
  }
  await ample.dispose();
  await short.dispose();
});
