import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bootstrapRatio } from '../harness/statistics/bootstrap.js';
import {
  binomialCdf,
  clopperPearson,
  logGamma,
  normalCdf,
  normalQuantile,
  studentLowerP,
  studentQuantile,
  studentTwoSidedP,
} from '../harness/statistics/distributions.js';
import { holm } from '../harness/statistics/holm.js';
import { quantileIntervals } from '../harness/statistics/quantile-intervals.js';
import { mean, quantile, standardDeviation, summarize } from '../harness/statistics/summary.js';
import { inFixtures } from './places.js';

// SciPy's and NumPy's own answers; reference.py beside the file makes them.
const { distributions, summary } = JSON.parse(readFileSync(inFixtures('statistics/reference.json'), 'utf8'));

function near(actual: number, expected: number, relative: number, what: string): void {
  const allowed = relative * Math.abs(expected) + 1e-300;
  assert.ok(Math.abs(actual - expected) <= allowed, `${what}: ${actual} is not ${expected}`);
}

test("Student's t agrees with SciPy from the centre to p of 1e-300, for 1 to 100,000 degrees of freedom", () => {
  assert.ok(distributions.studentTwoSided.length > 100);
  for (const [t, df, p] of distributions.studentTwoSided) {
    near(studentTwoSidedP(t, df), p, 1e-9, `p of t ${t}, df ${df}`);
    assert.equal(studentTwoSidedP(-t, df), studentTwoSidedP(t, df));
  }
  for (const [p, df, t] of distributions.studentQuantile) {
    near(studentQuantile(p, df), t, 1e-9, `t of p ${p}, df ${df}`);
  }
  assert.equal(studentTwoSidedP(Infinity, 4), 0);
  assert.equal(studentTwoSidedP(0, 4), 1);
  // A printed table's 0.975 quantiles for 1, 4 and 9 degrees of freedom.
  assert.deepEqual(
    [1, 4, 9].map((df) => studentQuantile(0.975, df).toFixed(3)),
    ['12.706', '2.776', '2.262'],
  );
});

test('the normal and the binomial distribution agree with SciPy', () => {
  for (const [z, p] of distributions.normalCdf) near(normalCdf(z), p, 1e-12, `normal ${z}`);
  for (const [p, z] of distributions.normalQuantile)
    near(normalQuantile(p), z, 1e-12, `normal quantile ${p}`);
  for (const [k, n, p, cdf] of distributions.binomialCdf) {
    near(binomialCdf(k, n, p), cdf, 1e-9, `binomial ${k} of ${n}, ${p}`);
  }
  assert.equal(binomialCdf(7, 7, 0.5), 1);
  for (const [k, n, low, high] of distributions.clopperPearson) {
    const interval = clopperPearson(k, n, 0.95);
    near(interval[0], low, 1e-9, `low end for ${k} of ${n}`);
    near(interval[1], high, 1e-9, `high end for ${k} of ${n}`);
  }
});

test('arguments outside a distribution are a programmer error, not a NaN', () => {
  const outside = [Number.NaN, -0.1, 1.1];
  const noDegrees = [0, -1, 2.5, Number.NaN, Infinity];
  const wrong: (() => unknown)[] = [
    ...noDegrees.flatMap((df) => [
      () => studentTwoSidedP(1, df),
      () => studentLowerP(1, df),
      () => studentQuantile(0.5, df),
    ]),
    () => studentTwoSidedP(Number.NaN, 3),
    () => studentLowerP(Number.NaN, 3),
    ...[...outside, 0, 1].flatMap((p) => [() => studentQuantile(p, 3), () => normalQuantile(p)]),
    ...[0, -1, Number.NaN].map((x) => () => logGamma(x)),
    ...[-1, 0.5, 3].map((k) => () => binomialCdf(k, 2, 0.5)),
    () => binomialCdf(1, 2.5, 0.5),
    ...outside.map((p) => () => binomialCdf(1, 2, p)),
    ...outside.flatMap((q) => [
      () => quantile([1], q),
      () => bootstrapRatio([1, 2], [1, 2], { of: { quantile: q }, paired: true }),
    ]),
    () => quantile([], 0.5),
    ...outside.map((p) => () => holm([0.5, p])),
    ...[...outside, 0, 1].map((level) => () => quantileIntervals([1, 2], [0.5], { seed: 1, level })),
  ];
  for (const [i, call] of wrong.entries()) assert.throws(call, RangeError, `${i}: ${call}`);
});

test('the ends of what a distribution takes are taken', () => {
  assert.deepEqual([studentLowerP(-Infinity, 1), studentLowerP(Infinity, 1)], [0, 1]);
  assert.deepEqual([studentTwoSidedP(Infinity, 1), studentTwoSidedP(-Infinity, 1)], [0, 0]);
  for (const z of [40, 5.7e5, 1e6 * Math.SQRT2, 1e160, Infinity])
    assert.deepEqual([normalCdf(-z), normalCdf(z)], [0, 1], `${z} deviations`);
  near(studentLowerP(1, 1), 0.75, 1e-12, "Cauchy's distribution");
  near(studentLowerP(-1, 1), 0.25, 1e-12, "Cauchy's distribution");
  near(studentQuantile(0.75, 1), 1, 1e-9, "Cauchy's distribution");
  assert.deepEqual([binomialCdf(0, 2, 0), binomialCdf(0, 2, 1), binomialCdf(1, 2, 1)], [1, 0, 0]);
  assert.deepEqual([binomialCdf(2, 2, 1), binomialCdf(0, 0, 0.5)], [1, 1]);
  assert.deepEqual([quantile([3, 5], 0), quantile([3, 5], 1)], [3, 5]);
  assert.deepEqual(holm([0, 1]), [0, 1]);
  near(logGamma(0.5), Math.log(Math.PI) / 2, 1e-12, 'gamma of a half');
});

test('mean, standard deviation and quantiles agree with NumPy', () => {
  near(mean(summary.values), summary.mean, 1e-14, 'mean');
  near(standardDeviation(summary.values)!, summary.standardDeviation, 1e-13, 'standard deviation');
  const sorted = [...summary.values].sort((a: number, b: number) => a - b);
  for (const [q, value] of summary.quantiles) near(quantile(sorted, q), value, 1e-13, `quantile ${q}`);
});

test('a mean over seeds has a standard deviation only from two seeds on', () => {
  assert.deepEqual(summarize([0.5]), { n: 1, mean: 0.5, standardDeviation: undefined });
  assert.deepEqual(summarize([1, 2, 3]), { n: 3, mean: 2, standardDeviation: 1 });
});

test('no values and values that are not finite are refused with their place', () => {
  assert.throws(() => mean([]), { name: 'BenchError', code: 'RECORD_INVALID', message: /empty/ });
  assert.throws(() => mean([1, Number.NaN]), {
    code: 'RECORD_INVALID',
    message: /Number 2 of the values is NaN/,
  });
  assert.throws(() => standardDeviation([Infinity, 1]), { code: 'RECORD_INVALID' });
});
