import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Stream, stream } from '../harness/random.js';
import { bootstrapRatio, bootstrapStatistic } from '../harness/statistics/bootstrap.js';
import { bootstrapInterval } from '../harness/statistics/bootstrap-interval.js';
import { compareLatency } from '../harness/statistics/latency-ratio.js';
import { pairedDifferences } from '../harness/statistics/pairs.js';
import { meanOf, quantileOf } from '../harness/statistics/resample.js';
import { mean, quantile } from '../harness/statistics/summary.js';
import { inFixtures } from './places.js';

// SciPy's own answers for the replicates it drew; reference.py beside the file makes them.
const { bootstrap } = JSON.parse(readFileSync(inFixtures('statistics/reference.json'), 'utf8'));

const sortedQuantile = (values: number[], q: number) =>
  quantile(
    [...values].sort((a, b) => a - b),
    q,
  );

/** The statistic without each value of sample `which` in turn, the plain way; paired samples lose the pair. */
function leftOut(
  samples: number[][],
  which: number,
  paired: boolean,
  statistic: (...s: number[][]) => number,
) {
  return samples[which]!.map((_, i) =>
    statistic(...samples.map((sample, s) => (paired || s === which ? sample.toSpliced(i, 1) : sample))),
  );
}

test("percentile and BCa intervals agree with scipy.stats.bootstrap on SciPy's own replicates", () => {
  const statistics: Record<string, (...samples: number[][]) => number> = {
    mean: (x) => mean(x!),
    'paired ratio of means': (x, y) => mean(y!) / mean(x!),
    'unpaired ratio of means': (x, y) => mean(y!) / mean(x!),
    'unpaired ratio of medians': (x, y) => sortedQuantile(y!, 0.5) / sortedQuantile(x!, 0.5),
  };
  assert.equal(bootstrap.length, 4);
  for (const { name, samples, estimate, replicates, percentile, bca } of bootstrap) {
    const statistic = statistics[name]!;
    assert.ok(Math.abs(statistic(...samples) - estimate) < 1e-12);
    const paired = name.startsWith('paired');
    const jackknife = (paired ? [0] : samples.map((_: unknown, i: number) => i)).map((which: number) =>
      leftOut(samples, which, paired, statistic),
    );
    for (const [method, expected] of [
      ['percentile', percentile],
      ['bca', bca],
    ] as const) {
      const interval = bootstrapInterval(estimate, Float64Array.from(replicates), jackknife, 0.9, method);
      assert.equal(interval.method, method);
      assert.ok(
        Math.abs(interval.low - expected[0]) < 1e-9,
        `${name} ${method}: ${interval.low}, not ${expected[0]}`,
      );
      assert.ok(
        Math.abs(interval.high - expected[1]) < 1e-9,
        `${name} ${method}: ${interval.high}, not ${expected[1]}`,
      );
    }
  }
});

test('our draws give the interval of scipy.stats.bootstrap within the error of drawing', () => {
  for (const { name, samples, percentile } of bootstrap.slice(1)) {
    const ours = bootstrapRatio(samples[0], samples[1], {
      of: name.endsWith('medians') ? 'median' : 'mean',
      paired: name.startsWith('paired'),
      method: 'percentile',
      level: 0.9,
      resamples: 4000,
    });
    const allowed = 0.2 * (percentile[1] - percentile[0]);
    assert.ok(Math.abs(ours.interval.low - percentile[0]) < allowed, `${name} ${ours.interval.low}`);
    assert.ok(Math.abs(ours.interval.high - percentile[1]) < allowed, `${name} ${ours.interval.high}`);
  }
});

const { cases: unpaired } = JSON.parse(readFileSync(inFixtures('statistics/unpaired-ratio.json'), 'utf8'));

test('BCa of an unpaired ratio ends where that of scipy.stats.bootstrap does', () => {
  for (const { name, samples, estimate, percentile, bca } of unpaired) {
    const ours = bootstrapRatio(samples[0], samples[1], {
      ...{ of: name, paired: false, level: 0.9, resamples: 50_000 },
    });
    assert.equal(ours.interval.method, 'bca');
    assert.ok(Math.abs(ours.estimate - estimate) < 1e-12);
    const ends = [ours.interval.low, ours.interval.high];
    for (const [i, end] of ends.entries()) {
      // What BCa moves an end by is far more than what drawing again does.
      const moved = Math.abs(bca[i] - percentile[i]);
      assert.ok(moved > 0.02 * bca[i], `end ${i} is moved by ${moved}`);
      assert.ok(Math.abs(end - bca[i]) < 0.15 * moved, `end ${i} is ${end}, SciPy's ${bca[i]}`);
    }
  }
});

