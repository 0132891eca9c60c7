import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Stream, stream } from '../harness/random.js';
import { bootstrapStatistic } from '../harness/statistics/bootstrap.js';
import { mcnemar } from '../harness/statistics/mcnemar.js';
import { pairedT } from '../harness/statistics/paired-t.js';
import { pairedDifferences } from '../harness/statistics/pairs.js';
import { pairedRandomization } from '../harness/statistics/randomization.js';

// Systems that differ by chance alone must look different to a test at .05 in 5% of cases. With 2,000 simulations the
// standard error of that share is 0.5%, so the band of [.04, .06] is two of them to either side.
const simulations = 2000;

/** Two runs of n queries whose values come from the same distribution: a query's difficulty, and luck. */
function nullRuns(draws: Stream, n: number): [number[], number[]] {
  const difficulty = Array.from({ length: n }, () => draws.normal());
  return [difficulty.map((d) => d + draws.normal()), difficulty.map((d) => d + draws.normal())];
}

/** The share of simulations in which something is found. */
function shareOf(name: string, found: (draws: Stream, simulation: number) => boolean): number {
  let count = 0;
  for (let i = 0; i < simulations; i++) if (found(stream(i, 'calibration', name), i)) count++;
  return count / simulations;
}

function share(name: string, p: (draws: Stream, simulation: number) => number): number {
  return shareOf(name, (draws, simulation) => p(draws, simulation) < 0.05);
}

function inBand(value: number): void {
  assert.ok(value >= 0.04 && value <= 0.06, `share of p < .05 under the null: ${value}`);
}

test('paired t keeps its level, over 5 seeds as over 50 queries', () => {
  for (const n of [5, 50]) inBand(share(`t${n}`, (draws) => pairedT(...nullRuns(draws, n)).p!));
});

test('the randomization test keeps its level, with drawn signs and with all of them', () => {
  inBand(
    share('drawn', (draws, seed) => {
      const result = pairedRandomization(...nullRuns(draws, 30), { permutations: 999, seed });
      assert.equal(result.exact, false);
      return result.p;
    }),
  );
  inBand(share('exact', (draws) => pairedRandomization(...nullRuns(draws, 9), { permutations: 512 }).p));
});

test("McNemar's exact test is discrete and conservative: at most .06, and not idle", () => {
  const value = share('mcnemar', (draws) => {
    const queries = Array.from({ length: 400 }, () => draws.uniform());
    const answered = () => queries.map((chance) => (draws.uniform() < chance ? 1 : 0));
    return mcnemar(answered(), answered()).p;
  });
  assert.ok(value <= 0.06 && value >= 0.02, `share of p < .05 under the null: ${value}`);
});

test('95% bootstrap intervals of a difference hold the true one about 95% of the time', () => {
  for (const method of ['percentile', 'bca'] as const) {
    const missed = shareOf(method, (draws, seed) => {
      const differences = pairedDifferences(...nullRuns(draws, 150));
      const { interval } = bootstrapStatistic(differences, 'mean', { method, resamples: 399, seed });
      return interval.low > 0 || interval.high < 0;
    });
    // Of few values a bootstrap is slightly too narrow, normal where t would be right: 150 are enough for the band.
    assert.ok(missed >= 0.04 && missed <= 0.06, `${method} interval missed 0 in ${missed}`);
  }
});

test('a drop of 5 points on 2,000 queries is found by each test', () => {
  const draws = stream(7, 'drop');
  const baseline = Array.from({ length: 2000 }, () => (draws.uniform() < 0.7 ? 1 : 0));
  // 12% of queries change for the worse and 7% for the better, where they can.
  const candidate = baseline.map((hit) =>
    draws.uniform() < (hit ? 0.12 / 0.7 : 0.07 / 0.3) ? 1 - hit : hit,
  );
  for (const compare of [pairedT, mcnemar, pairedRandomization])
    assert.ok(compare(baseline, candidate).p! < 0.001);
  assert.ok(bootstrapStatistic(pairedDifferences(baseline, candidate), 'mean').interval.high < 0);
});
