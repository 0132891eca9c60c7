import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchedDepth, withoutOwnPassages } from '../harness/pipeline/own-passages.js';

const identifiers = { at: (ordinal: number) => `p${ordinal}` };
/** Two lists of three, of which the second is one hit short. */
const found = {
  depth: 3,
  ordinals: Int32Array.from([4, 1, 7, 2, 9, -1]),
  scores: Float32Array.from([9, 8, 7, 6, 5, 0]),
  winners: Int32Array.from([0, 1, 2, 3, 4, 0]),
  counts: Int32Array.from([3, 2]),
};

test('one hit more is searched for where one may be dropped', () => {
  assert.deepEqual([searchedDepth(100, 'dropped'), searchedDepth(100, 'kept')], [101, 100]);
});

test("a query's own passage goes, with its score and winner, and the list is cut after that", () => {
  const hits = withoutOwnPassages(found, [{ queryId: 'p1' }, { queryId: 'q' }], identifiers, 2);
  assert.deepEqual(
    [hits.depth, [...hits.counts], [...hits.ordinals], [...hits.scores], [...hits.winners]],
    [2, [2, 2], [4, 7, 2, 9], [9, 7, 6, 5], [0, 2, 3, 4]],
  );
});

test('without its own passage a query keeps as many hits as were asked for; a short list stays short', () => {
  const hits = withoutOwnPassages(found, [{ queryId: 'q' }, { queryId: 'p2' }], identifiers, 2);
  assert.deepEqual(
    [[...hits.counts], [...hits.ordinals]],
    [
      [2, 1],
      [4, 1, 9, -1],
    ],
  );
  // An index of fewer passages than were asked for.
  assert.equal(withoutOwnPassages(found, [{ queryId: 'q' }, { queryId: 'q' }], identifiers, 9).depth, 3);
});
