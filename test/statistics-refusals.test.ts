import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareSystems, type SystemValues } from '../harness/statistics/compare.js';
import { queryCount, queryIds, system } from './fixtures/statistics/made-up-systems.js';

const baseline = system('dual-encoder', 0);
const candidate = system('mlr-sc', 0.15);

test('different queries are refused, never intersected, and the message names them', () => {
  const fewer: SystemValues = {
    name: 'mlr-sc',
    queryIds: [...queryIds.slice(5), 'x1'],
    measures: { 'mrr@10': [{ seed: 1, values: new Float64Array(queryCount - 4) }] },
  };
  assert.throws(() => compareSystems(baseline, fewer, { measures: ['mrr@10'] }), {
    name: 'BenchError',
    code: 'RECORD_INVALID',
    message:
      'dual-encoder (300 queries) and mlr-sc (296) do not hold the same queries: 5 only in dual-encoder (q1, q2, q3 and 2 more); 1 only in mlr-sc (x1).',
  });
  const without = (one: SystemValues): SystemValues => ({ ...one, queryIds: one.queryIds.with(0, 'x1') });
  assert.throws(() => compareSystems(without(baseline), candidate), {
    message: /same queries: 1 only in dual-encoder \(x1\); 1 only in mlr-sc \(q1\)\./,
  });
  const twice = { ...candidate, queryIds: queryIds.with(1, 'q1') };
  assert.throws(() => compareSystems(baseline, twice), { code: 'RECORD_INVALID', message: /twice: q1\./ });
  assert.throws(() => compareSystems({ ...baseline, queryIds: [] }, candidate), {
    message: /holds no queries/,
  });
});

test('another dataset version or split is refused with both values', () => {
  const dataset = { name: 'squad', version: '1.1-1', split: 'test' };
  compareSystems({ ...baseline, dataset }, { ...candidate, dataset: { ...dataset } });
  assert.throws(
    () =>
      compareSystems(
        { ...baseline, dataset },
        { ...candidate, dataset: { ...dataset, version: '1.1-2', split: 'dev' } },
      ),
    {
      code: 'RECORD_INVALID',
      message: /dataset version '1.1-1' and '1.1-2'; dataset split 'test' and 'dev'/,
    },
  );
});

test('seeds that differ are refused unless the common ones are asked for', () => {
  const other = system('mlr-sc', 0.15, [2, 3, 4]);
  assert.throws(
    () => compareSystems(baseline, other),
    (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'RECORD_INVALID');
      assert.match(error.message, /dual-encoder has 1, 2, 3; mlr-sc has 2, 3, 4/);
      assert.match(error.hint, /both have \(2, 3\): bench compare, power and report take --common-seeds/);
      return true;
    },
  );
  const { measures } = compareSystems(baseline, other, { commonSeeds: true });
  assert.deepEqual(
    [measures[0]!.seeds, measures[0]!.overSeeds.n, measures[0]!.overQueries.seed],
    [[2, 3], 2, null],
  );
  const strangers = system('mlr-sc', 0.15, [7]);
  assert.throws(() => compareSystems(baseline, strangers, { commonSeeds: true }), {
    message: /seeds differ/,
  });
});

test('damaged values and measures that one system lacks are refused by name', () => {
  const broken = (values: number[]): SystemValues => ({
    ...candidate,
    measures: { 'mrr@10': [{ seed: 1, values }] },
  });
  const options = { measures: ['mrr@10'], commonSeeds: true };
  assert.throws(
    () => compareSystems(baseline, broken(queryIds.map((_, i) => (i === 4 ? Number.NaN : 0))), options),
    {
      code: 'RECORD_INVALID',
      message: /NaN as mrr@10 of query q5 \(seed 1\)/,
    },
  );
  assert.throws(() => compareSystems(baseline, broken([1, 2]), options), {
    message: /2 values .* for 300 queries/,
  });
  assert.throws(() => compareSystems(baseline, broken([])), { message: /mlr-sc lacks answer@20/ });
  assert.throws(() => compareSystems(baseline, candidate, { measures: ['ndcg@10'] }), {
    message: /lacks ndcg@10/,
  });
  const twice = {
    'mrr@10': [
      { seed: 1, values: queryIds.map(() => 0) },
      { seed: 1, values: queryIds.map(() => 0) },
    ],
  };
  assert.throws(() => compareSystems(baseline, { ...candidate, measures: twice }, options), {
    message: /twice for seed 1/,
  });
});
