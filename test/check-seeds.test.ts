/** What seeds explain, against SciPy; and accuracies just on either side of each threshold, worked out by hand. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { System } from '../harness/comparison/systems.js';
import { independentP, pairedNoise, seedSides } from '../harness/regression/seeds.js';
import { given, near, ones } from './given-records.js';
import { check, named, thresholds } from './made-checks.js';
import { inFixtures } from './places.js';

interface Case {
  baseline: number[];
  current: number[];
}
// SciPy's own answers; seeds.py beside the file makes them.
const reference = JSON.parse(readFileSync(inFixtures('regression/seeds.json'), 'utf8')) as {
  paired: (Case & { noise: number })[];
  independent: (Case & { p: number })[];
};

/** A run for each mean, of one query. */
const systemOf = (means: readonly number[], firstSeed = 1): System => ({
  name: 'dual-encoder',
  runs: means.map((mean, i) => given({ seed: firstSeed + i, measures: { m: [mean] } })),
});

test('the noise of seeds in common: the quantile 0.95 of t with n - 1 degrees of freedom, as SciPy has it', () => {
  assert.equal(reference.paired.length, 4);
  for (const { baseline, current, noise } of reference.paired) {
    const sides = seedSides(systemOf(baseline), systemOf(current))!;
    assert.equal(sides.mode, 'paired');
    const own = pairedNoise(sides, 'm');
    assert.ok(Math.abs(own - noise) < 1e-9 * noise, `${own} is not ${noise}`);
  }
  // Of 1 degree of freedom t is tan(0.45 pi); differences of 0.01 and 0.03.
  const two = seedSides(systemOf([0.5, 0.6]), systemOf([0.51, 0.63]))!;
  assert.ok(Math.abs(pairedNoise(two, 'm') - 0.01 * Math.tan(0.45 * Math.PI)) < 1e-9);
  assert.equal(pairedNoise(seedSides(systemOf([0.5]), systemOf([0.9]))!, 'm'), 0);
});

test("seeds of which none is the same: Student's t with a pooled variance, as SciPy has it", () => {
  assert.equal(reference.independent.length, 6);
  for (const { baseline, current, p } of reference.independent) {
    const sides = seedSides(systemOf(baseline), systemOf(current, 100))!;
    assert.equal(sides.mode, 'independent');
    const own = independentP(sides, 'm');
    assert.ok(Math.abs(own - p) < 1e-9 * p, `${own} is not ${p}`);
  }
  const alike = seedSides(systemOf([0.5, 0.7]), systemOf([0.6, 0.6], 100))!;
  assert.equal(independentP(alike, 'm'), 1);
});

test('three runs in all say what a seed changes, two do not; common seeds are taken alone', () => {
  assert.equal(seedSides(systemOf([0.5]), systemOf([0.5], 2)), undefined);
  assert.equal(seedSides(systemOf([0.5, 0.5]), systemOf([0.5], 3))!.mode, 'independent');
  const { baseline, current, mode } = seedSides(systemOf([0.1, 0.2, 0.3]), systemOf([0.4, 0.5, 0.6], 2))!;
  const seeds = ({ runs }: System) => runs.map(({ record }) => record.seed);
  assert.deepEqual([mode, seeds(baseline), seeds(current)], ['paired', [2, 3], [2, 3]]);
});

/** Runs of 1,000 queries, of which so many are answered with each seed. */
const answered = (counts: readonly number[], firstSeed = 1) =>
  counts.map((count, i) => given({ seed: firstSeed + i, measures: { 'answer@20': ones(count, 1000) } }));
const one = (queries: number, found: number) => given({ measures: { 'answer@20': ones(found, queries) } });
const verdictOf = (before: readonly number[], now: readonly number[], firstSeed = 1) =>
  named(check(answered(before), answered(now, firstSeed)), 'accuracy answer@20');

test('3 points lost in three seeds: more than they vary by where their deviation is 1.7 points, not where it is 1.8', () => {
  // t(0.95, 2) = 2.920 times s / sqrt 3: 2.866 points of 1.7, 3.035 of 1.8.
  const lost = (spread: number) => verdictOf([500, 500, 500], [470 - spread, 470, 470 + spread]);
  assert.equal(lost(17).verdict, 'worse');
  assert.equal(lost(18).verdict, 'same');
  assert.equal(
    lost(18).spared,
    'more than the 2 points of check.accuracyDrop, and no more than its seeds vary by',
  );
});

test('3 points between other seeds: significant where either side deviates by 1.3 points, not by 1.4', () => {
  // t = 3 / (s sqrt(2 / 3)) with 4 degrees of freedom: 2.826 and 2.624, and t(0.975, 4) = 2.776.
  const lost = (spread: number) =>
    verdictOf([500 - spread, 500, 500 + spread], [470 - spread, 470, 470 + spread], 4);
  assert.equal(lost(13).verdict, 'worse');
  assert.equal(lost(14).verdict, 'same');
  assert.match(lost(14).detail, /corrected p 0\.059$/);
});

