/** Scoring given passages: exactly as a search of the whole index scores them, from memory and from the disk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inNewOrder, PassageScorer, rerankHits } from '../harness/search/rerank.js';
import type { PassageHits } from '../harness/search/search.js';
import { makeIndex, normalRows, temporaryFolder, wholeNumberRows } from './made-index.js';

const counts = [2, 1, 0, 3, 1, 2, 1];
const starts = counts.map((_, i) => counts.slice(0, i).reduce((sum, count) => sum + count, 0));

/** Two queries. */
function found(first: readonly number[], second: readonly number[], depth: number): PassageHits {
  const ordinals = new Int32Array(2 * depth).fill(-1);
  ordinals.set(first);
  ordinals.set(second, depth);
  return {
    ...{ depth, ordinals },
    scores: new Float32Array(2 * depth),
    winners: new Int32Array(2 * depth),
    counts: Int32Array.of(first.length, second.length),
  };
}

for (const held of [true, false]) {
  test(`${held ? 'held in memory' : 'read from the disk'}: passages score as their best vector does, the first of equals`, async (t) => {
    const rows = wholeNumberRows(10, 3, 'rerank');
    const index = await makeIndex(await temporaryFolder(t), rows, counts, 3);
    t.after(() => index.close());
    const scorer = await PassageScorer.open(index, held ? 10 * 3 * 4 : 10 * 3 * 4 - 1);
    assert.equal(scorer.resident, held);
    const query = Float32Array.of(1, -2, 1.5);
    const asked = Int32Array.of(5, 0, 3, 2, 6);
    const { scores, winners } = await scorer.score(query, asked);
    for (const [i, ordinal] of asked.entries()) {
      const products = Array.from({ length: counts[ordinal]! }, (_, j) =>
        query.reduce((sum, value, d) => sum + value * rows.values[(starts[ordinal]! + j) * 3 + d]!, 0),
      );
      assert.equal(scores[i], Math.max(...products));
      assert.equal(winners[i], Math.max(0, products.indexOf(Math.max(...products))));
    }
  });
}

test('the first hits get a new order, equal ones that of the collection; the others stay behind as they came', async (t) => {
  // Passage i has the one vector (v, 1).
  const values = [4, 9, 4, 1, 7];
  const index = await makeIndex(await temporaryFolder(t), {
    dimensions: 2,
    values: Float32Array.from(values.flatMap((value) => [value, 1])),
  });
  t.after(() => index.close());
  const scorer = await PassageScorer.open(index, 1 << 20);
  const hits = found([3, 2, 0, 4, 1], [1], 5);
  const vectors = Float32Array.of(1, 0.5, -1, 0);
  const reranked = await rerankHits(hits, vectors, scorer, 3, 4);
  assert.deepEqual(Array.from(reranked.counts), [4, 1]);
  assert.equal(reranked.depth, 4);
  assert.deepEqual(Array.from(reranked.ordinals.subarray(0, 5)), [0, 2, 3, 4, 1]);
  assert.deepEqual(Array.from(reranked.scores.subarray(0, 5)), [4.5, 4.5, 1.5, 0.5, -9]);
  const whole = await rerankHits(hits, vectors, scorer, 100, 100);
  assert.deepEqual(Array.from(whole.ordinals.subarray(0, 5)), [1, 4, 0, 2, 3]);
});

test('more hits than are kept may be scored, and the best of all of them stay', async (t) => {
  const rows = normalRows(40, 6, 'rerank');
  const index = await makeIndex(await temporaryFolder(t), rows, 2, 2);
  t.after(() => index.close());
  const scorer = await PassageScorer.open(index, 0);
  const all = Array.from({ length: 20 }, (_, i) => 19 - i);
  const query = rows.values.subarray(0, 6);
  const { ordinals, scores } = await rerankHits(
    found(all, [], 20),
    Float32Array.of(...query, ...query),
    scorer,
    20,
    5,
  );
  const best = all
    .map((ordinal) => {
      const products = [0, 1].map((j) =>
        query.reduce((sum, value, d) => sum + value * rows.values[(2 * ordinal + j) * 6 + d]!, 0),
      );
      return { ordinal, score: Math.fround(Math.max(...products)) };
    })
    .sort((a, b) => b.score - a.score || a.ordinal - b.ordinal)
    .slice(0, 5);
  assert.deepEqual(
    Array.from(ordinals.subarray(0, 5), (ordinal, i) => ({ ordinal, score: scores[i] })),
    best,
  );
});

