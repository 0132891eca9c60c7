import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Stream, stream } from '../harness/random.js';
import { type RankedValues, rankSystems } from '../harness/statistics/ranks.js';

// Chances of 5 % at most, so the share of 2,000 simulations may be two and a half standard errors of 0.5 % above it.
const isThorough = process.env.STRATA_TEST_THOROUGH === '1';
const simulations = isThorough ? 2000 : 400;
const band = 2.5 * Math.sqrt((0.05 * 0.95) / simulations);

const values = (...runs: number[][]): RankedValues => ({
  higherIsBetter: true,
  runs,
  seeds: runs.map((_, i) => i + 1),
});

/** Systems whose true means are given, of queries that are hard or easy for all. */
function systemsOf(draws: Stream, means: readonly number[], queries: number, seeds = 1): RankedValues[] {
  const difficulty = Array.from({ length: queries }, () => draws.normal());
  return means.map((centre) =>
    values(
      ...Array.from({ length: seeds }, () => {
        const luck = seeds > 1 ? 0.05 * draws.normal() : 0;
        return difficulty.map((d) => d + centre + luck + draws.normal());
      }),
    ),
  );
}

test('systems that the tests do not tell apart share their places, those that they do have one each', () => {
  const draws = stream(3, 'ranks');
  const [a, b, c] = systemsOf(draws, [0, 0, 3], 200);
  const [ranks] = rankSystems([[a!, b!, c!]]).ranks;
  assert.deepEqual(
    ranks!.map(({ places, tied }) => [places, tied]),
    [
      [{ best: 2, worst: 3 }, [1]],
      [{ best: 2, worst: 3 }, [0]],
      [{ best: 1, worst: 1 }, []],
    ],
  );
  assert.deepEqual(ranks![2]!.interval, { best: 1, worst: 1 });
  const turned = [a!, b!, c!].map((system) => ({ ...system, higherIsBetter: false }));
  assert.deepEqual(rankSystems([turned]).ranks[0]![2]!.places, { best: 3, worst: 3 });
});

test('systems with the same values share all of their places, whatever is drawn', () => {
  const alike = values([0.1, 0.7, 1 / 3, 0.4], [0.2, 0.1, 0.9, 0.3]);
  const { ranks, familySize } = rankSystems([[alike, alike, alike]]);
  assert.equal(familySize, 3);
  for (const { places, interval } of ranks[0]!) {
    assert.deepEqual(
      [places, interval],
      [
        { best: 1, worst: 3 },
        { best: 1, worst: 3 },
      ],
    );
  }
});

test('seeds that disagree widen the interval of a place, which queries alone would not', () => {
  const base = Array.from({ length: 500 }, (_, q) => (q % 7) / 7);
  const moved = (by: number) => base.map((value) => value + by);
  const steady = values(moved(0), moved(0), moved(0));
  const shaky = { ...values(moved(-0.2), moved(0.05), moved(0.3)), seeds: [7, 8, 9] };
  const [ranks] = rankSystems([[steady, shaky]]).ranks;
  assert.deepEqual(ranks![0]!.interval, { best: 1, worst: 2 });
  const one = values(moved(0.05));
  assert.deepEqual(rankSystems([[values(moved(0)), one]]).ranks[0]![0]!.interval, { best: 2, worst: 2 });
});

test('all pairs and measures are corrected together: of equal systems few are told apart', () => {
  let told = 0;
  for (let i = 0; i < simulations; i++) {
    const draws = stream(i, 'ranks', 'null');
    const measures = [0, 1].map(() => systemsOf(draws, [0, 0, 0, 0], 40));
    const { ranks } = rankSystems(measures, { resamples: 1 });
    if (ranks.flat().some(({ tied }) => tied.length < 3)) told++;
  }
  assert.ok(told / simulations <= 0.05 + band, `told apart in ${told} of ${simulations}`);
});

test('the true places lie within those left open, and within the intervals of the bootstrap', () => {
  const means = [0, 0.1, 0.25, 0.6];
  let left = 0;
  let outside = 0;
  for (let i = 0; i < simulations; i++) {
    const systems = systemsOf(stream(i, 'ranks', 'places'), means, 100);
    const [ranks] = rankSystems([systems], { resamples: 200, randomSeed: i }).ranks;
    const misses = (of: 'places' | 'interval') =>
      ranks!.map((rank, s) => rank[of].best > means.length - s || rank[of].worst < means.length - s);
    // The places hold for all systems at once, an interval for one.
    if (misses('places').includes(true)) left++;
    outside += misses('interval').filter(Boolean).length / means.length;
  }
  assert.ok(left / simulations <= 0.05 + band, `some place was excluded in ${left} of ${simulations}`);
  assert.ok(outside / simulations <= 0.05 + band, `outside the interval ${outside} of ${simulations}`);
});
