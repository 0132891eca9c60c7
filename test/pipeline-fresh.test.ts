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
import { prepare, storeOf } from '../harness/pipeline/prepare.js';
import { StageLog } from '../harness/pipeline/stage-log.js';
import { makeCell } from '../harness/pipeline.js';
import { silentProgress } from '../harness/progress.js';
import { readRecord } from '../harness/record.js';
import { inventory } from '../harness/store/inventory.js';
import { sweep } from '../harness/sweep.js';
import { checkedProgress } from './checked-progress.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-fresh-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const quiet = checkedProgress();
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

async function cellOf(architecture: string, ...set: string[]): Promise<Cell> {
  const request = tinyRequest(root, architecture, 1, ...few, ...set);
  const store = storeOf(request, quiet);
  return makeCell(request, await prepare(request, quiet, store), new StageLog(store), quiet);
}

test('a system is opened from the folders that are dropped from the page cache', async () => {
  const { opening } = await cellOf('fuse:bm25+dual-encoder');
  const kinds = opening.folders.map((folder) => path.basename(path.dirname(folder)));
  assert.deepEqual(kinds, ['indexes', 'shards', 'checkpoints']);
});

test('what is not in the cache any more is not made again: the system fails, with the reason, and the others are timed', async () => {
  const cell = await cellOf('bm25', 'latency.oneThread=true');
  const there = { cell, name: 'there' };
  const folders = [path.join(root, 'empty')];
  const gone = { cell: { ...cell, opening: { ...cell.opening, folders } }, name: 'gone' };
  const facts = await timeFresh([gone, there], cell.queries, quiet);
  const error = facts.get(gone.cell) as Error & { code?: string };
  assert.match(error.message, /empty, which bm25 is opened from, is not there any more\.$/);
  assert.equal(error.code, 'CACHE_INVALID');
  const timed = facts.get(cell);
  assert.ok(timed !== undefined && !(timed instanceof Error));
  assert.equal(timed.oneThread!.total.samplesMs.length, cell.queries.length);
});

test('an interrupt ends the process and keeps nothing', async () => {
  const cell = await cellOf('bm25', 'latency.oneThread=true');
  const stopped = silentProgress(AbortSignal.abort());
  await assert.rejects(timeFresh([{ cell, name: 'bm25' }], cell.queries, stopped), { code: 'INTERRUPTED' });
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
