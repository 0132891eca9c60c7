/** Which systems have places among each other, and of which measures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ranksOf } from '../harness/comparison/ranks.js';
import type { StoredRecord } from '../harness/record.js';
import { given, ones } from './given-records.js';

const system = (arch: string, right: number, queries = 20) => {
  const runs: StoredRecord[] = [
    given({ arch, measures: { 'answer@20': ones(right, queries), 'mrr@10': ones(20 - right, queries) } }),
  ];
  return { name: arch, runs };
};

test('of one measure as of two, the places that the tests leave open; of none, or of one system, nothing', () => {
  const systems = [system('mlr', 20), system('bm25', 0), system('me-bert', 19)];
  const places = (...measures: string[]) =>
    ranksOf(systems, measures, [])?.measures.map(({ measure, systems: ranked }) => [
      measure,
      ...ranked.map((each) => [each.system, each.places.best, each.places.worst, each.tied]),
    ]);
  const answers = ['answer@20', ['mlr', 1, 2, ['me-bert']], ['bm25', 3, 3, []], ['me-bert', 1, 2, ['mlr']]];
  assert.deepEqual(places('answer@20'), [answers]);
  assert.deepEqual(places('answer@20', 'mrr@10'), [
    answers,
    ['mrr@10', ['mlr', 2, 3, ['me-bert']], ['bm25', 1, 1, []], ['me-bert', 2, 3, ['mlr']]],
  ]);
  assert.equal(ranksOf(systems, ['answer@20'], [])!.familySize, 3);
  assert.equal(ranksOf(systems, ['answer@20', 'mrr@10'], [])!.familySize, 6);
  assert.equal(places(), undefined);
  assert.equal(ranksOf(systems.slice(0, 1), ['answer@20'], []), undefined);
});

test('a system of other queries has no place, and the report says so', () => {
  const notes: string[] = [];
  const [first, other, last] = [system('mlr', 9), system('bm25', 5, 21), system('me-bert', 2)];
  const ranks = ranksOf([first, other, last], ['answer@20'], notes)!;
  assert.deepEqual(
    ranks.measures[0]!.systems.map((each) => each.system),
    ['mlr', 'me-bert'],
  );
  assert.deepEqual(notes, ['bm25 has other queries than mlr and no place among the others.']);
  assert.equal(ranksOf([first, other], ['answer@20'], []), undefined);
});