test('what spoke for counting a drop is named with what spoke against it, and nothing where nothing did', () => {
  const seeds = (...counts: number[]) => verdictOf([500, 500, 500], counts);
  // 1.5 points: over queries that is significant, and the seeds vary by 2 points.
  assert.equal(seeds(465, 485, 505).spared, undefined);
  assert.equal(
    seeds(485, 485, 485).spared,
    'significant, and no more than the 2 points of check.accuracyDrop',
  );
  assert.equal(verdictOf([500], [499]).spared, undefined);
  assert.equal(
    verdictOf([500], [485]).spared,
    'significant, and no more than the 2 points of check.accuracyDrop',
  );
  const few = (lost: number) => named(check([one(20, 10)], [one(20, 10 - lost)]), 'accuracy answer@20');
  assert.equal(
    few(5).spared,
    'more than the 2 points of check.accuracyDrop, and not significant',
    'McNemar: 2 / 2^5',
  );
  assert.equal(few(6).spared, undefined);
  // A gain needs no excuse.
  assert.equal(verdictOf([500], [515]).spared, undefined);
});

test('seeds that do not hold the same queries are refused by their files', () => {
  const [first, second] = answered([300, 500]);
  const { queryIds } = second!.record;
  for (const others of [queryIds.with(7, 'other'), queryIds.slice(1), queryIds.with(7, queryIds[8]!)]) {
    const strange = { ...second!, record: { ...second!.record, queryIds: others } };
    assert.throws(() => check([first!, second!], [first!, strange]), {
      code: 'RECORD_INVALID',
      message:
        /^The runs of .* do not hold the same queries: given-.*-1\.record\.json, given-.*-2\.record\.json\.$/,
    });
  }
});

test('a drop of exactly what is tolerated is tolerated, one query more is not', () => {
  assert.equal(verdictOf([500], [480]).verdict, 'same');
  assert.equal(verdictOf([500], [479]).verdict, 'worse');
  assert.equal(verdictOf([480], [500]).verdict, 'same');
  assert.equal(verdictOf([479], [500]).verdict, 'better');
  const { baseline, current, unit, detail } = verdictOf([500], [479]);
  assert.deepEqual([baseline, current, unit], [0.5, 0.479, 'share']);
  assert.match(
    detail,
    /^50\.00 % to 47\.90 %: −2\.10 points \(95 % −3\.\d\d to −1\.\d\d\), corrected p < 0\.001$/,
  );
});

test('the corrected p decides: 6 or 7 of 20 queries lost, alone or in a family of two', () => {
  const verdict = (lost: number, ...measures: string[]) => {
    const of = (count: number) =>
      Object.fromEntries(measures.map((id, i) => [id, ones(i === 0 ? count : 10, 20)]));
    const checks = check([given({ measures: of(10) })], [given({ measures: of(10 - lost) })]);
    return named(checks, `accuracy ${measures[0]}`).verdict;
  };
  // McNemar: 2 / 2^5 = 0.0625, 2 / 2^6 = 0.03125 and twice that, 2 / 2^7 = 0.015625 and twice that.
  assert.equal(verdict(5, 'answer@20'), 'same');
  assert.equal(verdict(6, 'answer@20'), 'worse');
  assert.equal(verdict(6, 'answer@20', 'answer@100'), 'same');
  assert.equal(verdict(7, 'answer@20', 'answer@100'), 'worse');
});

test('of a measure that is better when lower, more is worse and less is better', () => {
  const runs = (rank: number) =>
    given({
      measures: { 'average-rank': Array.from({ length: 40 }, (_, q) => rank + (q % 2)) },
      lower: ['average-rank'],
    });
  const of = (before: number, now: number) =>
    named(check([runs(before)], [runs(now)]), 'accuracy average-rank');
  assert.deepEqual([of(3, 5).verdict, of(5, 3).verdict, of(3, 3).verdict], ['worse', 'better', 'same']);
  assert.deepEqual([of(3, 5).baseline, of(3, 5).current, of(3, 5).unit], [3.5, 5.5, 'count']);
  assert.match(of(3, 5).detail, /^3\.5000 to 5\.5000: \+2\.00/);
});

test('each query has its mean over the seeds, whatever order a seed lists its queries in', () => {
  const [one, two] = answered([300, 500]);
  const turned = {
    ...two!,
    record: {
      ...two!.record,
      queryIds: two!.record.queryIds.toReversed(),
      measures: {
        'answer@20': {
          ...two!.record.measures['answer@20']!,
          perQuery: two!.record.measures['answer@20']!.perQuery.toReversed(),
        },
      },
    },
  };
  const same = named(check([one!, two!], [one!, turned], thresholds), 'accuracy answer@20');
  assert.match(
    same.detail,
    /^40\.00 % to 40\.00 %: \+0\.00 points \(95 % \+0\.00 to \+0\.00\), corrected p 1\.000$/,
  );
  near(same.baseline, 0.4, 'mean of means');
});
