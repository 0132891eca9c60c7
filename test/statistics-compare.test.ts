import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { compareFamily, compareSystems, type SystemValues } from '../harness/statistics/compare.js';
import { holm } from '../harness/statistics/holm.js';
import { mcnemar } from '../harness/statistics/mcnemar.js';
import { pairedT } from '../harness/statistics/paired-t.js';
import { pairedRandomization } from '../harness/statistics/randomization.js';
import { mean } from '../harness/statistics/summary.js';
import { queryCount, queryIds, system } from './fixtures/statistics/made-up-systems.js';

const baseline = system('dual-encoder', 0);
const candidate = system('mlr-sc', 0.15);

test('of one seed, binary measures go to McNemar, graded ones to the paired t-test with a randomization test beside it', () => {
  const [a, b] = [system('dual-encoder', 0, [1]), system('mlr-sc', 0.15, [1])];
  const { measures, queryCount: n, familySize } = compareSystems(a, b);
  assert.equal(n, queryCount);
  assert.deepEqual(familySize, { overQueries: 2, overSeeds: 0 });
  const [mrr, answer] = [
    measures.find((m) => m.measure === 'mrr@10')!,
    measures.find((m) => m.measure === 'answer@20')!,
  ];

  const seedOne = (s: SystemValues, measure: string) => s.measures[measure]![0]!.values;
  const t = pairedT(seedOne(baseline, 'mrr@10'), seedOne(candidate, 'mrr@10'));
  assert.equal(mrr.kind, 'graded');
  assert.deepEqual([mrr.overQueries.test, mrr.overQueries.p, mrr.overQueries.seed], ['paired t', t.p, 1]);
  assert.deepEqual(mrr.overQueries.effectSize, { name: 'd_z', value: t.effectSize });
  const random = pairedRandomization(seedOne(baseline, 'mrr@10'), seedOne(candidate, 'mrr@10'));
  assert.deepEqual(mrr.overQueries.randomization, { p: random.p, permutations: 10_000, exact: false });

  const exact = mcnemar(seedOne(baseline, 'answer@20'), seedOne(candidate, 'answer@20'));
  assert.equal(answer.kind, 'binary');
  assert.deepEqual([answer.overQueries.test, answer.overQueries.p], ['McNemar exact', exact.p]);
  assert.deepEqual(answer.overQueries.effectSize, { name: 'odds ratio', value: exact.oddsRatio });
  assert.equal(answer.overQueries.wins, exact.onlyCandidate);
  assert.equal(answer.overQueries.losses, exact.onlyBaseline);

  for (const { overQueries } of measures) {
    const { interval, difference, wins, ties, losses } = overQueries;
    assert.ok(interval!.low < difference && difference < interval!.high);
    assert.deepEqual([interval!.method, interval!.level], ['bca', 0.95]);
    assert.equal(wins + ties + losses, queryCount);
  }
});

test('of several seeds, each query has its mean over them, and every measure goes to the paired t-test', () => {
  const { measures } = compareSystems(baseline, candidate);
  for (const { measure, kind, overQueries, overSeeds } of measures) {
    const means = (s: SystemValues) =>
      queryIds.map((_, q) => s.measures[measure]!.reduce((sum, { values }) => sum + values[q]! / 3, 0));
    const t = pairedT(means(baseline), means(candidate));
    assert.equal(kind, measure === 'answer@20' ? 'binary' : 'graded');
    assert.deepEqual([overQueries.test, overQueries.seed, overQueries.n], ['paired t', null, queryCount]);
    assert.ok(Math.abs(overQueries.p! - t.p!) < 1e-9 * t.p!);
    // The same difference as over seeds: no seed is left out of either.
    assert.ok(Math.abs(overQueries.difference - overSeeds.difference) < 1e-12);
    assert.ok(overQueries.randomization !== undefined);
  }
});

test('over seeds the means of the seeds are paired', () => {
  const { measures } = compareSystems(baseline, candidate, { measures: ['mrr@10'] });
  const means = (s: SystemValues) => s.measures['mrr@10']!.map(({ values }) => mean(values));
  const t = pairedT(means(baseline), means(candidate));
  const { overSeeds, seeds, baseline: summary } = measures[0]!;
  assert.deepEqual(seeds, [1, 2, 3]);
  assert.deepEqual([overSeeds.n, overSeeds.test, overSeeds.p], [3, 'paired t', t.p]);
  assert.deepEqual(overSeeds.interval, { ...t.interval, method: 't' });
  assert.equal(summary.n, 3);
  assert.equal(summary.mean, mean(means(baseline)));
});

