/** Columns of one thread, cold starts and fresh processes, worked out by hand from records that are given. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protocolTable } from '../harness/cli/protocol-text.js';
import type { LatencyValues } from '../harness/record.js';
import { given, near } from './given-records.js';
import { prepare } from './made-reports.js';

const values = (samplesMs: number[]): LatencyValues => {
  const none = { low: 0, high: 0 };
  return {
    ...{ meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: null, samplesMs },
    intervalsMs: { p50: none, p95: none, p99: null },
  };
};

const start = (openMs: number, samplesMs: number[], dropped = true) => ({
  ...{ openMs, samplesMs },
  pageCache: dropped ? { dropped } : { dropped, reason: 'there is no dd of GNU coreutils here' },
});

const record = (seed: number, more: number, dropped = true, machine = {}) =>
  given({
    ...{ seed, machine },
    measures: { 'answer@20': [1, 0, 1] },
    latency: {
      ...{ rounds: 2, processes: 2 },
      // Medians of the two processes: 2 and 6.
      total: values([1, 2, 3, 5, 6 + more, 7 + more]),
      oneThread: { search: values([10, 20 + more]), total: values([30, 40]) },
      cold: [start(100, [50, 4, 8]), start(200 + more, [70, 6, 2], dropped)],
    },
  });

test('medians with one thread, deviation between the medians of processes, first query and those after it', async () => {
  const [section] = (await prepare([record(1, 0), record(2, 20)])).sections;
  const { cells } = section!.systems[0]!;
  const expected = {
    // 10, 20, 10, 40
    'search-one-thread-ms': 15,
    'total-one-thread-ms': 35,
    // 2 and 6, 2 and 26: deviations with n - 1 of 4 and 24 over the root of 2.
    'processes-ms': 14 / Math.SQRT2,
    'cold-open-ms': (100 + 200 + 100 + 220) / 4,
    'cold-first-ms': 60,
    'cold-next-ms': 5,
  };
  for (const [id, value] of Object.entries(expected)) {
    near(cells[id]?.value, value, id);
    assert.equal(section!.columns.find((column) => column.id === id)!.detail, true);
  }
  assert.ok(!section!.notes.some((note) => /Cold starts/.test(note)));
});

test('the end of a run has them in columns', () => {
  const systems = [{ name: 'dual-encoder', records: [record(1, 0).record] }];
  const text = protocolTable(systems);
  assert.match(text, /^ms +search, one thread +total, one thread +total between processes/m);
  assert.match(text, /^dual-encoder +15\.0 +35\.0 +2\.8 /m);
  assert.match(text, /cold, first query[\s\S]*^dual-encoder.* 60\.0 /m);
  const plain = given({ measures: { 'answer@20': [1, 0, 1] }, samples: { search: [1] } });
  assert.equal(protocolTable([{ name: 'dual-encoder', records: [plain.record] }]), '');
});

test('what was cold in name only is said; a system that lacks it in one run has no figure', async () => {
  const [section] = (await prepare([record(1, 0), record(2, 0, false)])).sections;
  assert.ok(
    section!.notes.includes(
      'Cold starts of dual-encoder are of new processes alone, 1 of 4 with files that may lie in memory: there is no dd of GNU coreutils here.',
    ),
  );
  const plain = given({ seed: 3, measures: { 'answer@20': [1, 0, 1] }, samples: { search: [1] } });
  const { columns } = (await prepare([record(1, 0), plain])).sections[0]!;
  assert.ok(!columns.some(({ id }) => /one-thread|cold|processes/.test(id)));
});

test('runs of machines that differ in one thing have no figure together', async () => {
  const alike = [record(1, 0), record(2, 0)];
  assert.ok((await prepare(alike)).sections[0]!.columns.some(({ id }) => id === 'processes-ms'));
  const { cores } = alike[0]!.record.device.machine;
  const other = [record(1, 0), record(2, 0, true, { cores: cores + 1 })];
  const { columns } = (await prepare(other)).sections[0]!;
  assert.ok(!columns.some(({ id }) => /one-thread|processes/.test(id)));
});
