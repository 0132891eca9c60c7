/** What reports, and the end of a run, show of systems under load. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadTable } from '../harness/cli/protocol-text.js';
import type { LoadFacts, LoadValues, StoredRecord } from '../harness/record.js';
import { given } from './given-records.js';
import { prepare, render } from './made-reports.js';

/** Samples 1 to `count` ms, each shifted by `more`. */
function values(count: number, more = 0): LoadValues {
  const samplesMs = Array.from({ length: count }, (_, i) => i + 1 + more);
  const times = { meanMs: 1, p50Ms: 1, p95Ms: 1, p99Ms: null };
  return {
    ...{ queries: count, answeredPerSecond: 40 + more, response: times, samplesMs, calls: count },
    ...{ waiting: { ...times, meanMs: 2 + more }, callMeanMs: 1, lag: { meanMs: 0, mostMs: 0 } },
  };
}

const open = (ratePerSecond: number, facts: LoadValues, keptUp = true) => ({
  ...{ ratePerSecond, offeredPerSecond: ratePerSecond, keptUp },
  ...facts,
});

function loaded(arch: string, seed: number, load: Partial<LoadFacts>): StoredRecord {
  const facts: LoadFacts = { maxBatch: 1, open: [], closed: [], ...load };
  return given({ arch, seed, measures: { 'answer@20': [1, 0] }, latency: { load: facts } });
}

const bound = { boundMs: 20, resolution: 0.05, tried: [] };
const records = [
  loaded('dual-encoder', 1, {
    open: [open(50, values(600)), open(10, values(600), false)],
    closed: [{ clients: 2, ...values(600) }],
    bound: { ...bound, found: 'rate', ratePerSecond: 143.2 },
  }),
  loaded('dual-encoder', 2, {
    open: [open(50, values(600, 10)), open(10, values(600, 10))],
    closed: [{ clients: 2, ...values(600) }],
    bound: { ...bound, found: 'none', ratePerSecond: null },
  }),
  loaded('mlr', 1, {
    open: [open(50, values(999))],
    bound: { ...bound, found: 'above', ratePerSecond: 900 },
  }),
  loaded('me-bert', 1, { maxBatch: 8, open: [open(50, values(1000))] }),
];

test('a row for each setting and system, of the samples of all seeds; a search by what it found', async () => {
  const { load } = (await prepare(records)).sections[0]!;
  assert.deepEqual(
    load!.rows.map(({ system, kind, setting, maxBatch, keptUp }) => [
      system,
      kind,
      setting,
      maxBatch,
      keptUp,
    ]),
    [
      ['dual-encoder', 'clients', 2, 1, true],
      // One of its seeds fell behind.
      ['dual-encoder', 'rate', 10, 1, false],
      ['dual-encoder', 'rate', 50, 1, true],
      ['mlr', 'rate', 50, 1, true],
      ['me-bert', 'rate', 50, 8, true],
    ],
  );
  const { queries, answeredPerSecond, waitingMs, p50Ms, p99Ms } = load!.rows[2]!;
  // 1 to 600 and 11 to 610: their middle is 305.5.
  assert.deepEqual([queries, waitingMs, p50Ms], [1200, 7, 305.5]);
  // 600 in 15 seconds and 600 in 12.
  assert.ok(Math.abs(answeredPerSecond - 1200 / 27) < 1e-9, `${answeredPerSecond}`);
  assert.ok(Math.abs(p99Ms! - 600) < 2, `${p99Ms}`);
  assert.equal(load!.rows[3]!.p99Ms, undefined);
  assert.deepEqual(
    load!.bounds.map(({ system, runs }) => [
      system,
      ...runs.map(({ found, ratePerSecond }) => ratePerSecond ?? found),
    ]),
    [
      ['dual-encoder', 143.2, 'none'],
      ['mlr', 900],
    ],
  );
  const unloaded = await prepare([given({ measures: { 'answer@20': [1, 0] }, samples: { search: [1] } })]);
  assert.equal(unloaded.sections[0]!.load, undefined);
});

