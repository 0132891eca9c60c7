/** Which systems have places among each other, and of which measures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ranksOf } from '../harness/comparison/ranks.js';
import { prepareReport } from '../harness/comparison.js';
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

test('the mean over datasets stands behind them, whatever order the records come in', async () => {
  const of = (name: string, members?: string[]): StoredRecord => {
    const { file, record } = system('mlr', 5).runs[0]!;
    const dataset = { ...record.dataset, name, ...(members && { members }) };
    return { file: `${name}-${file}`, record: { ...record, dataset } };
  };
  const records = [of('all', ['b', 'a']), of('b'), of('a')];
  for (const given of [records, records.toReversed(), [records[1]!, records[0]!, records[2]!]]) {
    const { sections } = await prepareReport(given, {}, '1');
    const names = sections.map(({ dataset }) => dataset.name);
    assert.deepEqual(
      names,
      given
        .map(({ record }) => record.dataset.name)
        .filter((name) => name !== 'all')
        .concat('all'),
    );
  }
});

test('values are those of all measures, or of those that are asked for', async () => {
  const { runs } = system('mlr', 5);
  const values = async (request: object) => (await prepareReport(runs, request, '1')).sections[0]!.values;
  assert.equal(await values({}), undefined);
  const ids = async (request: object) =>
    (await values({ values: true, ...request }))!.map(({ measures }) => Object.keys(measures));
  assert.deepEqual(await ids({}), [['answer@20', 'mrr@10']]);
  assert.deepEqual(await ids({ measures: ['mrr@10'] }), [['mrr@10']]);
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
