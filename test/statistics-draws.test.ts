/** What is drawn at random is what its definition draws from the same stream, in the same number where none is asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { bootstrapStatistic } from '../harness/statistics/bootstrap.js';
import { quantileIntervals } from '../harness/statistics/quantile-intervals.js';
import { pairedRandomization } from '../harness/statistics/randomization.js';
import { mean, quantile, standardDeviation, summarize } from '../harness/statistics/summary.js';

/** Whole numbers, so that sums are exact. */
const made = (count: number, name: string) => {
  const random = stream(5, name);
  return Array.from({ length: count }, () => 1 + random.integer(9));
};

test('randomization: each pattern takes one word of the stream for every 32 differences', () => {
  for (const count of [20, 31, 32, 33, 64, 65, 100]) {
    const differences = made(count, 'signs').map((value, i) => (i % 3 === 0 ? -value : value));
    const total = differences.reduce((sum, value) => sum + value, 0);
    // Ten thousand of seed 0 where nothing is said.
    for (const [seed, permutations] of count === 33 ? [[0, 10_000] as const] : [[3, 400] as const]) {
      const signs = stream(seed, 'randomization');
      let reached = 1;
      for (let drawn = 0; drawn < permutations; drawn++) {
        const words = Array.from({ length: Math.ceil(count / 32) }, () => signs.bits());
        const sum = differences.reduce(
          (all, value, i) => all + ((words[i >> 5]! >>> (i & 31)) & 1 ? -value : value),
          0,
        );
        if (Math.abs(sum) >= Math.abs(total)) reached++;
      }
      const zeros = differences.map(() => 0);
      const options = permutations === 10_000 ? {} : { permutations, seed };
      const found = pairedRandomization(zeros, differences, options);
      assert.deepEqual([found.permutations, found.exact], [permutations, false]);
      assert.equal(found.p, reached / (permutations + 1), `${count} differences, ${permutations}`);
    }
  }
});

test('randomization: every pattern is looked at where there are no more of them than are asked for', () => {
  const zeros = new Array<number>(5).fill(0);
  const of = (permutations: number) => pairedRandomization(zeros, [1, 2, 3, 4, 5], { permutations });
  assert.deepEqual([of(32).exact, of(32).permutations, of(32).p], [true, 32, 2 / 32]);
  assert.deepEqual([of(31).exact, of(31).permutations], [false, 31]);
});

test('bootstrap: 2000 resamples where nothing is said, percentiles of what is drawn', () => {
  const values = made(7, 'values');
  const draws = stream(0, 'bootstrap');
  const step = Math.floor(2 ** 32 / 7);
  const index = (): number => {
    const drawn = Math.floor(draws.bits() / step);
    return drawn < 7 ? drawn : index();
  };
  const means = Float64Array.from({ length: 2000 }, () => mean(values.map(() => values[index()]!)));
  means.sort();
  const found = bootstrapStatistic(values, 'mean', { method: 'percentile' });
  assert.equal(found.resamples, 2000);
  assert.ok(Math.abs(found.interval.low - quantile(means, 0.025)) < 1e-12);
  assert.ok(Math.abs(found.interval.high - quantile(means, 0.975)) < 1e-12);
  assert.equal(found.interval.level, 0.95);
  assert.equal(bootstrapStatistic([1, 2], 'mean').estimate, 1.5, 'two values are enough');
  const quantiles = bootstrapStatistic(values, { quantile: 0.25 });
  assert.equal(quantiles.estimate, quantile(Float64Array.from(values).sort(), 0.25));
});

test('intervals of quantiles: 2000 resamples of 95 % where nothing is said', () => {
  const sorted = made(9, 'samples').sort((a, b) => a - b);
  const random = stream(4, 'latency', 'bootstrap');
  const drawn = Array.from({ length: 2000 }, () =>
    sorted.map(() => sorted[random.integer(9)]!).sort((a, b) => a - b),
  );
  const expected = [0.5, 0.99].map((share) => {
    const values = Float64Array.from(drawn, (resample) => quantile(resample, share)).sort();
    return { low: quantile(values, (1 - 0.95) / 2), high: quantile(values, 1 - (1 - 0.95) / 2) };
  });
  assert.deepEqual(quantileIntervals(sorted, [0.5, 0.99], { seed: 4 }), expected);
  for (const level of [0, 1, -0.1, Number.NaN])
    assert.throws(() => quantileIntervals(sorted, [0.5], { seed: 1, level }), RangeError);
});

test('one value has a mean, every quantile, and no deviation; two have one', () => {
  assert.deepEqual(summarize([3]), { n: 1, mean: 3, standardDeviation: undefined });
  assert.equal(standardDeviation([1, 3]), Math.SQRT2);
  assert.equal(quantile([3], 0), 3);
  assert.equal(quantile([3], 1), 3);
  for (const [values, share] of [
    [[], 0.5],
    [[3], -0.01],
    [[3], 1.01],
  ] as [number[], number][])
    assert.throws(() => quantile(values, share), RangeError);
});