test('a setting that one seed lacks, and seeds of different devices, are no figures of the system', async () => {
  const lacking = loaded('mlr', 2, { open: [open(70, values(10))] });
  const rows = (await prepare([records[2]!, lacking])).sections[0]!.load;
  assert.equal(rows, undefined);
  const { record } = records[1]!;
  const machine = { ...record.device.machine, cpu: 'another' };
  const elsewhere = { file: 'x', record: { ...record, device: { ...record.device, machine } } };
  assert.equal((await prepare([records[0]!, elsewhere])).sections[0]!.load, undefined);
});

test('markdown, html and LaTeX have the table; a p99 of too few samples is not measured', async () => {
  const report = await prepare(records);
  const markdown = await render('markdown', report);
  const table = markdown.slice(markdown.indexOf('### Under load'));
  assert.match(table, /^\| 10\/s \| dual-encoder \| 44\.4 \(behind\) \| 7\.00 \| 306 \|/m);
  assert.match(table, /^\| 50\/s \| mlr \|.*\| not measured: 999 samples \|$/m);
  assert.match(table, /^\| 50\/s, up to 8 together \| me-bert \|/m);
  assert.match(
    table,
    /^\| largest rate, p99 within 20 ms \| dual-encoder \| 143; none \(by search, to 5 %\) \| – /m,
  );
  assert.match(table, /\| above 900 \(by search, to 5 %\) \|/);
  assert.match(table, /Poisson/);
  const html = await render('html', report);
  assert.match(html, /<h3>Under load<\/h3>[\s\S]*not measured: 999 samples/);
  const latex = await render('latex', report);
  assert.match(
    latex,
    /\\label\{tab:made-test-load\}[\s\S]*^50\/s & mlr & 40\.0 & 2\.00 & .* & not measured: 999 samples \\\\$/m,
  );
  assert.match(latex, /by search, to 5~\\%/);
});

test('the end of a run: the same rows in columns, and what the searches found', () => {
  const text = loadTable([
    { name: 'dual-encoder', records: records.slice(0, 2).map(({ record }) => record) },
    { name: 'mlr', records: [records[2]!.record] },
  ]);
  assert.match(text, /^2 clients +dual-encoder +40\.0 +2\.0 +301 /m);
  assert.match(text, /^10\/s +dual-encoder +44\.4 \(behind\) +7\.0 +306 /m);
  assert.match(text, /^50\/s +mlr +40\.0 +2\.0 +500 +949 +-$/m);
  assert.match(text, /^p99: not measured: 999 samples \(latency\.loadQueries\)$/m);
  assert.match(
    text,
    /^largest rate, p99 within 20 ms: dual-encoder 143\/s; none \(found by search, to 5 %\)$/m,
  );
  assert.match(text, /^largest rate, p99 within 20 ms: mlr above 900\/s /m);
  assert.equal(loadTable([]), '');
});

test('rates and waiting of seeds that answered unlike numbers of queries are those of all their queries', async () => {
  const of = (seed: number, count: number, more: number) =>
    loaded('dual-encoder', seed, { open: [open(50, values(count, more))] });
  const { load } = (await prepare([of(1, 200, 0), of(2, 1000, 10)])).sections[0]!;
  const { queries, answeredPerSecond, waitingMs } = load!.rows[0]!;
  assert.equal(queries, 1200);
  // 200 in 5 seconds and 1,000 in 20; 2 ms of 200 queries and 12 of 1,000.
  assert.ok(Math.abs(answeredPerSecond - 1200 / 25) < 1e-9, `${answeredPerSecond}`);
  assert.ok(Math.abs(waitingMs - (200 * 2 + 1000 * 12) / 1200) < 1e-9, `${waitingMs}`);
});
