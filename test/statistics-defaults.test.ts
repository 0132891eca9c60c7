/** What is taken where nothing is said, and the first and last value that is taken: each is a figure of some report. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { bootstrapRatio, bootstrapStatistic } from '../harness/statistics/bootstrap.js';
import { compareSystems, type SystemValues } from '../harness/statistics/compare.js';
import { equivalence } from '../harness/statistics/equivalence.js';
import { fitLine } from '../harness/statistics/linear-fit.js';
import { mcnemar } from '../harness/statistics/mcnemar.js';
import { pairedT } from '../harness/statistics/paired-t.js';
import { p99Missing, samplesForP99 } from '../harness/statistics/percentile-samples.js';
import { type PairedSpread, queriesNeeded, smallestDifference } from '../harness/statistics/power.js';
import { pairedRandomization } from '../harness/statistics/randomization.js';
import { type RankedValues, rankSystems } from '../harness/statistics/ranks.js';
import { checkDraws, checkLevel } from '../harness/statistics/summary.js';
import { system } from './fixtures/statistics/made-up-systems.js';

const drawn = (name: string, n = 40) => {
  const draws = stream(1, 'defaults', name);
  return Array.from({ length: n }, () => 1 + draws.uniform());
};
const [a, b] = [drawn('a'), drawn('b')];

/** What is said counts: each of the options changes what comes out. */
function assertDefaults<Options extends object>(
  usual: Options,
  other: { [Name in keyof Options]: Options[Name] },
  compute: (options: Partial<Options>) => unknown,
): void {
  const found = compute({});
  assert.deepEqual(compute(usual), found);
  for (const name of Object.keys(other) as (keyof Options)[])
    assert.notDeepEqual(compute({ [name]: other[name] } as unknown as Partial<Options>), found, String(name));
}

test('2,000 resamples, 95 %, BCa, seed 0: what an interval is made of where nothing is said', () => {
  assertDefaults(
    { resamples: 2000, level: 0.95, method: 'bca' as 'bca' | 'percentile', seed: 0 },
    { resamples: 2001, level: 0.94, method: 'percentile', seed: 1 },
    (options) => bootstrapStatistic(a, 'mean', options),
  );
  assertDefaults({ of: 'median' as 'mean' | 'median' }, { of: 'mean' }, (options) =>
    bootstrapRatio(a, b, { ...options, paired: false }),
  );
});

test('10,000 sign patterns by seed 0, and intervals of 95 %, unless something else is said', () => {
  assertDefaults({ permutations: 10_000, seed: 0 }, { permutations: 9999, seed: 1 }, (options) =>
    pairedRandomization(a, b, options),
  );
  const level = { level: 0.95 };
  assertDefaults(level, { level: 0.9 }, (options) => pairedT(a, b, options.level));
  assertDefaults(level, { level: 0.9 }, (options) =>
    mcnemar([1, 1, 0, 0, 0], [0, 1, 1, 1, 1], options.level),
  );
  assert.equal(equivalence(a, b, 0.1).interval!.level, 0.9);
  assert.deepEqual(equivalence(a, b, 0.1), equivalence(a, b, 0.1, false));
  assert.equal(fitLine([1, 2, 4], [1, 3, 4]).at(2).interval!.level, 0.95);
});

test('a comparison says what it takes for granted: Holm, 95 %, 10,000 patterns, 2,000 resamples, seed 0', () => {
  const one = (name: string, shift: number): SystemValues => system(name, shift, [1]);
  const [left, right] = [one('dual-encoder', 0), one('mlr-sc', 0.05)];
  assertDefaults(
    {
      ...{ correction: 'holm' as 'holm' | 'none', level: 0.95, permutations: 10_000, resamples: 2000 },
      ...{ randomSeed: 0, lowerIsBetter: [] as string[] },
    },
    {
      ...{ correction: 'none', level: 0.9, permutations: 10_001, resamples: 2001 },
      ...{ randomSeed: 1, lowerIsBetter: ['mrr@10'] },
    },
    (options) => compareSystems(left, right, options),
  );
});

