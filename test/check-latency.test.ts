/** Latencies against a baseline: a slower program is told from a slower machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import type { LatencyValues, RunRecord } from '../harness/record.js';
import { check, named, queries, worse } from './made-checks.js';
import { madeRecord, stored } from './made-records.js';

/** The record with every sample of its latency changed. */
function timed(record: RunRecord, change: (ms: number, part: string) => number): RunRecord {
  const latency = record.latency!;
  const parts = Object.fromEntries(
    (['tokenize', 'encode', 'search', 'total'] as const).map((part) => {
      const values = latency[part] as LatencyValues;
      return [part, { ...values, samplesMs: values.samplesMs.map((ms) => change(ms, part)) }];
    }),
  );
  return { ...record, latency: { ...latency, ...parts } };
}

const before = stored({ queries });

test('search twice as slow is caught, and so is what it does to the total', () => {
  const double = timed(before.record, (ms, part) =>
    part === 'search' ? 2 * ms : part === 'total' ? ms + 0.9 : ms,
  );
  const checks = check([before], [{ ...before, record: double }]);
  assert.deepEqual(worse(checks), ['latency search']);
  assert.match(named(checks, 'latency search').detail, /×2\.00 .*fastest tenth ×2\.00/);
  assert.equal(named(checks, 'latency encode').verdict, 'same');
  const back = check([{ ...before, record: double }], [before]);
  assert.equal(named(back, 'latency search').verdict, 'better');
});

test('20 second runs on a machine under changing load: none is flagged', () => {
  const quiet = madeRecord({ queries, noise: 'quiet' });
  for (let repetition = 0; repetition < 20; repetition++) {
    const random = stream(repetition, 'load');
    // Some of the run, up to nine tenths of it, something else takes half of the machine or more.
    const share = 0.9 * random.uniform();
    const pace = 1 + 0.3 * random.uniform();
    const loaded = timed(
      quiet,
      (ms) => ms * pace * (random.uniform() < share ? 2 + 3 * random.uniform() : 1),
    );
    const checks = check([{ file: 'a', record: quiet }], [{ file: 'b', record: loaded }]);
    assert.deepEqual(worse(checks), [], `repetition ${repetition}: ${share}`);
  }
});

test('a machine slower as a whole is not a regression; a part slower on a faster or slower machine is', () => {
  const at = (pace: number, slow: readonly string[] = [], factor = 2) => {
    const record = timed(before.record, (ms, part) => pace * (slow.includes(part) ? factor * ms : ms));
    return { file: String(pace), record };
  };
  assert.deepEqual(worse(check([before], [at(1.7)])), []);
  for (const pace of [0.65, 1, 1.7]) {
    assert.deepEqual(worse(check([before], [at(pace, ['search'])])), ['latency search'], String(pace));
  }
  assert.deepEqual(worse(check([before], [at(1, ['encode', 'search'])])), [
    'latency encode',
    'latency search',
  ]);
  // One part became faster: the others are not slower for it.
  const checks = check([before], [at(1, ['search'], 0.5)]);
  assert.deepEqual(worse(checks), []);
  assert.equal(named(checks, 'latency search').verdict, 'better');
});

test('latencies of another device are not compared, and nor are those that are gone', () => {
  const other = named(check([before], [stored({ queries, cpu: 'Another', slower: 9 })]), 'latency');
  assert.equal(other.verdict, 'not compared');
  assert.match(other.detail, /CPU Made CPU and Another/);
  // Of several devices the first is named.
  const seeds = ['Another', 'A third'].map((cpu, i) => stored({ queries, cpu, seed: i + 1 }));
  assert.match(named(check([before], seeds), 'latency').detail, /^[^;]*CPU Made CPU and Another$/);
  const { latency: _, ...untimed } = before.record;
  assert.equal(named(check([before], [{ file: 'x', record: untimed }]), 'latency').verdict, 'not compared');
});
