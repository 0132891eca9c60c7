/** Seconds of building are kept in the artifact, and stand only beside what they were measured under. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { readManifest } from '../harness/store/manifest.js';
import { Store } from '../harness/store/store.js';
import { run } from '../harness/sweep.js';
import { given, ones } from './given-records.js';
import { temporaryFolder } from './made-index.js';
import { prepare } from './made-reports.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const tookOf = (record: RunRecord, name: string) =>
  record.stages.find((stage) => stage.name === name)!.execution.made!.took!;

test('a run from the cache has the seconds of the run that made it', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const set = ['latency.queries=0', 'threads=1'];
  const request = () => tinyRequest(root, 'fuse:bm25+dual-encoder', 1, ...set);
  const first = await run(request(), silentProgress());
  const again = await run(request(), silentProgress());
  for (const name of ['bm25: index', 'dual-encoder: encode']) {
    const took = tookOf(first, name);
    assert.ok(took.seconds! > 0);
    assert.deepEqual([took.cpu, took.threads], [cpus()[0]!.model.trim(), 1]);
    assert.deepEqual(tookOf(again, name), took);
    assert.equal(again.stages.find((stage) => stage.name === name)!.execution.cached, true);
  }
  const rowOf = async (record: RunRecord) =>
    (await prepare([{ file: 'a.record.json', record }])).sections[0]!.systems[0]!;
  const sum = tookOf(first, 'bm25: index').seconds! + tookOf(first, 'dual-encoder: encode').seconds!;
  const { cells } = await rowOf(again);
  assert.equal(cells['build-s']!.value, sum);
  assert.equal(cells['passages-per-s']!.value, again.dataset.passageCount! / sum);
  assert.equal(cells['index-build-s']!.value, tookOf(first, 'bm25: index').seconds);
  const faster = await run(tinyRequest(root, 'bm25', 1, 'latency.queries=0', 'threads=2'), silentProgress());
  const { cells: none, notMeasured } = await rowOf(faster);
  assert.equal(none['build-s'], undefined);
  assert.match(notMeasured!['build-s']!, /^index is from the cache: it was made with threads 1, not 2$/);
});

test('what was made in several attempts or in pieces, or elsewhere, has no seconds', async (t) => {
  const root = await temporaryFolder(t);
  const store = new Store(root, { told: silentProgress() });
  const take = async (what: string, conditions?: { threads: number; inPieces?: true }, attempts = 1) => {
    const make = (fails: boolean) =>
      store.artifact(
        'indexes',
        { what },
        async (folder) => {
          writeFileSync(path.join(folder, 'part'), 'a');
          if (fails) throw new Error('stopped');
          return {};
        },
        {},
        conditions,
      );
    for (let i = 1; i < attempts; i++) await assert.rejects(make(true), /stopped/);
    const { folder } = await make(false);
    return (await readManifest(folder))!.execution!.took;
  };
  assert.ok((await take('whole', { threads: 2 }))!.seconds! >= 0);
  assert.equal(await take('nobody asks'), undefined);
  const stopped = (await take('stopped', { threads: 2 }, 2))!;
  assert.deepEqual([stopped.seconds, stopped.reason], [null, 'it was made in several attempts']);
  const pieces = (await take('pieces', { threads: 2, inPieces: true }))!;
  assert.deepEqual([pieces.seconds, pieces.reason], [null, 'it was made in pieces, by several workers']);

  const stored = given({ measures: { 'success@20': ones(50, 100) } });
  const made = { madeAt: '2026-01-01T00:00:00.000Z', benchVersion: '0.1.0', git: null };
  const { machine } = stored.record.device;
  const here = { seconds: 4, cpu: machine.cpu, threads: machine.availableCores };
  const shown = async (took: object | undefined) => {
    const execution = { cached: true, seconds: 0, made: { ...made, ...(took && { took }) } };
    const record = { ...stored.record, stages: [{ name: 'encode', key: 'k', execution }] } as RunRecord;
    const { cells, notMeasured } = (await prepare([{ ...stored, record }])).sections[0]!.systems[0]!;
    return cells['build-s']?.value ?? notMeasured!['build-s'];
  };
  assert.equal(await shown(here), 4);
  assert.match(String(await shown({ ...here, cpu: 'Other' })), /it was made on Other$/);
  assert.equal(await shown(undefined), 'the record does not say');
  assert.match(String(await shown({ ...here, seconds: null, reason: 'why' })), /^encode: why$/);
});
