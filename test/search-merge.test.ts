import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { TopRows } from '../harness/search/merge.js';
import type { PassageHits } from '../harness/search/passage-hits.js';
import { mergePassages, type PartHits } from '../harness/search/passages.js';
import { listOf } from './made-index.js';

const lists = (top: TopRows, q: number) => ({
  rows: listOf(top.rows, top.depth, top.counts, q),
  scores: listOf(top.scores, top.depth, top.counts, q),
});

test('the best hits stay, by score and then by row', () => {
  const top = new TopRows(2, 3);
  top.offer(1, [5, 4, 4], [2, 0, 1], 0, 3, 10);
  assert.deepEqual(lists(top, 1), { rows: [12, 10, 11], scores: [5, 4, 4] });
  // Equal scores from lower rows come first, wherever they arrive.
  top.offer(1, [9, 9, 4, 4], [0, 0, 3, 4], 2, 2, 0);
  assert.deepEqual(lists(top, 1), { rows: [12, 3, 4], scores: [5, 4, 4] });
  top.offer(1, [4, 3], [7, 8], 0, 2, 0);
  assert.deepEqual(lists(top, 1), { rows: [12, 3, 4], scores: [5, 4, 4] });
  assert.deepEqual(lists(top, 0), { rows: [], scores: [] });
});

test('lists shorter than the depth are kept as they are', () => {
  const top = new TopRows(1, 5);
  top.offer(0, [-1], [0], 0, 1, 4);
  top.offer(0, [], [], 0, 0, 4);
  top.offer(0, [2], [0], 0, 1, 2);
  assert.deepEqual(lists(top, 0), { rows: [2, 4], scores: [2, -1] });
});

test('what stands before and behind the list that is offered is none of it', () => {
  const top = new TopRows(1, 3);
  top.offer(0, [5], [0], 0, 1, 0);
  top.offer(0, [9, 4, 9, 9], [8, 1, 7, 6], 1, 1, 0);
  assert.deepEqual(lists(top, 0), { rows: [0, 1], scores: [5, 4] });
  top.offer(0, [9, 3, 9], [8, 2, 7], 1, 1, 0);
  top.offer(0, [9, 4, 9], [8, 3, 7], 1, 1, 0);
  assert.deepEqual(lists(top, 0), { rows: [0, 1, 3], scores: [5, 4, 4] });
});

test('the result depends on what was offered, not on how it was cut or in which order', () => {
  const random = stream(7, 'merge');
  const scores = Array.from({ length: 200 }, () => random.integer(20) / 4);
  const ordered = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => from + i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const expected = ordered(0, 200).slice(0, 30);
  for (let trial = 0; trial < 50; trial++) {
    const cuts = [0, 200, ...Array.from({ length: trial % 9 }, () => random.integer(201))];
    cuts.sort((a, b) => a - b);
    const parts = cuts.slice(1).map((to, i) => ordered(cuts[i]!, to));
    const top = new TopRows(1, 30);
    for (const part of random.shuffle(parts)) {
      const values = part.map((row) => scores[row]!);
      top.offer(0, values, part, 0, part.length, 0);
    }
    assert.deepEqual(lists(top, 0).rows, expected);
  }
});

/** The best of some passages by brute force. @param scores of all @param winners of all */
function bestOf(
  scores: readonly (readonly number[])[],
  winners: readonly number[],
  [from, to]: readonly [number, number],
  depth: number,
): PassageHits {
  const hits: PassageHits = {
    depth,
    ordinals: new Int32Array(scores.length * depth),
    scores: new Float32Array(scores.length * depth),
    winners: new Int32Array(scores.length * depth),
    counts: new Int32Array(scores.length),
  };
  for (const [q, own] of scores.entries()) {
    // A passage without vectors is no hit.
    const order = Array.from({ length: to - from }, (_, i) => from + i)
      .filter((passage) => own[passage] !== Number.NEGATIVE_INFINITY)
      .sort((a, b) => own[b]! - own[a]! || a - b)
      .slice(0, depth);
    hits.counts[q] = order.length;
    for (const [i, passage] of order.entries()) {
      hits.ordinals[q * depth + i] = passage - from;
      hits.scores[q * depth + i] = own[passage]!;
      hits.winners[q * depth + i] = winners[passage]!;
    }
  }
  return hits;
}

test('passages of parts are merged as if they had been searched together, however they are cut', () => {
  const random = stream(7, 'merged passages');
  const passages = 120;
  for (let trial = 0; trial < 60; trial++) {
    const scores = Array.from({ length: 3 }, () =>
      Array.from({ length: passages }, () =>
        random.integer(8) === 0 ? Number.NEGATIVE_INFINITY : (random.integer(5) - 2) / 4,
      ),
    );
    const winners = Array.from({ length: passages }, () => random.integer(300));
    // Some cuts twice: a part of no passages.
    const cuts = [0, passages, ...Array.from({ length: trial % 7 }, () => random.integer(passages + 1))];
    cuts.sort((a, b) => a - b);
    const depth = 1 + random.integer(passages);
    const parts = cuts.slice(1).map((to, i): PartHits => {
      const range = [cuts[i]!, to] as const;
      const kept = Math.min(depth, to - cuts[i]!);
      return { hits: bestOf(scores, winners, range, kept), firstPassage: cuts[i]! };
    });
    const expected = bestOf(scores, winners, [0, passages], depth);
    assert.deepEqual(mergePassages(random.shuffle(parts), depth), expected);
  }
});

test('places at the end of the largest collection are kept, and a vector that none has is refused', () => {
  const hits = (ordinal: number, winner: number): PassageHits => ({
    depth: 1,
    ordinals: Int32Array.of(ordinal),
    scores: Float32Array.of(0.5),
    winners: Int32Array.of(winner),
    counts: Int32Array.of(1),
  });
  const last = 2 ** 31 - 1;
  const { ordinals, winners } = mergePassages(
    [
      { hits: hits(last - 1000, 2 ** 21 - 1), firstPassage: 1000 },
      { hits: hits(998, 7), firstPassage: last - 999 },
    ],
    2,
  );
  assert.deepEqual([...ordinals, ...winners], [last - 1, last, 7, 2 ** 21 - 1]);
  assert.throws(() => mergePassages([{ hits: hits(0, 2 ** 21), firstPassage: 0 }], 1), /vector 2097152/);
});
