import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { holm } from '../harness/statistics/holm.js';
import { mcnemar } from '../harness/statistics/mcnemar.js';
import { pairedT } from '../harness/statistics/paired-t.js';
import { countOutcomes, pairedDifferences } from '../harness/statistics/pairs.js';
import { pairedRandomization } from '../harness/statistics/randomization.js';
import { inFixtures } from './places.js';

// SciPy's and statsmodels' own answers; reference.py beside the file makes them.
const reference = JSON.parse(readFileSync(inFixtures('statistics/reference.json'), 'utf8'));

function near(actual: number | undefined, expected: number, allowed = 1e-9): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= allowed * Math.max(1, Math.abs(expected)),
    `${actual} is not ${expected}`,
  );
}

// Extra hours of sleep of ten patients under two drugs (Cushny and Peebles, 1905; Student, 1908), R's data set `sleep`.
const sleepDrug1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
const sleepDrug2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

// Darwin's 15 pairs of cross- and self-fertilised maize (Zea mays), differences in eighths of an inch, as Fisher gives them
// in The Design of Experiments, 1935, sections 17 and 21.
const darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];

function table(
  both: number,
  onlyBaseline: number,
  onlyCandidate: number,
  neither: number,
): [number[], number[]] {
  const repeat = (value: number, times: number) => Array.from({ length: times }, () => value);
  return [
    [...repeat(1, both), ...repeat(1, onlyBaseline), ...repeat(0, onlyCandidate), ...repeat(0, neither)],
    [...repeat(1, both), ...repeat(0, onlyBaseline), ...repeat(1, onlyCandidate), ...repeat(0, neither)],
  ];
}

test("paired t: R's t.test(extra ~ group, sleep, paired = TRUE)", () => {
  // R prints t = -4.0621, df = 9, p-value = 0.002833, 95 percent interval -2.4598858 -0.7001142, mean difference -1.58.
  const result = pairedT(sleepDrug2, sleepDrug1);
  assert.equal(result.t?.toFixed(4), '-4.0621');
  assert.equal(result.df, 9);
  assert.equal(result.p?.toFixed(6), '0.002833');
  assert.equal(result.interval?.low.toFixed(7), '-2.4598858');
  assert.equal(result.interval?.high.toFixed(7), '-0.7001142');
  near(result.difference, -1.58);
  near(result.effectSize! * Math.sqrt(10), result.t!);
});

test("paired t: Darwin's maize, t = 2.148 with 14 degrees of freedom (Fisher 1935, section 17)", () => {
  const result = pairedT(
    darwin.map(() => 0),
    darwin,
  );
  assert.equal(result.t?.toFixed(3), '2.148');
  assert.equal(result.df, 14);
});

test('paired t: SciPy, 2 to 500 pairs, 99% interval, effect size', () => {
  for (const { baseline, candidate, t, df, p, low, high, dz } of reference.pairedT) {
    const result = pairedT(baseline, candidate, 0.99);
    near(result.t, t);
    assert.equal(result.df, df);
    near(result.p, p);
    near(result.interval?.low, low);
    near(result.interval?.high, high);
    near(result.effectSize, dz);
  }
});

test('paired t: without spread it says so and never gives NaN', () => {
  const same = pairedT([0.1, 0.2, 0.3], [0.1, 0.2, 0.3]);
  assert.deepEqual([same.difference, same.t, same.p, same.effectSize], [0, 0, 1, 0]);
  assert.deepEqual(same.interval, { low: 0, high: 0, level: 0.95 });

  // 0.1 is not the same distance everywhere in binary: the spread left over is rounding.
  const shifted = pairedT([0.1, 0.2, 0.7], [0.2, 0.3, 0.8]);
  assert.deepEqual(
    [shifted.t, shifted.p, shifted.interval, shifted.effectSize],
    [Infinity, undefined, undefined, Infinity],
  );
  assert.match(shifted.reason!, /All 3 differences are 0.1/);
  const fallen = pairedT([1, 1], [0, 0]);
  assert.deepEqual([fallen.t, fallen.p, fallen.effectSize], [-Infinity, undefined, -Infinity]);

  const single = pairedT([0.1], [0.4]);
  assert.deepEqual([single.t, single.p, single.interval, single.df], [undefined, undefined, undefined, 0]);
  assert.match(single.reason!, /at least 2 pairs; there is 1/);
});

