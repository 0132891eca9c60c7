/** Systems timed in processes of their own, which open what their stages left and make nothing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Cell } from '../harness/pipeline/cell.js';
import { timeFresh } from '../harness/pipeline/fresh.js';
import { dropFromPageCache } from '../harness/pipeline/page-cache.js';
import { datasetOf, reopen } from '../harness/pipeline/reopened.js';
import { silentProgress } from '../harness/progress.js';
import { readRecord } from '../harness/record.js';
import { inventory } from '../harness/store/inventory.js';
import { sweep } from '../harness/sweep.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-fresh-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const quiet = silentProgress();
const few = ['latency.queries=4', 'latency.warmup=0', 'latency.batchSizes=[]'];

test('rounds in fresh processes, and one thread: as many samples, in the order of the queries, part by part', async () => {
  const set = [...few, 'latency.processes=2', 'latency.oneThread=true', 'keep=records'];
  const files: string[] = [];
  const requests = ['bm25', 'dual-encoder'].map((name) => tinyRequest(root, name, 1, ...set));
  const { records, failures } = await sweep(requests, quiet, ({ file }) => files.push(file));
  assert.deepEqual(failures, []);
  for (const [i, { latency }] of records.entries()) {
    const { rounds, processes, queryIds, total, oneThread, cold, interleavedWith } = latency!;
    assert.deepEqual([rounds, processes, queryIds.length, cold], [2, 2, 4, undefined]);
    assert.deepEqual([total.samplesMs.length, oneThread!.total.samplesMs.length], [8, 4]);
    assert.equal(interleavedWith.length, 1);
    const parts = ['tokenize', 'encode', 'search'] as const;
    for (const of of [latency!, oneThread!]) {
      const sums = of.total.samplesMs.map((_, s) =>
        parts.reduce((sum, part) => sum + (of[part]?.samplesMs[s] ?? 0), 0),
      );
      assert.deepEqual(of.total.samplesMs, sums);
      assert.equal(of.encode === undefined, i === 0);
    }
    assert.notDeepEqual(total.samplesMs.slice(0, 4), total.samplesMs.slice(4));
    assert.deepEqual((await readRecord(files[i]!)).latency, JSON.parse(JSON.stringify(latency)));
  }
  // Processes that look keep nothing for themselves.
  const left = (await inventory(path.join(root, 'cache'))).map(({ kind }) => kind);
  assert.deepEqual(
    left.filter((kind) => kind !== 'models' && kind !== 'findings'),
    [],
  );
});

test('a cold start: its files dropped from the page cache or the reason, the time to open, each query without a warm-up', async () => {
  const [plain, cold] = [[], ['latency.cold=true']].map((own) =>
    tinyRequest(root, 'bm25', 1, ...few, ...own),
  );
  const before = (await sweep([plain!], quiet)).records[0]!;
  const record = (await sweep([cold!], quiet)).records[0]!;
  const [start, ...more] = record.latency!.cold!;
  assert.deepEqual([more.length, start!.samplesMs.length, record.latency!.processes], [0, 4, undefined]);
  assert.ok(start!.openMs > 0 && start!.samplesMs.every((ms) => ms > 0));
  assert.ok(start!.pageCache.dropped || start!.pageCache.reason !== undefined);
  // What was measured how is no part of what was found.
  assert.deepEqual([record.measures, record.run!.sha256], [before.measures, before.run!.sha256]);
});

test('what is opened again lies in the folders that are dropped from the page cache', async () => {
  const request = tinyRequest(root, 'dual-encoder', 1, ...few);
  await sweep([request], quiet);
  const { folders, open } = await reopen(request, await datasetOf(request, quiet), quiet);
  const kinds = new Set(folders.map((folder) => path.basename(path.dirname(folder))));
  for (const kind of ['checkpoints', 'shards']) assert.ok(kinds.has(kind), `${kind} in ${[...kinds]}`);
  const { parts, close } = await open();
  assert.deepEqual(
    parts.map(({ name }) => name),
    ['tokenize', 'encode', 'search'],
  );
  await close();
});

test('what is not in the cache any more is not made again: the system fails, with the reason', async () => {
  const request = tinyRequest(root, 'bm25', 1, ...few, 'latency.oneThread=true');
  const elsewhere = { ...request, config: { ...request.config, cache: path.join(root, 'empty') } };
  const cell = { request: elsewhere, rereads: false } as unknown as Cell;
  const facts = (await timeFresh([{ cell, name: 'bm25' }], [{ queryId: 'q0', text: 'x' }], quiet)).get(cell);
  assert.ok(facts instanceof Error);
  assert.match(facts.message, /^What '.*' left is not in the cache any more\.$/);
  assert.equal((facts as { code?: string }).code, 'CACHE_INVALID');
});

test('a query that is gone is named', async () => {
  const request = tinyRequest(root, 'bm25', 1, ...few, 'latency.oneThread=true');
  const cell = { request, rereads: false } as unknown as Cell;
  const facts = (await timeFresh([{ cell, name: 'bm25' }], [{ queryId: 'gone', text: 'x' }], quiet)).get(
    cell,
  );
  assert.match((facts as Error).message, /^The test queries have no 'gone' any more\.$/);
});

test('an interrupt ends the process and keeps nothing', async () => {
  const request = tinyRequest(root, 'bm25', 1, ...few, 'latency.oneThread=true');
  const stop = new AbortController();
  stop.abort();
  const cell = { request, rereads: false } as unknown as Cell;
  await assert.rejects(
    timeFresh([{ cell, name: 'bm25' }], [{ queryId: 'q0', text: 'x' }], silentProgress(stop.signal)),
    {
      code: 'INTERRUPTED',
    },
  );
});

test('files leave the page cache, and nothing of them is lost', async (t) => {
  const folder = path.join(root, 'pages');
  const file = path.join(folder, 'below', 'file');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, Buffer.alloc(1 << 20, 7));
  const facts = await dropFromPageCache([folder, path.join(root, 'not there')]);
  const { stdout, status } = spawnSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', file], {
    encoding: 'utf8',
  });
  const isOnDisk = !['tmpfs', 'ramfs'].includes(
    spawnSync('stat', ['--file-system', '--format', '%T', folder], { encoding: 'utf8' }).stdout?.trim(),
  );
  // The kernel is advised and not told: a page that it is busy with may stay.
  if (facts.dropped && status === 0 && isOnDisk) assert.ok(Number(stdout) < 1 << 20, stdout);
  else t.diagnostic(`not looked into: ${facts.reason ?? 'there is no fincore, or the files lie in memory'}`);
  assert.deepEqual(await readFile(file), Buffer.alloc(1 << 20, 7));
});

test('without dd the files stay, and the reason is told', async () => {
  const { PATH } = process.env;
  process.env.PATH = '';
  const facts = await dropFromPageCache([path.join(root, 'data')]).finally(() => {
    process.env.PATH = PATH;
  });
  assert.deepEqual(facts, { dropped: false, reason: 'there is no dd of GNU coreutils here' });
});