test('equivalence is tested over queries and over seeds, and corrected as families of their own', () => {
  const [left, right] = [system('dual-encoder', 0), system('mlr-sc', 0.01)];
  const options = { equivalence: 0.05, lowerIsBetter: ['mrr@10'] };
  const { measures } = compareSystems(left, right, options);
  for (const over of ['overQueries', 'overSeeds'] as const) {
    const found = measures.map((each) => each[over].equivalence!);
    const [small, large] = found.map(({ p }) => p!).toSorted((x, y) => x - y) as [number, number];
    const corrected = found.map(({ correctedP }) => correctedP!).toSorted((x, y) => x - y);
    assert.deepEqual(corrected, [Math.min(1, 2 * small), Math.max(Math.min(1, 2 * small), large)]);
    for (const { measure, [over]: each } of measures) {
      const alone = compareSystems(left, right, { ...options, measures: [measure] }).measures[0]![over];
      assert.deepEqual({ ...each.equivalence!, correctedP: 0 }, { ...alone.equivalence!, correctedP: 0 });
    }
  }
  const [mrr] = measures;
  const means = (from: SystemValues) =>
    from.measures['mrr@10']!.map(({ values }) => {
      const list = Array.from(values);
      return list.reduce((sum, value) => sum + value, 0) / list.length;
    });
  const expected = equivalence(means(left), means(right), 0.05, true);
  assert.ok(Math.abs(mrr!.overSeeds.equivalence!.notWorseP! - expected.notWorseP!) < 1e-9);
  assert.equal(compareSystems(left, right).measures[0]!.overQueries.equivalence, undefined);
});

test('places: tests at 0.05 and 1,000 patterns, intervals of 95 % of 1,000 resamples, seed 0', () => {
  // Two that differ in no query but by the same amount: the randomization test judges, exactly.
  const ranked = (values: number[]): RankedValues => ({ higherIsBetter: true, runs: [values], seeds: [1] });
  const told = (n: number, significance?: number) =>
    rankSystems([[ranked(a.slice(0, n)), ranked(a.slice(0, n).map((value) => value + 1))]], {
      ...(significance !== undefined && { significance }),
    }).ranks[0]![0]!.tied.length === 0;
  // 2 of 2^5 patterns and 2 of 2^6.
  assert.deepEqual([told(5), told(6)], [false, true]);
  assert.deepEqual([told(5, 2 / 2 ** 5), told(5, 2.01 / 2 ** 5)], [false, true]);
  const near = (shift: number, seed: string) => ranked(drawn(seed).map((value) => value + shift));
  const systems = [near(0, 'c'), near(0.02, 'd'), near(0.04, 'e'), near(0.06, 'f'), near(0.08, 'g')];
  const places = (options: object) => rankSystems([systems], options);
  const explicit = { significance: 0.05, level: 0.95, resamples: 1000, permutations: 1000, randomSeed: 0 };
  assert.deepEqual(places(explicit), places({}));
  assert.throws(() => places({ resamples: 0 }), { code: 'CONFIG_INVALID' });
});

test('the interval of a place is that of drawing queries and seeds again, the plain way', () => {
  const values = (name: string, seeds: number) =>
    Array.from({ length: seeds }, (_, i) => drawn(name + i, 12));
  const systems: RankedValues[] = [
    { higherIsBetter: true, runs: values('p', 2), seeds: [1, 2] },
    { higherIsBetter: true, runs: values('q', 2), seeds: [1, 2] },
    { higherIsBetter: true, runs: values('r', 3), seeds: [1, 2, 3] },
    { higherIsBetter: true, runs: values('s', 1), seeds: [null] },
  ];
  const options = { resamples: 60, level: 0.8, randomSeed: 5 };
  const source = stream(5, 'ranks');
  const draw = (n: number) => Array.from({ length: n }, () => source.integer(n));
  const found = systems.map(() => ({ best: [] as number[], worst: [] as number[] }));
  for (let b = 0; b < options.resamples; b++) {
    const queries = draw(12);
    const bySeeds = new Map<string, number[]>();
    const scores = systems.map(({ runs, seeds }) => {
      const chosen = bySeeds.get(String(seeds)) ?? draw(runs.length);
      bySeeds.set(String(seeds), chosen);
      const sum = chosen.flatMap((r) => queries.map((q) => runs[r]![q]!)).reduce((x, y) => x + y, 0);
      return sum / runs.length;
    });
    for (const [s, score] of scores.entries()) {
      found[s]!.best.push(1 + scores.filter((other) => other > score).length);
      found[s]!.worst.push(scores.filter((other) => other >= score).length);
    }
  }
  const at = (list: number[], q: number) => {
    const sorted = list.toSorted((x, y) => x - y);
    const place = (sorted.length - 1) * q;
    const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
    return low + (high - low) * (place - Math.floor(place));
  };
  assert.deepEqual(
    rankSystems([systems], options).ranks[0]!.map(({ interval }) => interval),
    found.map(({ best, worst }) => ({ best: Math.floor(at(best, 0.1)), worst: Math.ceil(at(worst, 0.9)) })),
  );
});