test('McNemar exact: the example of R package exact2x2 (9 against 2 discordant pairs, p = 0.06543)', () => {
  const result = mcnemar(...table(21, 9, 2, 12));
  assert.equal(result.p.toFixed(5), '0.06543');
  near(result.p, (2 * (1 + 11 + 55)) / 2 ** 11, 1e-12);
  near(result.oddsRatio, 2 / 9);
  near(result.difference, -7 / 44);
  assert.deepEqual(
    [result.n, result.both, result.neither, result.onlyBaseline, result.onlyCandidate],
    [44, 21, 12, 9, 2],
  );
  assert.ok(result.oddsRatioInterval!.high > 1, 'p above .05: the 95% interval holds 1');
});

test('McNemar exact: statsmodels, among them discordant pairs on one side only', () => {
  for (const { both, onlyBaseline, onlyCandidate, neither, p } of reference.mcnemar) {
    const result = mcnemar(...table(both, onlyBaseline, onlyCandidate, neither));
    near(result.p, p);
    const { low, high } = result.oddsRatioInterval!;
    assert.equal(low > 1 || high < 1, p < 0.05, 'the interval excludes 1 exactly where p < .05');
  }
  assert.equal(mcnemar(...table(5, 0, 6, 0)).oddsRatio, Infinity);
});

test('McNemar exact: identical runs give p = 1 and difference 0; graded values are refused', () => {
  const result = mcnemar([1, 0, 1], [1, 0, 1]);
  assert.deepEqual([result.p, result.difference, result.oddsRatio], [1, 0, undefined]);
  assert.throws(() => mcnemar([1, 0], [1, 0.5]), { code: 'RECORD_INVALID', message: /pair 2 is 0 and 0.5/ });
});

test("randomization: Darwin's maize, 1726 of 32768 arrangements, 5.267% (Fisher 1935, section 21)", () => {
  const zeros = darwin.map(() => 0);
  const exact = pairedRandomization(zeros, darwin, { permutations: 2 ** 15 });
  assert.deepEqual([exact.exact, exact.permutations, exact.p], [true, 2 ** 15, 1726 / 2 ** 15]);
  // Below that the signs are drawn: within four standard errors of the exact value, and the same for the same seed.
  const drawn = pairedRandomization(zeros, darwin, { seed: 1 });
  assert.deepEqual([drawn.exact, drawn.permutations], [false, 10_000]);
  near(drawn.p, 1726 / 2 ** 15, 4 * Math.sqrt((0.0527 * 0.9473) / 10_000));
  assert.deepEqual(pairedRandomization(zeros, darwin, { seed: 1 }), drawn);
  assert.notEqual(pairedRandomization(zeros, darwin, { seed: 2 }).p, drawn.p);
});

test("randomization: SciPy's exact permutation test of paired samples", () => {
  for (const { differences, p } of reference.randomization) {
    assert.equal(
      pairedRandomization(
        differences.map(() => 0),
        differences,
      ).p,
      p,
    );
  }
});

test('randomization: p is a count of at least 1 over N + 1', () => {
  const large = Array.from({ length: 100 }, (_, i) => 1 + i / 100);
  const { p } = pairedRandomization(
    large.map(() => 0),
    large,
    { permutations: 999 },
  );
  assert.equal(p, 1 / 1000);
});

test('randomization: identical runs give p = 1, ties add nothing, equal sums count as reached', () => {
  assert.deepEqual(pairedRandomization([0.2, 0.4], [0.2, 0.4]), {
    test: 'paired randomization',
    n: 2,
    difference: 0,
    p: 1,
    permutations: 1,
    exact: true,
  });
  // Four equal differences: only all + and all - reach the sum, whatever the zeros beside them; 0.1 does not sum exactly.
  const result = pairedRandomization([0, 0, 0, 0, 1, 1], [0.1, 0.1, 0.1, 0.1, 1, 1]);
  assert.deepEqual([result.p, result.permutations, result.exact], [2 / 2 ** 4, 16, true]);
  assert.throws(() => pairedRandomization([1], [2], { permutations: 0 }), {
    code: 'CONFIG_INVALID',
    message: /not 0/,
  });
});

