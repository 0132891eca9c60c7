/** Fusing lists: reciprocal ranks against exact fractions, on trec_eval's own data; weighted sums by hand. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Fusion, fuseHits } from '../harness/search/fuse.js';
import type { PassageHits } from '../harness/search/search.js';
import { sharedData } from './places.js';

/** One list per query of [ordinal, score], best first. */
function hitsOf(...lists: readonly (readonly (readonly [number, number])[])[]): PassageHits {
  const depth = Math.max(...lists.map(({ length }) => length));
  const hits: PassageHits = {
    depth,
    ordinals: new Int32Array(lists.length * depth).fill(-1),
    scores: new Float32Array(lists.length * depth).fill(99),
    winners: new Int32Array(lists.length * depth),
    counts: Int32Array.from(lists, ({ length }) => length),
  };
  for (const [q, list] of lists.entries())
    for (const [i, [ordinal, score]] of list.entries()) {
      hits.ordinals[q * depth + i] = ordinal;
      hits.scores[q * depth + i] = score;
    }
  return hits;
}

/** The hits of query q, as [ordinal, score] with so many digits. */
function listed({ depth, ordinals, scores, counts }: PassageHits, q = 0, digits = 5): [number, number][] {
  const from = q * depth;
  return Array.from(ordinals.subarray(from, from + counts[q]!), (ordinal, i) => [
    ordinal,
    Number(scores[from + i]!.toFixed(digits)),
  ]);
}

const data = path.join(sharedData, 'trec_eval');
const skip = existsSync(data) ? false : `no ${data}: set STRATA_TEST_DATA`;

test('reciprocal rank fusion of lists from the data of trec_eval is that of exact fractions', {
  skip,
}, () => {
  const columns = (file: string) =>
    readFileSync(path.join(data, file), 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => line.trim().split(/\s+/));
  const results = columns('results.test');
  const judged = columns('qrels.test');
  const queryIds = [...new Set(results.map(([id]) => id!))];
  assert.equal(queryIds.length, 3);
  // Three lists: as trec_eval orders the run, the judged passages by relevance, and the run by name, all best first.
  const byScore = (rows: readonly (readonly [string, number])[]) =>
    [...rows].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? 1 : -1));
  const lists = queryIds.map((queryId) => {
    const found = results
      .filter(([id]) => id === queryId)
      .map(([, , passage, , score]) => [passage!, Number(score)] as const);
    const relevant = judged
      .filter(([id]) => id === queryId)
      .map(([, , passage, relevance]) => [passage!, Number(relevance)] as const);
    return [byScore(found), byScore(relevant).slice(0, 300), byScore(found.map(([id]) => [id, 1]))];
  });
  const names = [...new Set(lists.flat(2).map(([id]) => id))].sort();
  const ordinalOf = new Map(names.map((name, i) => [name, i]));
  for (const [constant, which, depth] of [
    [60n, [0, 1], 100],
    [60n, [0, 1, 2], 1000],
    [0n, [1, 2], 1000],
    [1000n, [2, 0], 10],
  ] as const) {
    const systems = which.map((s) =>
      hitsOf(
        ...lists.map((ofQuery) => ofQuery[s]!.map(([id, score]) => [ordinalOf.get(id)!, score] as const)),
      ),
    );
    const fused = fuseHits(systems, { method: 'rrf', constant: Number(constant) }, depth);
    for (const [q, ofQuery] of lists.entries()) {
      const sums = new Map<string, { over: bigint; under: bigint }>();
      for (const s of which)
        for (const [i, [id]] of ofQuery[s]!.entries()) {
          const { over, under } = sums.get(id) ?? { over: 0n, under: 1n };
          const rank = constant + BigInt(i) + 1n;
          sums.set(id, { over: over * rank + under, under: under * rank });
        }
      const expected = [...sums]
        .map(([id, { over, under }]) => ({
          ordinal: ordinalOf.get(id)!,
          // 18 digits of the fraction, of which a float32 keeps 7.
          score: Math.fround(Number((over * 10n ** 18n) / under) / 1e18),
        }))
        .sort((a, b) => b.score - a.score || a.ordinal - b.ordinal)
        .slice(0, depth);
      const from = q * fused.depth;
      assert.equal(fused.counts[q], expected.length);
      assert.deepEqual(
        Array.from(fused.ordinals.subarray(from, from + expected.length)),
        expected.map(({ ordinal }) => ordinal),
      );
      assert.deepEqual(
        Array.from(fused.scores.subarray(from, from + expected.length)),
        expected.map(({ score }) => score),
      );
    }
  }
});

const rrf: Fusion = { method: 'rrf', constant: 60 };

