/** Of many scores that come in any order the best are held: the heap against a sort. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { BestPassages } from '../harness/search/best-passages.js';
import { orderTies, TopRows } from '../harness/search/merge.js';

test('the best are held, the worst of them is known, and what is taken is in order and leaves none', () => {
  const random = stream(7, 'best');
  for (const depth of [0, 1, 2, 3, 4, 7, 8, 20]) {
    const best = new BestPassages(depth);
    for (let round = 0; round < 3; round++) {
      const offered: { score: number; ordinal: number }[] = [];
      for (const ordinal of random.shuffle([...Array(60).keys()])) {
        offered.push({ score: random.integer(9) / 4, ordinal });
        offered.sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
        best.offer(offered.find((each) => each.ordinal === ordinal)!.score, ordinal);
        assert.equal(best.isFull, offered.length >= depth);
        if (depth > 0) assert.equal(best.leastScore, offered[Math.min(depth, offered.length) - 1]!.score);
        if (offered.length === 5 * round + 5) break;
      }
      const [ordinals, scores] = [new Int32Array(25).fill(-1), new Float32Array(25).fill(-1)];
      const count = Math.min(depth, offered.length);
      assert.equal(best.take(ordinals, scores, 2), count);
      const expected = offered.slice(0, count);
      const filled = (values: number[]) => [-1, -1, ...values, ...Array(23 - count).fill(-1)];
      assert.deepEqual([...ordinals], filled(expected.map(({ ordinal }) => ordinal)), `depth ${depth}`);
      assert.deepEqual([...scores], filled(expected.map(({ score }) => score)), `depth ${depth}`);
    }
  }
});

test('what a score must be to enter a list is its last one, once it is full', () => {
  const top = new TopRows(2, 2);
  assert.equal(top.leastScore(1), Number.NEGATIVE_INFINITY);
  top.offer(1, [5], [0], 0, 1, 0);
  assert.equal(top.leastScore(1), Number.NEGATIVE_INFINITY);
  top.offer(1, [7, 6], [1, 2], 0, 2, 0);
  assert.deepEqual([top.leastScore(0), top.leastScore(1)], [Number.NEGATIVE_INFINITY, 6]);
  assert.equal(new TopRows(1, 0).leastScore(0), Number.NEGATIVE_INFINITY);
});

test('rows of one score come into order, those of others and those outside stay', () => {
  const rows = [9, 5, 4, 3, 8, 1, 2, 0];
  orderTies([7, 3, 3, 3, 2, 1, 1, 1], rows, 1, 6);
  assert.deepEqual(rows, [9, 3, 4, 5, 8, 1, 2, 0]);
  const pairs = [4, 3, 2, 1];
  orderTies([1, 1, 1, 1], pairs, 0, 3);
  assert.deepEqual(pairs, [2, 3, 4, 1]);
});
