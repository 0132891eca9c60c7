/** Hits and scores of Flat by `exact` are those of float64 sums, rounded once: whatever is multiplied with what, and where scores nearly tie. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadSearcher } from '../harness/plugins/searchers.js';
import { stream } from '../harness/random.js';
import type { RowHits } from '../harness/search/searcher.js';
import type { RowSource } from '../harness/searchers/exact/blocks.js';
import { ExactSearcher } from '../harness/searchers/exact/flat.js';
import { lengthOf, longestOf, sumRadius } from '../harness/searchers/exact/row-codes.js';
import { RowCopies, RowMemory } from '../harness/searchers/exact/row-memory.js';
import { openEngine } from '../harness/tensor/engines.js';
import { listOf, normalRows, type Rows, rankRows } from './made-index.js';
import { BuiltKind } from './searcher-cases.js';
import { queryAt } from './searcher-rows.js';

const engine = await openEngine('onnx', { threads: 2 });
const single = await openEngine('onnx', { threads: 1 });
after(async () => {
  await engine.dispose();
  await single.dispose();
});
const ample = 1 << 30;

const sourceOf = ({ values, dimensions }: Rows): RowSource => ({
  vectors: values.length / dimensions,
  dimensions,
  async readRows(first, count, into) {
    into.set(values.subarray(first * dimensions, (first + count) * dimensions));
  },
});

/** Rows in groups of so many, all as near to each other as float32 numbers are, and in no order. */
function nearRows(groups: readonly number[], dimensions: number): Rows {
  const centres = normalRows(groups.length, dimensions, 'centres');
  const random = stream(7, 'near');
  const places = random.shuffle(groups.flatMap((size, group) => Array<number>(size).fill(group)));
  const values = new Float32Array(places.length * dimensions);
  for (const [row, group] of places.entries())
    for (let d = 0; d < dimensions; d++)
      values[row * dimensions + d] =
        queryAt(centres, group)[d]! * (1 + (random.integer(9) === 0 ? 2 ** -23 : 0));
  return { dimensions, values };
}

function expectedOf(rows: Rows, query: Float32Array, depth: number) {
  return rankRows(rows, query)
    .map(({ row, score }) => ({ row, score: Math.fround(score) }))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, depth)
    .map(({ row }) => row);
}

const collections: Readonly<Record<string, Rows>> = {
  'normal numbers': normalRows(36_000, 100, 'rows'),
  'groups of rows that nearly tie': nearRows(Array<number>(1000).fill(36), 100),
  'equal rows, more than are held, among others': (() => {
    const rows = normalRows(36_000, 31, 'rows');
    for (let row = 0; row < 36_000; row += 3) rows.values.copyWithin(row * 31, 7 * 31, 8 * 31);
    return rows;
  })(),
};

for (const [label, rows] of Object.entries(collections))
  test(`${label}: the same hits and scores for one query and for many, at any number of threads, by any blocks`, async (t) => {
    const { dimensions } = rows;
    const count = rows.values.length / dimensions;
    const queries = normalRows(130, dimensions, 'queries');
    // One that all equal rows are among the best of.
    queries.values.set(queryAt(rows, 7), 5 * dimensions);
    const rowBytes = 4 * dimensions;
    const budgets = [ample, count * rowBytes + 5000 * (rowBytes + 512), 34_000 * (2 * rowBytes + 512)];
    const found: { label: string; hits: RowHits }[] = [];
    for (const on of [engine, single])
      for (const memoryBytes of on === engine ? budgets : [ample]) {
        const searcher = await ExactSearcher.open(sourceOf(rows), on, { memoryBytes });
        found.push({
          label: `${on.threads} threads, ${memoryBytes} bytes`,
          hits: await searcher.search(queries.values, 130, 50),
        });
        for (const q of [0, 5, 127]) {
          const some = await searcher.search(queries.values.subarray(q * dimensions), q === 5 ? 9 : 1, 50);
          const those = found.at(-1)!.hits;
          assert.deepEqual(some.rows.subarray(0, 50), those.rows.subarray(q * 50, (q + 1) * 50), `${q}`);
          assert.deepEqual(some.scores.subarray(0, 50), those.scores.subarray(q * 50, (q + 1) * 50), `${q}`);
        }
        await searcher.dispose();
      }
    const [first, ...others] = found;
    for (const { label, hits } of others) assert.deepEqual(hits, first!.hits, label);
    for (const q of [0, 5, 6, 127, 129])
      assert.deepEqual(
        listOf(first!.hits.rows, 50, first!.hits.counts, q),
        expectedOf(rows, queryAt(queries, q), 50),
        `query ${q}`,
      );
    const { builder } = await loadSearcher('exact');
    const bounds = new BuiltKind('exact', builder!, 'bounds', engine);
    const index = await bounds.index(t, rows, 1);
    const searcher = await bounds.open(index, await bounds.build(index));
    t.after(() => searcher.dispose());
    const { ordinals, scores } = await searcher.search(queries.values, 130, 50);
    assert.deepEqual(Float64Array.from(ordinals), first!.hits.rows);
    assert.deepEqual(scores, first!.hits.scores);
  });

