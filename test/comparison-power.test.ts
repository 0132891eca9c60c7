/** What the queries of some records can show, by how the systems of these records differ. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { powerOfQueries, powerOfRecords } from '../harness/comparison/power.js';
import { powerOf, queriesNeeded, smallestDifference } from '../harness/statistics/power.js';
import { given } from './given-records.js';

const target = { power: 0.8, alpha: 0.05 };
const spread = { test: 'McNemar exact', discordant: 0.2 } as const;

test('of what is asked each has its figure, and what is not asked is absent', () => {
  const smallest = smallestDifference(spread, 300, target)!;
  const needed = queriesNeeded(spread, 0.05, target)!;
  const wanted = { difference: 0.05, queriesNeeded: needed };
  assert.deepEqual(powerOfQueries(spread, 300, target), { spread, queries: 300, smallest });
  assert.deepEqual(powerOfQueries(spread, undefined, target), { spread });
  assert.deepEqual(powerOfQueries(spread, undefined, { ...target, difference: 0.05 }), { spread, wanted });
  assert.deepEqual(powerOfQueries(spread, 300, { ...target, difference: 0.05 }), {
    ...{ spread, queries: 300, smallest },
    wanted: { ...wanted, power: powerOf(spread, 300, 0.05, 0.05) },
  });
  // Five queries show nothing, and no number of them so small a difference.
  const few = powerOfQueries(spread, 5, { ...target, difference: 1e-9 });
  assert.deepEqual(
    [Object.keys(few), Object.keys(few.wanted!)],
    [
      ['spread', 'queries', 'wanted'],
      ['difference', 'power'],
    ],
  );
});

const ones = (...values: number[]) => ({
  measures: { 'answer@20': values, mrr: values.map((each) => each / 2) },
});

test('binary values of one seed go by the share of queries that change, all others by the deviation', () => {
  const records = [
    given({ arch: 'dual-encoder', ...ones(1, 0, 1, 0, 1) }),
    given({ arch: 'mlr', ...ones(1, 1, 1, 0, 0) }),
  ];
  const [answer, mrr] = powerOfRecords(records, target);
  assert.deepEqual(
    [answer!.baseline, answer!.candidate, answer!.measure, answer!.queries, answer!.seeds],
    ['dual-encoder', 'mlr', 'answer@20', 5, 1],
  );
  assert.deepEqual(answer!.power!.spread, { test: 'McNemar exact', discordant: 2 / 5 });
  // Differences of 0, 0.5, 0, 0 and -0.5: their squares are 0.5 over 4.
  const { spread: graded } = mrr!.power!;
  assert.ok(graded.test === 'paired t' && Math.abs(graded.deviation - Math.sqrt(0.125)) < 1e-12);
  const more = powerOfRecords(records, { ...target, queries: 400, measures: ['mrr'] });
  assert.deepEqual(more, [{ ...mrr!, queries: 400, power: powerOfQueries(graded, 400, target) }]);
  assert.equal(powerOfRecords(records, { ...target, baseline: 'mlr' })[0]!.candidate, 'dual-encoder');
});

test('of several seeds each query has its mean; systems that differ in nothing tell nothing of the spread', () => {
  const seeds = (arch: string, ...values: number[]) =>
    [1, 2].map((seed) => given({ arch, seed, ...ones(...values) }));
  const [answer] = powerOfRecords([...seeds('dual-encoder', 1, 0, 1), ...seeds('mlr', 0, 0, 1)], target);
  assert.deepEqual([answer!.seeds, answer!.power!.spread.test], [2, 'paired t']);
  for (const { power } of powerOfRecords([...seeds('dual-encoder', 1, 0), ...seeds('mlr', 1, 0)], target))
    assert.equal(power, undefined);
  const [, alike] = powerOfRecords(
    [given({ arch: 'dual-encoder', ...ones(1, 0) }), given({ arch: 'mlr', ...ones(1, 0) })],
    target,
  );
  assert.equal(alike!.power, undefined);
  // One seed in common is paired only where that is asked for.
  const apart = [...seeds('dual-encoder', 1, 0, 1), given({ arch: 'mlr', seed: 2, ...ones(0, 0, 1) })];
  assert.throws(() => powerOfRecords(apart, target), { code: 'RECORD_INVALID' });
  const [common] = powerOfRecords(apart, { ...target, commonSeeds: true });
  assert.deepEqual([common!.seeds, common!.power!.spread], [1, { test: 'McNemar exact', discordant: 1 / 3 }]);
});
