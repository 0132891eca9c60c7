/** Several queries at once in an index of bounds: vectors are read once for all of them, and hits are those of each query alone. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadSearcher } from '../harness/plugins/searchers.js';
import { RowMemory } from '../harness/searchers/exact/row-memory.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { listOf, normalRows, type Rows, wholeNumberRows } from './made-index.js';
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
    for (const depth of [1, 100, 2000]) {
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

/** Programs that the engine is asked for. */
function counted() {
  const names: string[] = [];
  const counting: Engine = Object.create(engine, {
    compile: {
      value: (...given: Parameters<Engine['compile']>) => {
        names.push(given[2]!.name!);
        return engine.compile(...given);
      },
    },
  });
  return { names, counting };
}

test('four queries and more go together, in 8192 rows and more, by an engine that multiplies rows where they lie', async (t) => {
  const { names, counting } = counted();
  for (const [label, of, rows, queries, expected] of [
    ['enough', counting, 8192, 4, ['search of 16 queries in 8192 rows']],
    ['few queries', counting, 8192, 3, []],
    ['few rows', counting, 8191, 4, []],
    ['a device', Object.create(counting, { device: { value: 'webgpu' } }), 8192, 4, []],
    ['another engine', Object.create(counting, { name: { value: 'tensorflow' } }), 8192, 4, []],
  ] as const) {
    names.length = 0;
    const kind = new BuiltKind('exact', builder!, 'bounds', of);
    const index = await kind.index(t, normalRows(rows, 16, 'rows'), 1);
    const searcher = await kind.open(index, await kind.build(index));
    await searcher.search(normalRows(queries, 16, 'queries').values, queries, 10);
    await searcher.dispose();
    assert.deepEqual(names, expected, label);
  }
});

test('rows in several memories and blocks are taken each once, in order', async () => {
  const values = normalRows(23, 5, 'rows').values;
  const source = {
    ...{ vectors: 23, dimensions: 5 },
    async readRows(first: number, rows: number, into: Float32Array) {
      into.set(values.subarray(first * 5, (first + rows) * 5));
    },
  };
  const memory = await RowMemory.read(source, 10 * 5);
  for (const [most, sizes] of [
    [4, [4, 4, 2, 4, 4, 2, 3]],
    [10, [10, 10, 3]],
    [100, [10, 10, 3]],
  ] as const) {
    const arrays = memory.arrays(most);
    assert.deepEqual(
      arrays.map((each) => each.values.length / 5),
      sizes,
    );
    let next = 0;
    for (const { firstRow, values: some } of arrays) {
      assert.equal(firstRow, next);
      assert.deepEqual(some, values.subarray(5 * next, 5 * next + some.length));
      next += some.length / 5;
    }
    assert.equal(next, 23);
  }
});
