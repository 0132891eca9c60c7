/** Lines by least squares against NIST's certified values and Anscombe's quartet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { fitLine } from '../harness/statistics/linear-fit.js';

const close = (found: number, expected: number, relative: number) =>
  assert.ok(Math.abs(found - expected) <= relative * Math.abs(expected), `${found}, not ${expected}`);

// NIST StRD, Norris: x and y of 36 observations.
const norris = [
  [0.2, 0.1],
  [337.4, 338.8],
  [118.2, 118.1],
  [884.6, 888],
  [10.1, 9.2],
  [226.5, 228.1],
  [666.3, 668.5],
  [996.3, 998.5],
  [448.6, 449.1],
  [777, 778.9],
  [558.2, 559.2],
  [0.4, 0.3],
  [0.6, 0.1],
  [775.5, 778.1],
  [666.9, 668.8],
  [338, 339.3],
  [447.5, 448.9],
  [11.6, 10.8],
  [556, 557.7],
  [228.1, 228.3],
  [995.8, 998],
  [887.6, 888.8],
  [120.2, 119.6],
  [0.3, 0.3],
  [0.3, 0.6],
  [556.8, 557.6],
  [339.1, 339.3],
  [887.2, 888],
  [999, 998.5],
  [779, 778.9],
  [11.1, 10.2],
  [118.3, 117.6],
  [229.2, 228.9],
  [669.1, 668.4],
  [448.9, 449.2],
  [0.5, 0.2],
] as const;

test("NIST's Norris: intercept, slope and R2 as certified", () => {
  const fit = fitLine(
    norris.map(([x]) => x),
    norris.map(([, y]) => y),
  );
  close(fit.intercept, -0.262323073774029, 1e-11);
  close(fit.slope, 1.00211681802045, 1e-13);
  close(fit.r2!, 0.999993745883712, 1e-13);
  const squares = fit.residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  close(Math.sqrt(squares / 34), 0.884796396144373, 1e-11);
  // The certified deviation of the intercept, 34 degrees of freedom: t is 2.0322445 (R's qt(0.975, 34)).
  const { value, interval } = fit.at(0);
  assert.equal(value, fit.intercept);
  close(interval!.high - interval!.low, 2 * 2.03224450931772 * 0.232818234301152, 1e-8);
});

test("Anscombe's first two sets have one line, and residuals tell them apart", () => {
  const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
  const first = fitLine(x, [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]);
  const second = fitLine(x, [9.14, 8.14, 8.74, 8.77, 9.26, 8.1, 6.13, 3.1, 9.13, 7.26, 4.74]);
  for (const { intercept, slope, r2 } of [first, second]) {
    assert.equal(intercept.toFixed(2), '3.00');
    assert.equal(slope.toFixed(3), '0.500');
    assert.equal(r2!.toFixed(2), '0.67');
  }
  assert.notEqual(first.residuals[3]!.toFixed(2), second.residuals[3]!.toFixed(2));
});

test('points of a line leave nothing over; equal y have no share to explain; one place has no line', () => {
  const exact = fitLine([1, 2, 4], [5, 7, 11]);
  assert.deepEqual([exact.intercept, exact.slope, exact.r2], [3, 2, 1]);
  assert.deepEqual(exact.residuals, [0, 0, 0]);
  assert.deepEqual(exact.at(10), { value: 23, interval: { low: 23, high: 23, level: 0.95 } });
  assert.equal(fitLine([1, 2], [5, 7]).at(3).interval, undefined);
  assert.deepEqual([fitLine([1, 2], [4, 4]).slope, fitLine([1, 2], [4, 4]).r2], [0, undefined]);
  assert.throws(
    () => fitLine([2, 2], [1, 3]),
    (error: BenchError) => error.code === 'RECORD_INVALID',
  );
  assert.throws(() => fitLine([1], [1, 3]), RangeError);
  assert.throws(
    () => fitLine([1, Number.NaN], [1, 3]),
    (error: BenchError) => error.code === 'RECORD_INVALID',
  );
});