test('Holm is the default, over all measures of all candidates', () => {
  const candidates = [candidate, system('me-bert', 0.05), system('mlr-avg', 0)];
  const family = compareFamily(baseline, candidates);
  const tests = family.flatMap(({ measures }) => measures.map(({ overQueries }) => overQueries));
  assert.equal(tests.length, 6);
  assert.deepEqual(
    tests.map(({ correctedP }) => correctedP),
    holm(tests.map(({ p }) => p)),
  );
  assert.ok(tests.some(({ p, correctedP }) => correctedP! > p!));
  for (const { correction, familySize } of family) {
    assert.deepEqual([correction, familySize], ['holm', { overQueries: 6, overSeeds: 6 }]);
  }
  // A setting that is undefined was not given.
  const given: object = { correction: undefined, level: undefined };
  assert.deepEqual(compareFamily(baseline, candidates, given), family);
  const plain = compareSystems(baseline, candidate, { correction: 'none' });
  for (const { overQueries } of plain.measures) assert.equal(overQueries.correctedP, overQueries.p);
});

test('identical runs give difference 0 and p = 1, over queries and over seeds', () => {
  const { measures } = compareSystems(baseline, { ...baseline, name: 'again' });
  for (const { overQueries, overSeeds } of measures) {
    for (const { difference, p, correctedP, wins, losses, interval } of [overQueries, overSeeds]) {
      assert.deepEqual([difference, p, correctedP, wins, losses], [0, 1, 1, 0, 0]);
      assert.deepEqual([interval?.low, interval?.high], [0, 0]);
    }
  }
});

test('queries are paired by id: their order does not matter', () => {
  const order = stream(1, 'order').shuffle(queryIds.map((_, i) => i));
  const shuffled: SystemValues = {
    name: candidate.name,
    queryIds: order.map((i) => queryIds[i]!),
    measures: Object.fromEntries(
      Object.entries(candidate.measures).map(([measure, runs]) => [
        measure,
        runs.map(({ seed, values }) => ({ seed, values: order.map((i) => values[i]!) })),
      ]),
    ),
  };
  assert.deepEqual(compareSystems(baseline, shuffled), compareSystems(baseline, candidate));
});

test('one seed: a result over queries, and over seeds the reason why there is no p', () => {
  const { measures, familySize } = compareSystems(system('a', 0, [1]), system('b', 0.2, [1]));
  assert.equal(familySize.overSeeds, 0);
  for (const { overSeeds, overQueries, baseline: summary } of measures) {
    assert.ok(overQueries.p !== undefined);
    assert.deepEqual(
      [overSeeds.p, overSeeds.correctedP, overSeeds.interval],
      [undefined, undefined, undefined],
    );
    assert.match(overSeeds.reason!, /at least 2 pairs/);
    assert.equal(summary.standardDeviation, undefined);
  }
});

test('no number of a result is NaN, whatever the values: constant, shifted, one query', () => {
  const one = (name: string, values: number[]): SystemValues => ({
    name,
    queryIds: values.map((_, i) => `q${i}`),
    measures: { m: [{ seed: 1, values }] },
  });
  for (const [a, b] of [
    [
      [0.5, 0.5, 0.5],
      [0.75, 0.75, 0.75],
    ],
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
    [[0.5], [0.7]],
    [[1], [0]],
    [
      [0.3, 0.3],
      [0.3, 0.3],
    ],
  ] as const) {
    const result = compareSystems(one('a', [...a]), one('b', [...b]));
    const numbers: number[] = [];
    JSON.stringify(result, (_, value) => {
      if (typeof value === 'number') numbers.push(value);
      return value;
    });
    assert.ok(numbers.length > 5);
    assert.ok(!numbers.some(Number.isNaN), JSON.stringify(result));
  }
  // Without spread only the randomization test can judge; an interval of no width would feign certainty.
  const { overQueries } = compareSystems(one('a', [0.5, 0.5, 0.5]), one('b', [0.75, 0.75, 0.75]))
    .measures[0]!;
  assert.deepEqual(
    [overQueries.test, overQueries.p, overQueries.interval],
    ['paired randomization', 2 / 8, undefined],
  );
  assert.match(overQueries.reason!, /without any spread/);
});

test('lower can be better: wins are the queries whose value fell', () => {
  const rank = (name: string, values: number[]): SystemValues => ({
    name,
    queryIds: ['a', 'b', 'c'],
    measures: { 'average-rank': [{ seed: 1, values }] },
  });
  const options = { lowerIsBetter: ['average-rank'] };
  const { overQueries } = compareSystems(rank('x', [10, 4, 3]), rank('y', [2, 1, 5]), options).measures[0]!;
  assert.deepEqual([overQueries.wins, overQueries.losses], [2, 1]);
  assert.ok(overQueries.difference < 0);
});

test('the same options give the same result', () => {
  assert.deepEqual(compareSystems(baseline, candidate), compareSystems(baseline, candidate));
});
