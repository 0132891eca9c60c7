import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { stream } from '../harness/random.js';
import type { RunRecord, StoredRecord } from '../harness/record.js';
import { check, named, queries, thresholds, worse } from './made-checks.js';
import { stored } from './made-records.js';

/** The record with the answers of some queries turned around: `lost` from 1 to 0, `won` from 0 to 1. */
function turned(record: RunRecord, lost: number, won: number): RunRecord {
  const { perQuery, ...rest } = record.measures['answer@20']!;
  let [ones, zeros] = [lost, won];
  const values = perQuery.map((value) => {
    if (value === 1 && ones-- > 0) return 0;
    if (value === 0 && zeros-- > 0) return 1;
    return value;
  });
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { ...record, measures: { ...record.measures, 'answer@20': { ...rest, mean, perQuery: values } } };
}

const before = stored({ queries });

test('a drop of 5 points on 2,000 queries is caught', () => {
  // 200 queries lost and 100 won: 5 points, and many queries that went either way.
  const now = { ...before, record: turned(before.record, 200, 100) };
  const checks = check([before], [now]);
  const accuracy = named(checks, 'accuracy answer@20');
  assert.equal(accuracy.verdict, 'worse');
  assert.ok(Math.abs(accuracy.baseline! - accuracy.current! - 0.05) < 1e-12);
  assert.match(accuracy.detail, /−5\.00 points \(95 % −\d\.\d+ to −\d\.\d+\), corrected p < 0\.001/);
  assert.deepEqual(worse(checks), ['accuracy answer@20']);
  const better = named(check([now], [before]), 'accuracy answer@20');
  assert.equal(better.verdict, 'better');
});

test('a drop below the threshold does not count, however significant, and a large one that chance explains neither', () => {
  const small = { ...before, record: turned(before.record, 30, 0) };
  const verdict = named(check([before], [small]), 'accuracy answer@20');
  assert.equal(verdict.verdict, 'same');
  assert.match(verdict.detail, /−1\.50 points.*p < 0\.001$/);
  assert.equal(verdict.spared, 'significant, and no more than the 2 points of check.accuracyDrop');
  assert.deepEqual(worse(check([before], [small], { ...thresholds, accuracyDrop: 0.01 })), [
    'accuracy answer@20',
  ]);
  const few = stored({ queries: 60 });
  const chance = named(check([few], [{ ...few, record: turned(few.record, 9, 6) }]), 'accuracy answer@20');
  assert.equal(chance.verdict, 'same');
  assert.match(chance.detail, /^\d\d\.\d\d % to \d\d\.\d\d %: −5\.00 points/);
  assert.equal(chance.spared, 'more than the 2 points of check.accuracyDrop, and not significant');
});

test('what two seeds differ by is not a regression', () => {
  const seeded = (seeds: number[], lift = 0) => seeds.map((seed) => stored({ seed, queries, lift }));
  for (const [first, second] of [
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [[1, 2], [3]],
    [
      [7, 8, 9],
      [7, 8, 9],
    ],
  ] as const) {
    assert.deepEqual(worse(check(seeded([...first]), seeded([...second]))), [], `${first} and ${second}`);
  }
  // One seed against another: how much a seed changes is not known, and the check says so.
  const unknown = named(check(seeded([1]), seeded([2], -0.05)), 'accuracy');
  assert.equal(unknown.verdict, 'not compared');
  assert.match(unknown.detail, /what a seed changes is not known/);
});

test('of the same seeds, a drop that some seeds show and others do not is none, and one that all show is', () => {
  const runs = (lifts: number[]) => lifts.map((lift, i) => stored({ seed: i + 1, queries, lift }));
  const within = named(check(runs([0, 0, 0]), runs([-0.15, 0.04, -0.01])), 'accuracy answer@20');
  assert.equal(within.verdict, 'same');
  assert.match(within.spared!, /no more than its seeds vary by$/);
  assert.ok(worse(check(runs([0, 0, 0]), runs([-0.05, -0.06, -0.05]))).includes('accuracy answer@20'));
  // Of three seeds one is run again: it is compared with itself.
  assert.deepEqual(worse(check(runs([0, 0.1, 0.2]), runs([0]))), []);
  assert.ok(worse(check(runs([0, 0.1, 0.2]), runs([-0.05]))).includes('accuracy answer@20'));
});