test('two values are enough for an interval, and quantiles go from 0 to 1', () => {
  assert.equal(bootstrapStatistic([1, 2], 'mean').estimate, 1.5);
  assert.equal(bootstrapRatio([1, 2], [2, 4], { paired: true }).estimate, 2);
  const at = (quantile: number) => bootstrapStatistic([1, 2], { quantile }, { resamples: 50 }).estimate;
  assert.deepEqual([at(0), at(1)], [1, 2]);
  assert.throws(() => at(-0.01), RangeError);
  assert.throws(() => at(1.01), RangeError);
  // One resample is a whole number of them.
  assert.equal(bootstrapStatistic(a, 'mean', { resamples: 1 }).resamples, 1);
});

test('levels lie between 0 and 1, numbers of draws are whole and above 0', () => {
  for (const level of [Number.MIN_VALUE, 0.5, 1 - Number.EPSILON]) checkLevel(level);
  for (const level of [0, 1, -0.5, 1.5, Number.NaN])
    assert.throws(() => checkLevel(level), { code: 'CONFIG_INVALID' }, String(level));
  for (const draws of [1, 2, Number.MAX_SAFE_INTEGER]) checkDraws(draws, 'resamples');
  for (const draws of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53])
    assert.throws(() => checkDraws(draws, 'resamples'), { code: 'CONFIG_INVALID' }, String(draws));
});

test('what the power of a test can be asked about, to its ends', () => {
  const graded = (deviation: number): PairedSpread => ({ test: 'paired t', deviation });
  const binary = (discordant: number): PairedSpread => ({ test: 'McNemar exact', discordant });
  const target = { power: 0.8, alpha: 0.05 };
  const refused = { code: 'CONFIG_INVALID' };
  for (const alpha of [0, 1, -0.1, Number.NaN])
    assert.throws(() => smallestDifference(graded(1), 9, { power: 0.8, alpha }), refused, String(alpha));
  for (const power of [0.05, 0.04, 1, 1.1, Number.NaN])
    assert.throws(() => smallestDifference(graded(1), 9, { power, alpha: 0.05 }), refused, String(power));
  for (const deviation of [0, -1, Infinity, Number.NaN])
    assert.throws(() => smallestDifference(graded(deviation), 9, target), refused, String(deviation));
  for (const discordant of [0, -0.1, 1.01, Number.NaN])
    assert.throws(() => smallestDifference(binary(discordant), 9, target), refused, String(discordant));
  for (const n of [1, 2.5, -2, Infinity])
    assert.throws(() => smallestDifference(graded(1), n, target), refused, String(n));
  for (const difference of [0, 1.01, -1.01, Number.NaN])
    assert.throws(() => queriesNeeded(binary(0.5), difference, target), refused, String(difference));
  for (const difference of [0, Infinity, Number.NaN])
    assert.throws(() => queriesNeeded(graded(1), difference, target), refused, String(difference));
  // All queries change, and all to one side: six of six are 2 of 64, five of five 2 of 32.
  assert.deepEqual([queriesNeeded(binary(1), 1, target), queriesNeeded(binary(1), -1, target)], [6, 6]);
  assert.ok(smallestDifference(binary(1), 100, target)! < 1);
  // A difference of many deviations takes the fewest pairs that there is a test of.
  assert.equal(queriesNeeded(graded(1), 1e6, target), 2);
  assert.ok(smallestDifference(graded(1), 2, target)! > 1);
});

test('p99 takes a thousand samples, and what is lacking is said', () => {
  assert.equal(samplesForP99, 1000);
  assert.deepEqual(
    [p99Missing(999), p99Missing(1000), p99Missing(1)],
    ['not measured: 999 samples', undefined, 'not measured: 1 samples'],
  );
});