test('the interval of a ratio is that of its own draws and of the plain jackknife', () => {
  const draws = stream(8, 'test');
  const [few, many] = [9, 14].map((n) => Array.from({ length: n }, () => Math.exp(draws.normal())));
  const statistics = {
    mean: (values: number[]) => mean(values),
    median: (values: number[]) => sortedQuantile(values, 0.5),
  };
  for (const [of, statistic] of Object.entries(statistics)) {
    for (const paired of [true, false]) {
      const samples = [few!, paired ? many!.slice(0, 9) : many!];
      const ratio = (x: number[], y: number[]) => statistic(y) / statistic(x);
      const source = stream(17, 'bootstrap');
      const replicates = Float64Array.from({ length: 300 }, () => {
        const lists = (paired ? [9] : [9, 14]).map((n) => Array.from({ length: n }, () => draw(source, n)));
        const [x, y] = samples.map((values, s) => (lists[s] ?? lists[0]!).map((i) => values[i]!));
        return ratio(x!, y!);
      });
      const jackknife = (paired ? [0] : [0, 1]).map((which) => leftOut(samples, which, paired, ratio));
      const estimate = ratio(samples[0]!, samples[1]!);
      const expected = bootstrapInterval(estimate, replicates, jackknife, 0.9, 'bca');
      const { interval } = bootstrapRatio(samples[0]!, samples[1]!, {
        ...{ of: of as 'mean' | 'median', paired, level: 0.9, resamples: 300, seed: 17 },
      });
      assert.equal(interval.method, 'bca');
      assert.ok(Math.abs(interval.low - expected.low) < 1e-9, `${of} ${paired}: ${interval.low}`);
      assert.ok(Math.abs(interval.high - expected.high) < 1e-9, `${of} ${paired}: ${interval.high}`);
    }
  }
});

/** A whole number in [0, n): 2^32 cut into n equal parts, what is left over drawn again. */
function draw(source: Stream, n: number): number {
  const part = Math.floor(2 ** 32 / n);
  let bits = source.bits();
  while (bits >= n * part) bits = source.bits();
  return Math.floor(bits / part);
}

test('quantiles of resamples and left-out values equal sorting them afresh, ties and even counts included', () => {
  const draws = stream(3, 'test');
  for (const n of [2, 3, 8, 25]) {
    const values = Array.from({ length: n }, () => draws.integer(12));
    for (const q of [0, 0.3, 0.5, 0.95, 1]) {
      const fast = quantileOf(values, q);
      assert.equal(fast.whole, sortedQuantile(values, q));
      for (let repeat = 0; repeat < 20; repeat++) {
        const indices = Uint32Array.from({ length: n }, () => draws.integer(n));
        const plain = sortedQuantile(
          Array.from(indices, (i) => values[i]!),
          q,
        );
        assert.equal(fast.at(indices), plain);
      }
      const plain = values.map((_, i) => sortedQuantile(values.toSpliced(i, 1), q));
      assert.deepEqual(Array.from(fast.leftOut()), plain);
    }
    const plainMeans = values.map((_, i) => mean(values.toSpliced(i, 1)));
    meanOf(values)
      .leftOut()
      .forEach((value, i) => {
        assert.ok(Math.abs(value - plainMeans[i]!) < 1e-12);
      });
  }
});

test('identical runs: difference 0 with interval [0, 0]; identical latencies: ratio 1 with interval [1, 1]', () => {
  const values = [0.2, 0.9, 0.4, 1];
  const { estimate, interval } = bootstrapStatistic(pairedDifferences(values, values), 'mean');
  assert.deepEqual([estimate, interval.low, interval.high], [0, 0, 0]);
  // No value has any influence: the acceleration is 0, and BCa exists.
  assert.equal(interval.method, 'bca');
  const ratio = compareLatency(values, values, { paired: true });
  for (const part of [ratio.ratioOfMedians, ratio.ratioOfMeans]) {
    assert.deepEqual([part.estimate, part.interval.low, part.interval.high], [1, 1, 1]);
  }
});

