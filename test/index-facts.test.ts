/** What index.json says of an index: the shards of a span, and descriptions that no index can have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factsOfSpan, type IndexFacts, isIndexFacts } from '../harness/index/index-facts.js';

const shard = (number: number, firstPassage: number, passages: number, vectors: number) => ({
  ...{ number, firstPassage, passages, vectors, dimensions: 4, vectorsPerPassage: 'varies' as const },
});
const facts: IndexFacts = {
  ...{ passages: 6, vectors: 9, dimensions: 4, vectorsPerPassage: 'varies' },
  shards: [shard(0, 0, 3, 5), shard(1, 3, 2, 0), shard(2, 5, 1, 4)],
};

test('the shards of a span are an index by themselves, and there is none outside or without any', () => {
  assert.deepEqual(factsOfSpan(facts, { first: 0, end: 3 }), facts);
  assert.deepEqual(factsOfSpan(facts, { first: 1, end: 3 }), {
    ...facts,
    ...{ passages: 3, vectors: 4 },
    shards: [shard(1, 0, 2, 0), shard(2, 2, 1, 4)],
  });
  assert.deepEqual(factsOfSpan(facts, { first: 1, end: 2 }).shards, [shard(1, 0, 2, 0)]);
  for (const [first, end] of [
    [-1, 1],
    [-2, -1],
    [-1, 0],
    [0, 0],
    [1, 1],
    [2, 1],
    [0, 4],
    [2, 4],
    [3, 3],
    [3, 4],
  ] as const)
    assert.throws(() => factsOfSpan(facts, { first, end }), RangeError, `${first} to ${end}`);
});

test('an index says counts, and of itself what its shards say', () => {
  const [first, second, third] = facts.shards as [object, object, object];
  assert.equal(isIndexFacts(facts), true);
  assert.equal(isIndexFacts({ ...facts, ...{ passages: 3, vectors: 5 }, shards: [first] }), true);
  const fixed = { passages: 2, vectors: 4, dimensions: 4, vectorsPerPassage: 2 };
  assert.equal(isIndexFacts({ ...fixed, shards: [{ ...fixed, number: 0, firstPassage: 0 }] }), true);
  for (const nothing of [undefined, null, {}, [], 5]) assert.equal(isIndexFacts(nothing), false);
  for (const wrong of [-1, 1.5, 2 ** 53, Number.NaN, '6', null, undefined]) {
    for (const name of ['passages', 'vectors', 'dimensions', 'vectorsPerPassage'])
      assert.equal(isIndexFacts({ ...facts, [name]: wrong }), false, `${name} ${wrong}`);
    for (const name of ['number', 'firstPassage', 'passages', 'vectors', 'dimensions', 'vectorsPerPassage'])
      for (const [i] of facts.shards.entries())
        assert.equal(
          isIndexFacts({ ...facts, shards: facts.shards.with(i, { ...facts.shards[i]!, [name]: wrong }) }),
          false,
          `${name} ${wrong} of shard ${i}`,
        );
  }
  for (const shards of [
    ...[undefined, {}, [], [first], [first, second], [second, third], [second, first, third]],
    ...[
      [first, null, third],
      [first, second, third, third],
      [first, second, { ...third, dimensions: 5 }],
    ],
    [first, second, { ...third, vectorsPerPassage: 4 }],
    [first, { ...second, firstPassage: 4 }, third],
  ])
    assert.equal(isIndexFacts({ ...facts, shards }), false, JSON.stringify(shards));
  // As many in all, but of no index: nothing takes part in its counts.
  assert.equal(isIndexFacts({ ...facts, passages: 7 }), false);
  assert.equal(isIndexFacts({ ...facts, vectors: 8 }), false);
});