test('scores are summed in one order, in whichever memory the rows lie', async () => {
  for (const dimensions of [1, 2, 3, 4, 5, 6, 7, 8, 31, 768]) {
    const rows = normalRows(20, dimensions, 'rows');
    const query = normalRows(1, dimensions, 'query').values;
    const memory = await RowMemory.read(sourceOf(rows));
    const copies = new RowCopies(dimensions).of(rows.values, query);
    for (const wanted of [Int32Array.of(3, 0, 19, 3, 8), Int32Array.from({ length: 300 }, (_, i) => i % 20)])
      assert.deepEqual(copies(wanted), memory.ask(query)(wanted), `${dimensions}`);
  }
});

test('no float32 sum lies further from the score than the radius, and one that may overflow has none', () => {
  const random = stream(3, 'radius');
  const nearest: number[] = [];
  for (let trial = 0; trial < 1000; trial++) {
    const dimensions = 1 + random.integer(40);
    const vector = () => {
      const length = 10 ** (random.integer(9) - 4);
      return Float32Array.from({ length: dimensions }, () => Math.abs(random.normal()) * length);
    };
    const [row, query] = [vector(), vector()];
    const sum = row.reduce((sum, value, d) => Math.fround(sum + Math.fround(value * query[d]!)), 0);
    const [score] = new RowCopies(dimensions).of(row, query)([0]);
    const radius = sumRadius(query, longestOf(row, dimensions));
    assert.ok(Math.abs(sum - score!) <= radius, `${sum} and ${score}: ${radius}`);
    nearest.push(radius / lengthOf(row) / lengthOf(query) / dimensions);
  }
  // Of the order of a rounding for each product, and some more.
  assert.ok(Math.max(...nearest) < 20 * 2 ** -24 && Math.min(...nearest) > 2 ** -24);
  const long = Float32Array.of(3e38, -3e38);
  assert.equal(sumRadius(Float32Array.of(1, 1), longestOf(long, 2)), Number.POSITIVE_INFINITY);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(
      sumRadius(Float32Array.of(1, 1), longestOf(Float32Array.of(1, 2, value, 0), 2)),
      Number.POSITIVE_INFINITY,
    );
});

test('sums that overflow, and rows that hold no numbers, hide no other row', async () => {
  const values = normalRows(500, 8, 'rows').values;
  // The parts of this sum leave float32, and the whole is 100.
  values.set([3e38, 50, -3e38, 0, 0, 0, 0, 0], 7 * 8);
  values.set([3e38, 3e38, 0, 0, 0, 0, 0, 0], 9 * 8);
  values.fill(Number.NaN, 11 * 8, 12 * 8);
  const searcher = await ExactSearcher.open(sourceOf({ dimensions: 8, values }), engine, {
    memoryBytes: ample,
  });
  const query = new Float32Array(8).fill(2);
  const hits = await searcher.search(query, 1, 500);
  await searcher.dispose();
  assert.equal(hits.counts[0], 499);
  assert.ok(!hits.rows.subarray(0, 499).includes(11));
  assert.deepEqual([...hits.rows.subarray(0, 2)], [9, 7]);
  assert.deepEqual([...hits.scores.subarray(0, 2)], [Number.POSITIVE_INFINITY, 100]);
});