test('randomization: sums that are equal on paper count as equal, those a little less do not', () => {
  // In tenths the sums are rounded, in whole numbers they are exact.
  const draws = stream(6, 'test');
  for (let repeat = 0; repeat < 100; repeat++) {
    const whole = Array.from({ length: 3 + draws.integer(8) }, () => draws.integer(9) - 4);
    const [zeros, tenths] = [whole.map(() => 0), whole.map((value) => value / 10)];
    const some = whole.filter((value) => value !== 0);
    const observed = Math.abs(some.reduce((sum, value) => sum + value, 0));
    let count = 0;
    for (let pattern = 0; pattern < 2 ** some.length; pattern++) {
      const sum = some.reduce((all, value, i) => all + ((pattern >> i) & 1 ? -value : value), 0);
      if (Math.abs(sum) >= observed) count++;
    }
    assert.equal(pairedRandomization(zeros, tenths).p, count / 2 ** some.length, `${whole}`);
    const drawn = { permutations: 5, seed: repeat };
    assert.equal(pairedRandomization(zeros, tenths, drawn).p, pairedRandomization(zeros, whole, drawn).p);
  }
  // 2.0000001 is reached by itself and its negative only; 1.9999999 is less.
  for (const small of [1e-7, 1e-9])
    assert.equal(pairedRandomization([0, 0, 0], [1, 1, small]).p, 2 / 8, `${small}`);
  // What is equal does not depend on the unit.
  for (const unit of [1e-15, 1e9])
    assert.equal(pairedRandomization([0, 0, 0], [unit, 2 * unit, 3 * unit]).p, 2 / 8, `${unit}`);
});

test("Holm: Wikipedia's worked example and statsmodels", () => {
  assert.deepEqual(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]);
  for (const { p, corrected } of reference.holm) {
    holm(p).forEach((value, i) => {
      near(value, corrected[i], 1e-14);
    });
  }
});

test('Holm: a test that could not judge is no member of the family', () => {
  assert.deepEqual(holm([0.02, undefined, 0.01]), [0.02, undefined, 0.02]);
  assert.deepEqual(holm([]), []);
  assert.deepEqual(holm([undefined]), [undefined]);
  assert.throws(() => holm([1.2]), RangeError);
});

test('wins, ties and losses: rounding alone is a tie, and lower can be better', () => {
  const differences = pairedDifferences([0.1 + 0.2, 1, 0.5, 2], [0.3, 0.9, 0.6, 3]);
  assert.equal(differences[0], 0);
  assert.deepEqual(countOutcomes(differences), { wins: 2, ties: 1, losses: 1 });
  assert.deepEqual(countOutcomes(differences, true), { wins: 1, ties: 1, losses: 2 });
  // A millionth of a millionth of the larger, of either sign; what is more counts.
  const tiny = pairedDifferences(
    [1, -0.3, -1, 1, 0, 1e-20],
    [1 + 5e-13, -(0.1 + 0.2), -1 - 5e-13, 1 - 1e-11, 1e-20, 0],
  );
  assert.deepEqual(countOutcomes(tiny), { wins: 1, ties: 3, losses: 2 });
});

test('samples that cannot be paired are refused', () => {
  for (const paired of [pairedT, mcnemar, pairedRandomization]) {
    assert.throws(() => paired([1, 0], [1]), { code: 'RECORD_INVALID', message: /not 2 and 1/ });
    assert.throws(() => paired([], []), { code: 'RECORD_INVALID', message: /empty/ });
    assert.throws(() => paired([0, 1], [0, Number.NaN]), {
      code: 'RECORD_INVALID',
      message: /Number 2.*NaN/,
    });
  }
  assert.throws(() => pairedT([1, 2], [2, 4], 95), { code: 'CONFIG_INVALID', message: /not at 95/ });
});
