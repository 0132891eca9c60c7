/** One shard searched by a library that gives ties as they come, finds no more than so many rows, and counts what it is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { TopRows } from '../harness/search/merge.js';
import { type ShardIndex, searchShard } from '../harness/searchers/faiss/shard-search.js';
import { listOf, rankRows, wholeNumberRows } from './made-index.js';

/** @param tie of two rows of one score, which comes first */
function library(rows: Parameters<typeof rankRows>[0], tie: (a: number, b: number) => number) {
  const asked: [queries: number, k: number][] = [];
  const { dimensions } = rows;
  const index: ShardIndex = {
    find(queries, k) {
      const count = queries.length / dimensions;
      asked.push([count, k]);
      const found = Array.from({ length: count }, (_, q) =>
        rankRows(rows, queries.subarray(q * dimensions, (q + 1) * dimensions))
          .sort((a, b) => b.score - a.score || tie(a.row, b.row))
          .slice(0, k),
      ).flat();
      return { scores: found.map(({ score }) => score), rows: found.map(({ row }) => row) };
    },
  };
  return { index, asked };
}

const ties: Record<string, (a: number, b: number) => number> = {
  'last row first': (a, b) => b - a,
  'in no order': (a, b) => ((a * 37) % 101) - ((b * 37) % 101),
};
for (const [order, tie] of Object.entries(ties))
  test(`hits are those of brute force, of ties the first rows, where the library gives them ${order}`, () => {
    const random = stream(7, order);
    for (const vectors of [1, 5, 40, 90]) {
      const rows = wholeNumberRows(vectors, 2, `rows ${vectors}`);
      for (const depth of [1, 3, 8, 20, 200])
        for (const most of [undefined, 12, 30]) {
          const { index } = library(rows, tie);
          const whole = library(rows, tie);
          const bounded = most === undefined ? {} : { most, unbounded: () => whole.index };
          const find: ShardIndex['find'] = (queries, k) => {
            assert.ok(k <= Math.min(vectors, most ?? vectors), `${k} rows are asked for`);
            return index.find(queries, k);
          };
          const count = 1 + random.integer(3);
          const queries = wholeNumberRows(count, 2, `${vectors} ${depth} ${most}`);
          const top = new TopRows(count, Math.min(depth, vectors));
          const shard = { vectors, dimensions: 2, firstRow: 1000 };
          searchShard({ ...bounded, find }, shard, queries.values, count, top);
          for (let q = 0; q < count; q++)
            assert.deepEqual(
              listOf(top.rows, top.depth, top.counts, q),
              rankRows(rows, queries.values.subarray(2 * q, 2 * q + 2))
                .slice(0, depth)
                .map(({ row }) => 1000 + row),
              `${vectors} rows, depth ${depth}, at most ${most}, query ${q}`,
            );
        }
    }
  });

test('128 queries are asked at once, eight rows more than are wanted, and twice as many where the last ones tie', () => {
  const distinct = { dimensions: 1, values: Float32Array.from({ length: 50 }, (_, row) => row) };
  const { index, asked } = library(distinct, (a, b) => b - a);
  const queries = new Float32Array(200).fill(1);
  const shard = { vectors: 50, dimensions: 1, firstRow: 0 };
  searchShard(index, shard, queries, 200, new TopRows(200, 5));
  assert.deepEqual(asked, [
    [128, 13],
    [72, 13],
  ]);
  const same = library({ dimensions: 1, values: new Float32Array(50).fill(1) }, (a, b) => b - a);
  searchShard(same.index, shard, queries, 2, new TopRows(2, 5));
  assert.deepEqual(same.asked, [[2, 13], ...[26, 50, 26, 50].map((k) => [1, k])]);
  // Beyond what it finds another is asked, at once where already the list is longer.
  const other = library({ dimensions: 1, values: new Float32Array(50).fill(1) }, (a, b) => b - a);
  const bounded = { ...same.index, most: 20, unbounded: () => other.index };
  same.asked.length = 0;
  searchShard(bounded, shard, queries, 1, new TopRows(1, 5));
  assert.deepEqual(same.asked, [
    [1, 13],
    [1, 20],
  ]);
  assert.deepEqual(other.asked, [
    [1, 26],
    [1, 50],
  ]);
  same.asked.length = 0;
  other.asked.length = 0;
  searchShard(bounded, shard, queries, 1, new TopRows(1, 21));
  assert.deepEqual(same.asked, []);
  assert.deepEqual(other.asked[0], [1, 29]);
});
