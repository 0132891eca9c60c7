/** The weights of a model are read once in a run, and uploaded once to each engine. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, mock, test } from 'node:test';
import { SafetensorsFile } from '../harness/model/safetensors.js';
import { forgetRead } from '../harness/pipeline/last-read.js';
import { openPublished } from '../harness/pipeline/published-model.js';
import { silentProgress } from '../harness/progress.js';
import { run } from '../harness/sweep.js';
import { sentenceFolder, withoutSetting } from './sentence-folder.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-weights-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));
afterEach(() => mock.restoreAll());

/** How often each tensor is read while `work` runs, by folder of the cache and place in it. */
async function readsOf(work: () => Promise<unknown>): Promise<Map<string, number>> {
  const { read } = SafetensorsFile.prototype;
  const counts = new Map<string, number>();
  mock.method(SafetensorsFile.prototype, 'read', function (this: SafetensorsFile, name: string) {
    const tensor = `${path.relative(root, this.path)} ${name}`;
    counts.set(tensor, (counts.get(tensor) ?? 0) + 1);
    return read.call(this, name);
  });
  await work();
  mock.restoreAll();
  return counts;
}

/** Of the checkpoints of the cache, by key: the numbers of times that its tensors were read. */
function byCheckpoint(counts: ReadonlyMap<string, number>): Map<string, number[]> {
  const found = new Map<string, Set<number>>();
  for (const [tensor, count] of counts) {
    const [, key] = /cache.checkpoints.([0-9a-f]+)/.exec(tensor) ?? [];
    if (key !== undefined) found.set(key, (found.get(key) ?? new Set()).add(count));
  }
  return new Map([...found].map(([key, set]) => [key, [...set]]));
}

const once = ['train.epochs=1', 'train.batchSize=2'];

test('a run that trains, encodes, searches and is timed reads each weight of its checkpoint once', async () => {
  const request = (...set: string[]) => tinyRequest(root, 'mlr-sc', 1, ...once, ...set);
  const trained = byCheckpoint(await readsOf(() => run(request(), silentProgress())));
  assert.deepEqual([...trained.values()], [[1]]);
  // As does another process, which finds the checkpoint in the cache.
  forgetRead();
  const found = byCheckpoint(await readsOf(() => run(request('search.depth=20'), silentProgress())));
  assert.deepEqual([...found.values()], [[1]]);
});

test('of two trainings, the first is read to mine with and to go on from, the second once', async () => {
  const request = tinyRequest(root, 'dual-encoder', 2, ...once, 'stages=2', 'stage2.init=first');
  const reads = byCheckpoint(await readsOf(() => run(request, silentProgress())));
  assert.deepEqual([...reads.values()], [[2], [1]]);
});

test('a published model that is opened again is not read again, and another is', async () => {
  const [name, other] = [await sentenceFolder('mean and cosine'), await sentenceFolder('a dense layer')];
  const open = (folder: string) => openPublished(folder, 'tiny', withoutSetting);
  const counts = await readsOf(async () => {
    const { weights } = await open(name);
    assert.equal((await open(name)).weights, weights);
    await open(other);
    assert.notEqual((await open(name)).weights, weights);
  });
  const timesOf = (folder: string) =>
    new Set(
      [...counts].filter(([tensor]) => tensor.includes(path.basename(folder))).map(([, count]) => count),
    );
  assert.deepEqual([...timesOf(name)], [2]);
  assert.deepEqual([...timesOf(other)], [1]);
});