test('the same seed gives the same interval, another seed another one', () => {
  const values = Array.from({ length: 40 }, (_, i) => Math.sqrt(i));
  const first = bootstrapStatistic(values, { quantile: 0.95 }, { seed: 5 });
  assert.deepEqual(bootstrapStatistic(values, { quantile: 0.95 }, { seed: 5 }), first);
  const other = bootstrapStatistic(values, 'mean', { seed: 6 });
  assert.notDeepEqual(bootstrapStatistic(values, 'mean', { seed: 5 }).interval, other.interval);
});

test('pairing takes out what is slow about a query: the same ratio, a much narrower interval', () => {
  const draws = stream(4, 'latency');
  const baseline = Array.from({ length: 200 }, () => Math.exp(draws.normal()));
  const candidate = baseline.map((ms) => ms * 2 * Math.exp(0.02 * draws.normal()));
  const paired = compareLatency(baseline, candidate, { paired: true }).ratioOfMeans;
  const unpaired = compareLatency(baseline, candidate, { paired: false }).ratioOfMeans;
  assert.equal(paired.estimate, unpaired.estimate);
  assert.ok(paired.interval.low < 2.01 && paired.interval.high > 1.99);
  const width = ({ interval }: typeof paired) => interval.high - interval.low;
  assert.ok(width(unpaired) > 10 * width(paired));
});

test('samples of different sizes can be compared unpaired, never paired', () => {
  const { baselineCount, candidateCount, ratioOfMedians } = compareLatency([1, 2, 3], [2, 4, 6, 8], {
    paired: false,
  });
  assert.deepEqual([baselineCount, candidateCount, ratioOfMedians.estimate], [3, 4, 2.5]);
  assert.throws(() => compareLatency([1, 2, 3], [2, 4, 6, 8], { paired: true }), {
    code: 'RECORD_INVALID',
    message: /not 3 and 4/,
  });
});

test('BCa that does not exist is given as percentile and says so', () => {
  const replicates = Float64Array.of(2, 3, 4);
  assert.equal(bootstrapInterval(1, replicates, [[1, 2, 3]], 0.95, 'bca').method, 'percentile');
  assert.equal(bootstrapInterval(3, replicates, [[1, 2, 3]], 0.95, 'bca').method, 'bca');
});

test('too few values, latencies of 0 and wrong options are refused', () => {
  assert.throws(() => bootstrapStatistic([1], 'mean'), { code: 'RECORD_INVALID', message: /at least 2/ });
  assert.throws(() => bootstrapStatistic([], 'mean'), { code: 'RECORD_INVALID' });
  assert.throws(() => bootstrapRatio([1], [2], { paired: true }), {
    code: 'RECORD_INVALID',
    message: /at least 2 values; of the baseline's values there is 1/,
  });
  assert.throws(() => bootstrapRatio([1, 2], [2], { paired: false }), /of the candidate's values there is 1/);
  assert.throws(() => bootstrapRatio([1, 0], [1, 2], { paired: true }), {
    code: 'RECORD_INVALID',
    message: /Number 2 of the baseline's values is 0/,
  });
  assert.throws(() => bootstrapRatio([1, 2], [1, Number.NaN], { paired: true }), { code: 'RECORD_INVALID' });
  assert.throws(() => bootstrapStatistic([1, 2], 'mean', { resamples: 0.5 }), { code: 'CONFIG_INVALID' });
  for (const level of [0, 1])
    assert.throws(() => bootstrapStatistic([1, 2], 'mean', { level }), { code: 'CONFIG_INVALID' });
  assert.throws(() => bootstrapStatistic([1, 2], { quantile: 95 }), RangeError);
});

test('of many values, of which a step of the stream is no whole share, each is drawn as often', () => {
  // 2^32 is not far from half a step more than a multiple of so many: some words of the stream are drawn again.
  const n = 90_000;
  const values = Float64Array.from({ length: n }, (_, i) => i);
  const { interval } = bootstrapStatistic(values, 'mean', { resamples: 200, method: 'percentile' });
  const error = Math.sqrt((n * n - 1) / 12 / n);
  const middle = (n - 1) / 2;
  for (const end of [(middle - interval.low) / error, (interval.high - middle) / error])
    assert.ok(end > 1.4 && end < 2.6, `${end} standard errors`);
});
