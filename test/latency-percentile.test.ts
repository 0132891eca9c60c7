/** Percentiles by definition 7 of Hyndman and Fan, and bootstrap intervals around them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile, percentileIntervals } from '../harness/latency/percentile.js';
import { stream } from '../harness/random.js';

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
    assert.ok(Math.abs(percentile([1, 2, 4, 8, 16], p) - value) < 1e-12);
  });
}

test('one sample is every percentile; none and nonsense are refused', () => {
  for (const p of [0, 50, 99, 100]) assert.equal(percentile([7], p), 7);
  assert.throws(() => percentile([], 50), RangeError);
  for (const p of [-1, 101, Number.NaN]) assert.throws(() => percentile([1], p), RangeError);
});

test('equal samples have an interval of no width', () => {
  assert.deepEqual(percentileIntervals(new Float64Array(20).fill(3), [50, 99], { seed: 1 }), [
    { low: 3, high: 3 },
    { low: 3, high: 3 },
  ]);
});

test('the same seed gives the same interval, another seed another', () => {
  const sorted = Float64Array.from({ length: 200 }, (_, i) => Math.log(i + 1));
  const [one] = percentileIntervals(sorted, [95], { seed: 1, resamples: 200 });
  assert.deepEqual(percentileIntervals(sorted, [95], { seed: 1, resamples: 200 })[0], one);
  assert.notDeepEqual(percentileIntervals(sorted, [95], { seed: 2, resamples: 200 })[0], one);
});

test('about 95 of 100 intervals of a median hold the true one', () => {
  const random = stream(7, 'test', 'percentile coverage');
  const simulations = 400;
  let covered = 0;
  for (let i = 0; i < simulations; i++) {
    const sample = Float64Array.from({ length: 101 }, () => random.normal()).sort();
    const [interval] = percentileIntervals(sample, [50], { seed: i, resamples: 300 });
    if (interval!.low <= 0 && interval!.high >= 0) covered++;
  }
  // Four standard errors of a share of 0.95 among 400 are 0.044; the bootstrap of a median leans to the wide side.
  assert.ok(covered / simulations > 0.906 && covered / simulations < 0.994, String(covered / simulations));
});

test('a narrower level gives a narrower interval', () => {
  const sorted = Float64Array.from({ length: 300 }, (_, i) => i ** 1.5);
  const width = (level: number) => {
    const [{ low, high }] = percentileIntervals(sorted, [50], { seed: 3, level }) as [
      { low: number; high: number },
    ];
    return high - low;
  };
  assert.ok(width(0.5) < width(0.95));
  assert.throws(() => width(1), RangeError);
});
