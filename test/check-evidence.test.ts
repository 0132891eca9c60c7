/** Which records of a folder a check goes by: the newest of a system, never the baseline's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportCheck } from '../harness/contracts.js';
import type { StoredRecord } from '../harness/record.js';
import { checkRegressions } from '../harness/regression.js';
import { type MadeRecord, stored } from './made-records.js';

const thresholds = { accuracyDrop: 0.02, significance: 0.05, latencyRatio: 1.5, sizeBytes: 0 };

/** Made on this day of January. */
function on(day: number, request: MadeRecord = {}): StoredRecord {
  const made = stored({ queries: 600, ...request });
  const createdAt = `2026-01-${String(day).padStart(2, '0')}T00:00:00.000Z`;
  return { file: `day-${day}-${made.file}`, record: { ...made.record, createdAt } };
}

const rate = (learningRate: number) => ({ config: { train: { epochs: 3, learningRate } } });

const check = (before: readonly StoredRecord[], now: readonly StoredRecord[], more: object = {}) =>
  checkRegressions(before, now, { ...thresholds, ...more });
const of = (checks: readonly ReportCheck[], verdict: ReportCheck['verdict']) =>
  checks.filter((each) => each.verdict === verdict).map(({ name }) => name);
const details = (checks: readonly ReportCheck[], verdict: ReportCheck['verdict']) =>
  checks.filter((each) => each.verdict === verdict).map(({ detail }) => detail);

test('a regression with other settings is found beside the records that the baseline was made from', () => {
  const before = [1, 2, 3].map((seed) => on(1, { seed, ...rate(5e-4) }));
  const worse = [1, 2, 3].map((seed) => on(2, { seed, lift: -0.1, ...rate(5e-2) }));
  const alone = check(before, worse);
  const beside = check(before, [...before, ...worse]);
  assert.deepEqual(of(alone, 'worse'), ['accuracy answer@20', 'accuracy mrr@10']);
  assert.deepEqual(of(beside, 'worse'), of(alone, 'worse'));
  assert.deepEqual(details(beside, 'changed'), ['train.learningRate was 0.0005 and is 0.05']);
  assert.deepEqual(details(beside, 'not compared'), [
    `${before.map(({ file }) => file).join(', ')}: of the baseline itself, which says nothing about what came after it`,
  ]);
  // The order in which files are read plays no part.
  assert.deepEqual(of(check(before, [...worse, ...before]), 'worse'), of(alone, 'worse'));
});

test('of a system run with several settings the newest counts, however near the older ones are', () => {
  const before = [on(1, rate(5e-4))];
  const again = on(2, rate(5e-4));
  const tried = on(3, { lift: -0.1, ...rate(5e-2) });
  const red = check(before, [again, tried]);
  assert.deepEqual(of(red, 'worse'), ['accuracy answer@20', 'accuracy mrr@10']);
  assert.match(details(red, 'not compared').join(), /^day-2-.*: older than day-3-/);
  // Tried and given up.
  const green = check(before, [on(4, rate(5e-4)), tried]);
  assert.deepEqual(of(green, 'worse'), []);
  assert.match(details(green, 'not compared').join(), /^day-3-.*: older than day-4-/);
});

test('nothing but records of the baseline, or nothing that can be compared, is no check', () => {
  const before = [on(2, { seed: 1 }), on(2, { seed: 2 })];
  assert.throws(() => check(before, before), {
    code: 'RECORD_INVALID',
    message: /nothing new to check: All 2 records are of the baseline itself/,
  });
  // What was there before the baseline's own is no evidence either.
  assert.throws(() => check(before, [...before, on(1, { lift: -0.2, ...rate(1) })]), /nothing new to check/);
  const other = [on(3, { arch: 'mlr' })];
  assert.deepEqual(of(check(before, other), 'worse'), ['run'], 'the baseline has no record');
  assert.throws(() => check(before, other, { allowMissing: true }), /Nothing in these records could be/);
});

test('a system of which only the baseline itself has records is missing', () => {
  const before = [on(1), on(1, { arch: 'mlr' })];
  const checks = check(before, [...before, on(2)]);
  assert.deepEqual(
    checks.filter(({ verdict }) => verdict === 'worse').map(({ system, detail }) => [system, detail]),
    [['mlr', 'there is no new record of it']],
  );
});

test('seeds that were not run again do not stand in for those that were', () => {
  const before = [1, 2, 3].map((seed) => on(1, { seed }));
  const checks = check(before, [on(2, { seed: 1, lift: -0.1 }), before[1]!, before[2]!]);
  assert.ok(of(checks, 'worse').includes('accuracy answer@20'));
  assert.deepEqual(details(checks, 'changed'), ['seeds were 1, 2, 3 and are 1']);
});