test('hits behind have lower scores whatever float32 can tell apart, and a passage without vectors is one of them', async (t) => {
  const values = new Float32Array(10 * 1).fill(3e30);
  const index = await makeIndex(await temporaryFolder(t), { dimensions: 1, values }, counts);
  t.after(() => index.close());
  const scorer = await PassageScorer.open(index, 1 << 20);
  const hits = found([2, 4, 5, 6], [2], 4);
  const { ordinals, scores } = await rerankHits(hits, Float32Array.of(1, 1), scorer, 2, 4);
  assert.deepEqual(Array.from(ordinals.subarray(0, 5)), [4, 2, 5, 6, 2]);
  assert.ok(scores[0]! > scores[1]! && scores[1]! > scores[2]! && scores[2]! > scores[3]!, scores.join(' '));
  assert.equal(scores[4], -1);
});

test('the vector that wins is told of the hits that were scored, and of none behind them', async (t) => {
  // Passage 0 wins with its second vector, 1 with its only one, 2 with its third.
  const values = Float32Array.of(1, 5, 3, 0, 2, 4);
  const index = await makeIndex(await temporaryFolder(t), { dimensions: 1, values }, [2, 1, 3]);
  t.after(() => index.close());
  const scorer = await PassageScorer.open(index, 1 << 20);
  const hits = found([1, 0, 2], [2, 1, 0], 3);
  const { ordinals, winners } = await rerankHits(hits, Float32Array.of(1, 1), scorer, 2, 3);
  assert.deepEqual(Array.from(ordinals), [0, 1, 2, 2, 1, 0]);
  assert.deepEqual(Array.from(winners), [1, 0, 0, 2, 0, 0]);
});

test('what is told of scores keeps their order where rounding would make them one', async () => {
  const logits = Float32Array.of(3, 40, 20, 25, 20);
  const hits = found([4, 3, 2, 1, 0], [], 5);
  const scoreOf = (place: number, ordinals: Int32Array) => ({
    scores: place === 0 ? logits : new Float32Array(),
    winners: new Int32Array(ordinals.length),
  });
  const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));
  const { ordinals, scores, counts } = await inNewOrder(hits, scoreOf, { reranked: 5, depth: 5 }, sigmoid);
  assert.deepEqual(Array.from(counts), [5, 0]);
  // Ordinals 2 and 0 have one logit: one score, and the order of the collection.
  assert.deepEqual(Array.from(ordinals.subarray(0, 5)), [3, 1, 0, 2, 4]);
  const below = (steps: number) => 1 - steps * 2 ** -24;
  assert.deepEqual(Array.from(scores.subarray(0, 5)), [
    1,
    below(1),
    below(2),
    below(2),
    Math.fround(sigmoid(3)),
  ]);
  const plain = await inNewOrder(hits, scoreOf, { reranked: 2, depth: 5 }, sigmoid);
  assert.deepEqual(Array.from(plain.ordinals.subarray(0, 5)), [3, 4, 2, 1, 0]);
  assert.ok(plain.scores[2]! <= plain.scores[1]! - 1);
});

test('a score of 0 and below it has a next one, too', async () => {
  const hits = found([0, 1, 2], [], 3);
  const scores = { scores: Float32Array.of(3, 2, 1), winners: new Int32Array(3) };
  for (const told of [0, -2, -0]) {
    const order = await inNewOrder(
      hits,
      (place) => (place === 0 ? scores : { scores: new Float32Array(), winners: new Int32Array() }),
      { reranked: 3, depth: 3 },
      () => told,
    );
    assert.deepEqual(Array.from(order.ordinals.subarray(0, 3)), [0, 1, 2]);
    const [first, second, third] = order.scores;
    assert.ok(first === told && second! < first && third! < second!, `${told}: ${order.scores}`);
  }
});

test('vectors that no array holds are read from the disk, whatever memory there is', () => {
  assert.equal(PassageScorer.holds({ vectors: 2 ** 25 - 1, dimensions: 128 }, 2 ** 40), true);
  assert.equal(PassageScorer.holds({ vectors: 2 ** 25, dimensions: 128 }, 2 ** 40), false);
});