test('ranks count from 1, a list may be empty, and equal sums stay in the order of the collection', () => {
  const a = hitsOf(
    [
      [7, 3],
      [2, 2],
    ],
    [],
    [],
  );
  const b = hitsOf(
    [
      [2, 0.9],
      [7, 0.8],
      [1, 0.1],
    ],
    [[5, 1]],
    [],
  );
  const fused = fuseHits([a, b], rrf, 10);
  assert.equal(fused.depth, 5);
  assert.deepEqual(listed(fused), [
    [2, Number((1 / 61 + 1 / 62).toFixed(5))],
    [7, Number((1 / 61 + 1 / 62).toFixed(5))],
    [1, Number((1 / 63).toFixed(5))],
  ]);
  assert.deepEqual(listed(fused, 1), [[5, Number((1 / 61).toFixed(5))]]);
  assert.deepEqual(listed(fused, 2), []);
  assert.deepEqual(listed(fuseHits([a, b], rrf, 1)), [[2, Number((1 / 61 + 1 / 62).toFixed(5))]]);
});

test('weighted sums: each normalization by hand, and what a list lacks counts with its lowest', () => {
  const a = hitsOf([
    [0, 10],
    [1, 6],
    [2, 2],
  ]);
  const b = hitsOf([
    [1, -1],
    [3, -3],
  ]);
  const weighted = (normalization: 'none' | 'min-max' | 'z-score') =>
    listed(fuseHits([a, b], { method: 'weighted', weights: [0.25, 2], normalization }, 10));
  assert.deepEqual(weighted('none'), [
    [1, 6 * 0.25 - 2],
    [0, 10 * 0.25 - 6],
    [2, 2 * 0.25 - 6],
    [3, 2 * 0.25 - 6],
  ]);
  assert.deepEqual(weighted('min-max'), [
    [1, 0.5 * 0.25 + 2],
    [0, 0.25],
    [2, 0],
    [3, 0],
  ]);
  // Means 6 and -2; standard deviations 4 and the root of 2.
  const lower = Number((-2 * Math.SQRT1_2).toFixed(5));
  assert.deepEqual(weighted('z-score'), [
    [1, -lower],
    [0, Number((0.25 - 2 * Math.SQRT1_2).toFixed(5))],
    [2, Number((-0.25 - 2 * Math.SQRT1_2).toFixed(5))],
    [3, Number((-0.25 - 2 * Math.SQRT1_2).toFixed(5))],
  ]);
});

test('scores that are all equal: 1 each of min-max, 0 of z-score', () => {
  const one = hitsOf([[4, 7]]);
  const two = hitsOf([
    [4, 5],
    [6, 5],
  ]);
  const fused = (normalization: 'min-max' | 'z-score') =>
    listed(fuseHits([one, two], { method: 'weighted', weights: [1, 1], normalization }, 10));
  assert.deepEqual(fused('min-max'), [
    [4, 2],
    [6, 1],
  ]);
  assert.deepEqual(fused('z-score'), [
    [4, 0],
    [6, 0],
  ]);
});

test('a list that found nothing adds nothing to weighted sums, and nothing to each other list', () => {
  const empty = hitsOf([], [[9, 4]]);
  const two = hitsOf(
    [
      [4, 5],
      [6, 2],
    ],
    [],
  );
  for (const normalization of ['none', 'min-max', 'z-score'] as const) {
    const fused = fuseHits([empty, two], { method: 'weighted', weights: [3, 1], normalization }, 10);
    const spread = Number(Math.SQRT1_2.toFixed(5));
    const scores = { none: [5, 2], 'min-max': [1, 0], 'z-score': [spread, -spread] }[normalization];
    assert.deepEqual(listed(fused), [
      [4, scores[0]],
      [6, scores[1]],
    ]);
    assert.deepEqual(listed(fused, 1), [[9, { none: 12, 'min-max': 3, 'z-score': 0 }[normalization]]]);
  }
  // Nor does one that is asked for no more than it has.
  assert.equal(fuseHits([], rrf, 5).counts.length, 0);
  assert.equal(fuseHits([empty, two], rrf, 2).depth, 2);
  assert.equal(fuseHits([empty, two], rrf, 9).depth, 3);
});

test('one list alone keeps its order', () => {
  const one = hitsOf(
    [
      [3, 9],
      [1, 8],
    ],
    [[2, 1]],
  );
  const fused = fuseHits([one], rrf, 5);
  assert.equal(fused.counts.length, 2);
  assert.deepEqual(
    [0, 1].map((q) => listed(fused, q).map(([ordinal]) => ordinal)),
    [[3, 1], [2]],
  );
});

test('lists of other queries, and a weight too few, are faults', () => {
  const one = hitsOf([[1, 1]]);
  assert.throws(() => fuseHits([one, hitsOf([[1, 1]], [[1, 1]])], rrf, 1), RangeError);
  const weights = { method: 'weighted', weights: [1], normalization: 'none' } as const;
  assert.throws(() => fuseHits([one, one], weights, 1), RangeError);
});
