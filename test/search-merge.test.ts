import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { TopRows } from '../harness/search/merge.js';
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
