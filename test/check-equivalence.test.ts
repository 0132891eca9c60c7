import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import type { StoredRecord } from '../harness/record.js';
import { given } from './given-records.js';
import { check, named, thresholds, worse } from './made-checks.js';

const request = { ...thresholds, equivalence: 0.01 };

/** Two records of so many queries: what the second has more of ndcg@10, and how much the queries scatter. */
function pair(queries: number, gain: number, scatter: number): [StoredRecord, StoredRecord] {
  const draws = stream(5, 'equivalence');
  const before = Array.from({ length: queries }, () => 0.3 + 0.4 * draws.uniform());
  const noise = Array.from({ length: queries }, () => scatter * draws.normal());
  const centre = noise.reduce((sum, value) => sum + value, 0) / queries;
  const now = before.map((value, q) => value + gain + noise[q]! - centre);
  return [given({ measures: { 'ndcg@10': before } }), given({ measures: { 'ndcg@10': now } })];
}

test('what is shown to be within the margin is the same, what only may be is worse', () => {
  const [before, now] = pair(2000, 0.001, 0.05);
  const shown = named(check([before], [now], request), 'equivalence ndcg@10');
  assert.equal(shown.verdict, 'same');
  assert.match(shown.detail, /^\+0\.10 points: within 1 points \(corrected p < 0\.001\)$/);

  const few = pair(40, 0.001, 0.1);
  const checks = check([few[0]], [few[1]], request);
  assert.deepEqual(worse(checks), ['equivalence ndcg@10'], 'forty queries cannot show it');
  assert.match(named(checks, 'equivalence ndcg@10').detail, /not shown to be less than 1 points worse/);
  assert.equal(named(checks, 'accuracy ndcg@10').verdict, 'same', 'and nobody showed it to be worse');
  assert.deepEqual(worse(check([few[0]], [few[1]])), [], 'without a margin nothing has to be shown');
});

test('a gain is no loss, whichever side of the measure is the better one', () => {
  const [before, now] = pair(2000, 0.02, 0.05);
  const gained = named(check([before], [now], request), 'equivalence ndcg@10');
  assert.equal(gained.verdict, 'better');
  assert.match(gained.detail, /^\+2\.00 points: not worse by 1 points .* and not shown to be within$/);
  const lost = check([now], [before], request);
  assert.ok(worse(lost).includes('equivalence ndcg@10'));
  const lower = (one: StoredRecord) =>
    given({ measures: { loss: one.record.measures['ndcg@10']!.perQuery }, lower: ['loss'] });
  assert.equal(named(check([lower(now)], [lower(before)], request), 'equivalence loss').verdict, 'better');
  assert.equal(named(check([lower(before)], [lower(now)], request), 'equivalence loss').verdict, 'worse');
});

test('a program that changed nothing passes, and a measure without bounds is not compared', () => {
  const [before] = pair(600, 0, 0);
  const same = named(check([before], [before], request), 'equivalence ndcg@10');
  assert.equal(same.verdict, 'same');
  assert.match(same.detail, /All 600 differences are 0/);
  const ranks = given({ measures: { rank: [3, 9, 40] }, lower: ['rank'] });
  const counted = named(check([ranks], [ranks], request), 'equivalence rank');
  assert.equal(counted.verdict, 'not compared');
  assert.match(counted.detail, /counts in shares/);
});

test('seeds that are not the same on both sides show nothing', () => {
  const of = (seed: number) => given({ seed, measures: { 'ndcg@10': Array(600).fill(0.5) } });
  const checks = check([of(1), of(2)], [of(3), of(4)], request);
  const shown = named(checks, 'equivalence ndcg@10');
  assert.deepEqual([shown.verdict, /no seed in common/.test(shown.detail)], ['not compared', true]);
});