test('seeds of which none is the same: a drop counts where the seeds of either side agree on it', () => {
  const runs = (first: number, lifts: number[]) =>
    lifts.map((lift, i) => stored({ seed: first + i, queries, lift }));
  assert.ok(worse(check(runs(1, [0, 0, 0]), runs(4, [-0.06, -0.06, -0.06]))).includes('accuracy answer@20'));
  const wide = check(runs(1, [0, 0.06, 0.12]), runs(4, [-0.06, 0, 0.06]));
  assert.deepEqual(worse(wide), []);
  // Two seeds say little about a third, however sure the test over queries is.
  const few = check(runs(1, [0.07, 0.03]), runs(3, [0]));
  assert.deepEqual(worse(few), []);
  assert.match(named(few, 'accuracy answer@20').spared!, /not significant$/);
});

test('seed noise: of pairs of made-up trainings that differ in nothing but their seeds few are flagged', () => {
  let flagged = 0;
  for (let i = 0; i < 40; i++) {
    const random = stream(i, 'lifts');
    const runs = (first: number) =>
      [0, 1, 2].map((n) => stored({ seed: first + n, queries: 300, lift: 0.05 * random.normal() }));
    if (worse(check(runs(1), runs(4))).length > 0) flagged++;
  }
  // The family is tested at 0.05, two-sided, and only drops are worse: 1 of 40 is expected.
  assert.ok(flagged <= 3, String(flagged));
});

test('bytes are compared exactly', () => {
  const size = (sizeBytes: number) => stored({ sizeBytes });
  const verdict = (now: number, request = thresholds) =>
    named(check([size(5000)], [size(now)], request), 'size index').verdict;
  assert.deepEqual([verdict(5000), verdict(5001), verdict(4999)], ['same', 'worse', 'better']);
  assert.deepEqual(
    [5010, 5011].map((now) => verdict(now, { ...thresholds, sizeBytes: 10 })),
    ['same', 'worse'],
  );
});

test('a run that failed and a run that is missing are worse; a new one is not compared', () => {
  const mlr = stored({ arch: 'mlr', queries });
  assert.deepEqual(worse(check([before, mlr], [before])), ['run']);
  assert.deepEqual(worse(check([before, mlr], [before], { ...thresholds, allowMissing: true })), []);
  const failed = check([before], [before, stored({ arch: 'mlr', status: 'failed' })]);
  assert.match(failed.find(({ verdict }) => verdict === 'worse')!.detail, /failed: the loss is NaN/);
  const added = check([before], [before, mlr]);
  assert.deepEqual(worse(added), []);
  assert.equal(added.find(({ system }) => system === 'mlr')!.verdict, 'not compared');
});

test('a measure that is gone is worse, be it one of them or all', () => {
  const { 'answer@20': answer, ...others } = before.record.measures;
  const one = { ...before, record: { ...before.record, measures: { 'answer@20': answer! } } };
  const none = { ...before, record: { ...before.record, measures: {} } };
  assert.deepEqual(
    worse(check([before], [one])),
    Object.keys(others).map((id) => `accuracy ${id}`),
  );
  assert.deepEqual(
    worse(check([before], [none])),
    Object.keys(before.record.measures).map((id) => `accuracy ${id}`),
  );
  const allowed = check([before], [none], { ...thresholds, allowMissing: true });
  assert.deepEqual(worse(allowed), []);
  assert.deepEqual([named(allowed, 'accuracy answer@20').verdict], ['not compared']);
  // A measure that is new is no loss; one that a seed of several has lost is.
  assert.deepEqual(worse(check([one], [before])), []);
  const second = stored({ seed: 2, queries });
  assert.deepEqual(worse(check([before, second], [one, second])), ['accuracy mrr@10']);
});

test('systems of one architecture find their own baseline by their settings; a changed setting is named', () => {
  const two = (slower: number) => [2, 4].map((vectors) => stored({ arch: 'me-bert', vectors, slower }));
  const checks = check(two(1), two(1).reverse());
  assert.ok(
    checks.every(({ verdict }) => verdict === 'same'),
    JSON.stringify(checks),
  );
  const changed = check([stored({ epochs: 3 })], [stored({ epochs: 5 })]);
  const { verdict, detail } = named(changed, 'setting');
  assert.deepEqual([verdict, detail], ['changed', 'train.epochs was 3 and is 5']);
});

test('a baseline of another dataset version, or of other queries, is refused', () => {
  const refused = (now: StoredRecord, expected: RegExp) =>
    assert.throws(
      () => check([before], [now]),
      (error) =>
        error instanceof BenchError && error.code === 'RECORD_INVALID' && expected.test(error.message),
    );
  refused(
    stored({ queries, version: '2' }),
    /baseline of dual-encoder is of made version 1, .*the record of version 2/,
  );
  refused(stored({ queries: 1999 }), /do not hold the same queries/);
  const twice = [before, { ...before, record: { ...before.record, benchVersion: '0.2.0' } }];
  assert.throws(() => check(twice, [before]), /there twice for one seed/);
});