test('runs of one system by two commits are said to be', () => {
  const by = (commit: string, { file, record }: StoredRecord): StoredRecord => ({
    file,
    record: { ...record, device: { ...record.device, git: { commit, dirty: false } } },
  });
  const before = [1, 2].map((seed) => on(1, { seed }));
  const checks = check(before, [
    by('a'.repeat(40), on(2, { seed: 1 })),
    by('b'.repeat(40), on(3, { seed: 2 })),
  ]);
  assert.deepEqual(details(checks, 'changed'), [
    `its runs were made by several programs: seed 1 of commit ${'a'.repeat(12)}; seed 2 of commit ${'b'.repeat(12)}`,
  ]);
});

test('several settings in the baseline: each has its own runs, one that is new is held to the nearest', () => {
  const vectors = (day: number, count: number) =>
    on(day, { arch: 'me-bert', vectors: count, sizeBytes: 1000 * count });
  const before = [vectors(1, 2), vectors(1, 4)];
  const both = check(before, [vectors(2, 4), vectors(2, 2)]);
  assert.deepEqual([of(both, 'worse'), of(both, 'changed'), of(both, 'not compared')], [[], [], []]);
  const eight = check(before, [...before, vectors(2, 2), vectors(3, 8)]);
  assert.deepEqual(details(eight, 'changed'), ['M was 4 and is 8']);
  assert.ok(of(eight, 'worse').includes('size index'));
});

test('what is as near to two settings of the baseline is held to the first of them that has no runs of its own', () => {
  const vectors = (day: number, count: number) => on(day, { arch: 'me-bert', vectors: count });
  const before = [2, 4, 6].map((count) => vectors(1, count));
  const changed = (...now: StoredRecord[]) => details(check(before, now), 'changed');
  assert.deepEqual(changed(vectors(2, 3)), ['M was 2 and is 3']);
  assert.deepEqual(changed(vectors(2, 2), vectors(3, 3)), ['M was 4 and is 3']);
  assert.deepEqual(changed(vectors(2, 2), vectors(2, 4), vectors(3, 3)), ['M was 6 and is 3']);
});

test('a run that failed and one that ended well at the same moment: the failure counts', () => {
  const failed = on(2, { status: 'failed' });
  assert.ok(of(check([on(1)], [failed, on(2)]), 'worse').includes('run, seed 1'));
});

test('a run that failed counts until the same seed ended well', () => {
  const before = [on(1)];
  const failed = on(2, { status: 'failed', ...rate(9) });
  assert.deepEqual(of(check(before, [...before, failed]), 'worse'), ['run, seed 1', 'run']);
  assert.deepEqual(of(check(before, [failed, on(3)]), 'worse'), []);
  const other = check(before, [failed, on(3, { seed: 2 })]);
  assert.match(details(other, 'worse').join(), /^failed: the loss is NaN \(day-2-/);
  const { error: _, ...silent } = failed.record;
  const unsaid = check(before, [{ ...failed, record: silent }]);
  assert.equal(details(unsaid, 'worse')[0], `failed: no reason known (${failed.file})`);
});

test('a figure over its threshold that another sign speaks for is named with what it was not counted for', () => {
  const before = on(1);
  const slow = on(2);
  const latency = slow.record.latency!;
  const total = latency.total;
  // Four of five queries take three times as long, the fastest as long as before.
  const limit = [...total.samplesMs].sort((a, b) => a - b)[Math.floor(total.samplesMs.length / 5)]!;
  const samplesMs = total.samplesMs.map((ms) => (ms < limit ? ms : 3 * ms));
  const now = {
    ...slow,
    record: { ...slow.record, latency: { ...latency, total: { ...total, samplesMs } } },
  };
  const { verdict, spared } = check([before], [now]).find(({ name }) => name === 'latency total')!;
  assert.equal(verdict, 'same');
  assert.match(
    spared!,
    /^median ×\d\.\d\d, over the ×1\.50 of check\.latencyRatio, and the fastest tenth took only ×1\.0\d$/,
  );
  const grown = check([on(1, { sizeBytes: 5000 })], [on(2, { sizeBytes: 5004 })], { sizeBytes: 10 });
  assert.equal(
    grown.find(({ name }) => name === 'size index')!.spared,
    'grew by 4 bytes, no more than the 10 of check.sizeBytes',
  );
});
