import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Stream, stream } from '../harness/random.js';
import { equivalence } from '../harness/statistics/equivalence.js';
import { mcnemar } from '../harness/statistics/mcnemar.js';
import { pairedT } from '../harness/statistics/paired-t.js';
import {
  type PairedSpread,
  powerOf,
  queriesNeeded,
  smallestDifference,
} from '../harness/statistics/power.js';
import { powerOfMcNemar, powerOfPairedT } from '../harness/statistics/power-of-tests.js';
import { inFixtures } from './places.js';

const reference = JSON.parse(readFileSync(inFixtures('statistics/power.json'), 'utf8'));
const target = { power: 0.8, alpha: 0.05 };

// The standard error of a share of 0.8 in 2,000 simulations is 0.9 %, of 0.05 0.5 %; the bands are two and a half of them.
const isThorough = process.env.STRATA_TEST_THOROUGH === '1';
const simulations = isThorough ? 20_000 : 2000;
const narrower = Math.sqrt(2000 / simulations);

function shareOf(name: string, found: (draws: Stream) => boolean): number {
  let count = 0;
  for (let i = 0; i < simulations; i++) if (found(stream(i, 'power', name))) count++;
  return count / simulations;
}

function inBand(value: number, expected: number, band: number, what: string): void {
  assert.ok(Math.abs(value - expected) <= band * narrower, `${what}: ${value}, expected ${expected}`);
}

const zeros = (n: number) => new Float64Array(n);
const normals = (draws: Stream, n: number, mean: number, deviation: number) =>
  Array.from({ length: n }, () => mean + deviation * draws.normal());
/** Pairs of 0 and 1 of which a share is discordant, the candidate ahead by a difference. */
function binaryPairs(draws: Stream, n: number, discordant: number, difference: number): [number[], number[]] {
  const baseline: number[] = [];
  const candidate: number[] = [];
  for (let i = 0; i < n; i++) {
    const u = draws.uniform();
    const wins = u < (discordant + difference) / 2;
    const loses = !wins && u < discordant;
    baseline.push(loses || (!wins && draws.uniform() < 0.5) ? 1 : 0);
    candidate.push(wins ? 1 : loses ? 0 : baseline.at(-1)!);
  }
  return [baseline, candidate];
}

test('the power of both tests is that of SciPy', () => {
  for (const [effect, n, alpha, expected] of reference.pairedT) {
    assert.ok(Math.abs(powerOfPairedT(effect, n, alpha) - expected) < 1e-7, `t ${effect} ${n} ${alpha}`);
  }
  for (const [discordant, difference, n, alpha, expected] of reference.mcnemar) {
    const power = powerOfMcNemar(discordant, difference, n, alpha);
    assert.ok(Math.abs(power - expected) < 1e-7, `McNemar ${discordant} ${difference} ${n}: ${power}`);
  }
});

test('two one-sided tests give what SciPy gives', () => {
  for (const [differences, margin, p, notWorse] of reference.equivalence) {
    const found = equivalence(zeros(differences.length), differences, margin);
    assert.ok(Math.abs(found.p! - p) < 1e-12 && Math.abs(found.notWorseP! - notWorse) < 1e-12);
    assert.equal(found.p! < 0.05, found.interval!.low > -margin && found.interval!.high < margin);
    // Of a measure of which less is better the other side is the worse one.
    const lower = equivalence(
      zeros(differences.length),
      differences.map((d: number) => -d),
      margin,
      true,
    );
    assert.ok(Math.abs(lower.notWorseP! - notWorse) < 1e-12);
  }
});

test('a difference of the smallest size is found with the power promised', () => {
  for (const n of [5, 60, 1000]) {
    const deviation = 0.3;
    const difference = smallestDifference({ test: 'paired t', deviation }, n, target)!;
    const found = shareOf(
      `t ${n}`,
      (draws) => pairedT(zeros(n), normals(draws, n, difference, deviation)).p! < 0.05,
    );
    inBand(found, 0.8, 0.0225, `paired t of ${n}`);
  }
  for (const [n, discordant] of [
    [200, 0.2],
    [1000, 0.1],
  ] as const) {
    const difference = smallestDifference({ test: 'McNemar exact', discordant }, n, target)!;
    const found = shareOf(
      `McNemar ${n}`,
      (draws) => mcnemar(...binaryPairs(draws, n, discordant, difference)).p < 0.05,
    );
    inBand(found, 0.8, 0.0225, `McNemar of ${n}`);
  }
});

