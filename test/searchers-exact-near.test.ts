/** Rows that float32 sums do not tell apart, as a model gives that has collapsed: their hits and scores are those of sums in float64. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { stream } from '../harness/random.js';
import { ExactSearcher } from '../harness/searchers/exact/flat.js';
import { Differences, middleOf } from '../harness/searchers/exact/near-rows.js';
import { openEngine } from '../harness/tensor/engines.js';
import { queryAt } from './searcher-rows.js';

const engine = await openEngine('onnx', { threads: 2 });
after(() => engine.dispose());

const [count, dimensions] = [34_000, 20];
const random = stream(1, 'near rows');
const normal = (size: number) => Float32Array.from({ length: size }, () => random.normal());

/** Rows around one of them, and how far. */
function around(distance: number): Float32Array {
  const middle = normal(dimensions);
  return normal(count * dimensions).map((value, i) => middle[i % dimensions]! + distance * value);
}

/** Rows with others among them that are far from all, or no numbers. */
function beside(
  values: Float32Array,
  ...others: readonly (readonly [row: number, value: number])[]
): Float32Array {
  for (const [row, value] of others) values[row * dimensions + 3] = value;
  return values;
}

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
const cases: Readonly<Record<string, Float32Array>> = {
  'all the same': around(0),
  'all 0': new Float32Array(count * dimensions),
  'the last bits apart': around(1e-7),
  'a millionth apart': around(1e-6),
  'so near that some are told apart': around(3e-5),
  'far apart, one of no number': beside(around(10), [40, none]),
  'far apart, some of no number, infinite, huge': beside(
    around(10),
    ...([
      [0, none],
      [1, infinity],
      [2, -infinity],
      [3, 3e38],
      [4, -3e38],
      [33_999, none],
    ] as const),
  ),
  'a millionth apart, the first of no number': beside(around(1e-6), [0, none], [9, 1e30]),
  'the best of them last': around(1e-6).sort(),
  'the smallest numbers': around(1e-6).map((value) => value * 1e-38),
};

for (const [label, values] of Object.entries(cases))
  test(`${label}: hits and scores of many queries are those of each alone, bit for bit`, async () => {
    const source = {
      ...{ vectors: count, dimensions },
      async readRows(first: number, rows: number, into: Float32Array) {
        into.set(values.subarray(first * dimensions, (first + rows) * dimensions));
      },
    };
    const searcher = await ExactSearcher.open(source, engine, { memoryBytes: 1 << 28 });
    // In steps, and in smaller batches of which the rest goes through once more together.
    for (const queries of [128, 40]) {
      const asked = { dimensions, values: normal(queries * dimensions) };
      asked.values.fill(0, dimensions, 2 * dimensions);
      for (const depth of [1, 100]) {
        const hits = await searcher.search(asked.values, queries, depth);
        for (const q of [0, 1, queries - 1]) {
          const alone = await searcher.search(queryAt(asked, q), 1, depth);
          const [from, end] = [q * depth, q * depth + hits.counts[q]!];
          assert.equal(hits.counts[q], alone.counts[0], `query ${q} of ${queries}`);
          assert.deepEqual(
            hits.rows.subarray(from, end),
            alone.rows.subarray(0, end - from),
            `query ${q} of ${queries}`,
          );
          // As bytes: 0 is not -0.
          const bytes = (scores: Float32Array) => Buffer.from(scores.slice().buffer).toString('hex');
          assert.equal(
            bytes(hits.scores.subarray(from, end)),
            bytes(alone.scores.subarray(0, end - from)),
            `query ${q} of ${queries}`,
          );
        }
      }
    }
    await searcher.dispose();
  });

test('the middle row is near most, whatever some others are; what is no number differs by infinity', () => {
  const rows = Float32Array.of(none, 1e30, 1, 2, -1e30, 1, 1, infinity, 1, 3);
  assert.deepEqual([...middleOf(rows, 1)], [1]);
  const differences = new Differences(Float32Array.of(1), 5, 100);
  differences.take(rows.subarray(0, 5));
  const [no, huge, same, near] = differences.lengths;
  assert.deepEqual([no, huge, same], [infinity, infinity, 0]);
  assert.ok(near! >= 1 && near! < 1.001);
  assert.deepEqual([...differences.values.subarray(2, 4)], [0, 1]);
});
