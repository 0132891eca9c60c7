/** Quantiles by definition 7 of Hyndman and Fan, and bootstrap intervals around them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as mathjs from 'mathjs/number';
import { stream } from '../harness/random.js';
import { pairedT } from '../harness/statistics/paired-t.js';
import { quantileIntervals } from '../harness/statistics/quantile-intervals.js';
import { mean, median, quantile, standardDeviation } from '../harness/statistics/summary.js';

// numpy.percentile([1, 2, 4, 8, 16], p), numpy 2.4, method 'linear'.
const numpy: [number, number][] = [
  [0, 1],
  [10, 1.4],
  [25, 2],
  [50, 4],
  [90, 12.8],
  [95, 14.4],
  [99, 15.68],
  [100, 16],
];

for (const [p, value] of numpy) {
  test(`p${p} as numpy gives it`, () => {
    assert.ok(Math.abs(quantile([1, 2, 4, 8, 16], p / 100) - value) < 1e-12);
  });
}

test('one sample is every quantile; none and nonsense are refused', () => {
  for (const q of [0, 0.5, 0.99, 1]) assert.equal(quantile([7], q), 7);
  assert.throws(() => quantile([], 0.5), RangeError);
  for (const q of [-0.01, 1.01, Number.NaN]) assert.throws(() => quantile([1], q), RangeError);
});

test('equal samples have an interval of no width', () => {
  assert.deepEqual(quantileIntervals(new Float64Array(20).fill(3), [0.5, 0.99], { seed: 1 }), [
    { low: 3, high: 3 },
    { low: 3, high: 3 },
  ]);
});

test('the same seed gives the same interval, another seed another', () => {
  const sorted = Float64Array.from({ length: 200 }, (_, i) => Math.log(i + 1));
  const [one] = quantileIntervals(sorted, [0.95], { seed: 1, resamples: 200 });
  assert.deepEqual(quantileIntervals(sorted, [0.95], { seed: 1, resamples: 200 })[0], one);
  assert.notDeepEqual(quantileIntervals(sorted, [0.95], { seed: 2, resamples: 200 })[0], one);
});

test('about 95 of 100 intervals of a median hold the true one', () => {
  const random = stream(7, 'test', 'percentile coverage');
  const simulations = 400;
  let covered = 0;
  for (let i = 0; i < simulations; i++) {
    const sample = Float64Array.from({ length: 101 }, () => random.normal()).sort();
    const [interval] = quantileIntervals(sample, [0.5], { seed: i, resamples: 300 });
    if (interval!.low <= 0 && interval!.high >= 0) covered++;
  }
  // Four standard errors of a share of 0.95 among 400 are 0.044; the bootstrap of a median leans to the wide side.
  assert.ok(covered / simulations > 0.906 && covered / simulations < 0.994, String(covered / simulations));
});

test('a narrower level gives a narrower interval', () => {
  const sorted = Float64Array.from({ length: 300 }, (_, i) => i ** 1.5);
  const width = (level: number) => {
    const [{ low, high }] = quantileIntervals(sorted, [0.5], { seed: 3, level }) as [
      { low: number; high: number },
    ];
    return high - low;
  };
  assert.ok(width(0.5) < width(0.95));
  assert.throws(() => width(1), RangeError);
});

test('quantiles, means and deviations are those of mathjs, to the last rounding', () => {
  const random = stream(9, 'test', 'mathjs');
  for (let n = 2; n < 60; n++) {
    const values = Array.from({ length: n }, () => Math.exp(3 * random.normal()));
    const sorted = values.toSorted((a, b) => a - b);
    const near = (ours: number, theirs: unknown, what: string) =>
      assert.ok(
        Math.abs(ours - Number(theirs)) <= 4e-15 * Math.abs(ours),
        `${what} of ${n}: ${ours}, ${theirs}`,
      );
    for (const q of [0, 0.025, 0.05, 0.1, 0.5, 0.95, 0.99, 1])
      near(quantile(sorted, q), mathjs.quantileSeq(sorted, q, true), `quantile ${q}`);
    near(median(values), mathjs.median(values), 'median');
    near(mean(values), mathjs.mean(values), 'mean');
    near(standardDeviation(values)!, mathjs.std(values), 'deviation');
  }
});

test('values that are all alike have that value as every quantile and do not deviate, however many they are', () => {
  for (const [value, n] of [
    [0.1, 100_000],
    [1 / 3, 99_999],
  ] as const) {
    const values = new Float64Array(n).fill(value);
    // Rounding moves the mean of so many: by enough, over the root of n, to pass for a difference that is certain.
    assert.notEqual(mean(values), value);
    assert.ok(standardDeviation(values)! < 1e-20);
    assert.equal(pairedT(new Float64Array(n), values).p, undefined);
    for (const q of [0.07, 0.5, 0.95]) assert.equal(quantile(values, q), value);
  }
});