test('so many queries as are said to be needed are enough, and fewer are not', () => {
  const spreads: PairedSpread[] = [
    { test: 'paired t', deviation: 0.3 },
    { test: 'McNemar exact', discordant: 0.2 },
  ];
  for (const spread of spreads) {
    const n = queriesNeeded(spread, 0.03, target)!;
    assert.ok(powerOf(spread, n, 0.03, 0.05) >= 0.8 && powerOf(spread, n - 1, 0.03, 0.05) < 0.8, `${n}`);
    // What n queries need no more than: the same question, asked the other way.
    assert.ok(smallestDifference(spread, n, target)! <= 0.03);
    assert.ok(smallestDifference(spread, Math.round(n * 0.9), target)! > 0.03);
    assert.equal(queriesNeeded(spread, -0.03, target), n, 'a loss is as hard to see as a gain');
  }
  assert.equal(queriesNeeded(spreads[0]!, 1e-9, target), undefined);
  assert.equal(smallestDifference({ test: 'McNemar exact', discordant: 0.01 }, 100, target), undefined);
});

test('equivalence is claimed of systems that differ by the margin in no more than 5 % of cases', () => {
  const margin = 0.03;
  for (const n of [30, 500]) {
    for (const difference of [-margin, margin]) {
      const claimed = shareOf(`graded ${n} ${difference}`, (draws) => {
        return equivalence(zeros(n), normals(draws, n, difference, 0.05), margin).p! < 0.05;
      });
      inBand(claimed, 0.05, 0.0125, `graded, ${n} queries, difference ${difference}`);
    }
  }
  const claimed = shareOf('binary', (draws) => {
    return equivalence(...binaryPairs(draws, 1000, 0.1, margin), margin).p! < 0.05;
  });
  inBand(claimed, 0.05, 0.0125, 'of 0 and 1');
  const equal = shareOf(
    'equal',
    (draws) => equivalence(zeros(500), normals(draws, 500, 0, 0.2), margin).p! < 0.05,
  );
  assert.ok(equal > 0.85, `equal systems are found equal: ${equal}`);
});

test('of two systems that differ in nothing p is a bound, and only where values have one', () => {
  const alike = Array.from({ length: 300 }, (_, i) => (i % 3) / 2);
  const found = equivalence(alike, alike, 0.01);
  assert.equal(found.p, 0.99 ** 300);
  assert.match(found.reason!, /^All 300 differences are 0/);
  assert.equal(equivalence([0, 1, 1], [0, 1, 1], 2).p, 0, 'shares never differ by 2');
  assert.equal(equivalence([3, 4], [3, 4], 0.01).p, undefined);
  assert.match(equivalence([0, 0], [0.5, 0.5], 1).reason!, /All 2 differences are 0.5/);
  assert.match(equivalence([0.5, 0.5], [0, 0], 1).reason!, /All 2 differences are -0.5/);
  for (const ends of [
    [0, 1],
    [1, 0],
  ])
    assert.equal(equivalence(ends, ends, 0.5).p, 0.25);
  for (const beyond of [
    [-0.1, 0.5],
    [0.5, 1.1],
  ])
    assert.equal(equivalence(beyond, beyond, 0.5).p, undefined);
  assert.match(equivalence([0], [0.5], 1).reason!, /at least 2 pairs/);
});

test('what is out of range is refused with the value seen', () => {
  const graded: PairedSpread = { test: 'paired t', deviation: 0.3 };
  const code = 'CONFIG_INVALID';
  assert.throws(() => smallestDifference(graded, 1, target), {
    code,
    message: /whole number from 2, not 1\./,
  });
  assert.throws(() => smallestDifference(graded, 9, { power: 1, alpha: 0.05 }), { code, message: /not 1\./ });
  assert.throws(() => smallestDifference(graded, 9, { power: 0.04, alpha: 0.05 }), {
    code,
    message: /not 0.04/,
  });
  assert.throws(() => queriesNeeded(graded, 0, target), { code, message: /other than 0, not 0/ });
  assert.throws(() => queriesNeeded({ test: 'paired t', deviation: 0 }, 1, target), {
    code,
    message: /above 0, not 0/,
  });
  assert.throws(() => queriesNeeded({ test: 'McNemar exact', discordant: 2 }, 0.1, target), {
    code,
    message: /not 2/,
  });
  assert.throws(() => equivalence([0, 1], [1, 1], 0), { code, message: /above 0, not 0/ });
  assert.throws(() => equivalence([0, 1], [1, 1], Number.NaN), { code, message: /not NaN/ });
});
