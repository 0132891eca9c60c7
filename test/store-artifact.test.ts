import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { describeProgram } from '../harness/program/git.js';
import type { Told } from '../harness/store/content.js';
import { canonicalJson, hashFile, keyOf } from '../harness/store/hash.js';
import { describeFile } from '../harness/store/hash-once.js';
import { bytesOnDisk } from '../harness/store/inventory.js';
import { waitForOthers } from '../harness/store/lock.js';
import { readManifest } from '../harness/store/manifest.js';
import { Store } from '../harness/store/store.js';
import { unfinishedFolder } from '../harness/store/unfinished.js';
import { removeClosed } from './open-files.js';

let root: string;
let store: Store;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-store-'));
  store = new Store(root);
});
afterEach(() => removeClosed(root));

test('an artifact is made once and then taken from the cache', async () => {
  let made = 0;
  const make = async (folder: string) => {
    made++;
    await writeFile(path.join(folder, 'data'), 'x');
    return { count: 3 };
  };
  const first = await store.artifact('shards', { model: 'a', size: 1 }, make);
  const again = await store.artifact('shards', { size: 1, model: 'a' }, make);
  assert.equal(made, 1);
  assert.deepEqual([first.cached, again.cached], [false, true]);
  assert.deepEqual(again.facts, { count: 3 });
  assert.equal(again.folder, first.folder);
  assert.equal(again.folder, store.folderOf('shards', first.key));
  const { execution, digest, ...manifest } = (await readManifest(first.folder))!;
  const sha256 = createHash('sha256').update('x').digest('hex');
  assert.deepEqual(manifest, {
    inputs: { model: 'a', size: 1 },
    facts: { count: 3 },
    files: [{ name: 'data', sizeBytes: 1, sha256 }],
  });
  assert.match(digest!, /^[0-9a-f]{64}$/);
  const { benchVersion, git } = await describeProgram();
  assert.deepEqual([execution!.benchVersion, execution!.git], [benchVersion, git]);
  assert.deepEqual([first.made, again.made], [execution, execution]);
  assert.deepEqual(
    store.used.map(({ kind, key }) => [kind, key]),
    [
      ['shards', first.key],
      ['shards', first.key],
    ],
  );
});

test('other inputs and other kinds are other artifacts', async () => {
  const folders = [
    await store.artifact('shards', { a: 1 }, async () => 0),
    await store.artifact('shards', { a: 2 }, async () => 0),
    await store.artifact('runs', { a: 1 }, async () => 0),
  ].map(({ folder }) => folder);
  assert.equal(new Set(folders).size, 3);
});

test('an attempt that fails leaves its files to go on from, and no manifest', async () => {
  const inputs = { a: 1 };
  await assert.rejects(
    store.artifact('checkpoints', inputs, async (folder) => {
      await writeFile(path.join(folder, 'step-1'), 'x');
      await writeFile(path.join(folder, 'step-2.partial-1-ab'), 'x');
      throw new Error('stopped');
    }),
    /stopped/,
  );
  const folder = store.folderOf('checkpoints', keyOf(inputs));
  assert.equal(await readManifest(folder), undefined);
  const { cached } = await store.artifact('checkpoints', inputs, async (found) => {
    assert.ok(existsSync(path.join(found, 'step-1')));
    return 0;
  });
  assert.equal(cached, false);
});

/** Stops as soon as the files of an artifact are hashed. */
const stoppingAtHash: Told = {
  note: () => undefined,
  stage: () => ({ update: () => undefined, end: () => undefined }),
  checkInterrupted() {
    throw new BenchError('INTERRUPTED', 'Stopped as asked.');
  },
};

test('an artifact that was made is not made again where its hashing was stopped, unless a file was touched', async () => {
  const inputs = { a: 1 };
  const folder = store.folderOf('indexes', keyOf(inputs));
  let made = 0;
  const make = async (place: string) => {
    made++;
    const used = await store.artifact('shards', { a: 2 }, async () => 0);
    await writeFile(path.join(place, 'index'), Buffer.alloc(2 ** 25, made));
    return { made, absent: undefined, uses: used.key };
  };
  const about = { dataset: 'squad' };
  const conditions = { threads: 3 };
  const stopped = new Store(root, { told: stoppingAtHash });
  const stop = () =>
    assert.rejects(stopped.artifact('indexes', inputs, make, about, conditions), { code: 'INTERRUPTED' });
  await stop();
  await stop();
  assert.equal(made, 1);
  assert.equal(await readManifest(folder), undefined);
  const { facts, cached, made: making } = await store.artifact('indexes', inputs, make, about, conditions);
  assert.deepEqual([made, cached, facts.made], [1, false, 1]);
  assert.deepEqual([making!.about, making!.took!.threads], [about, 3]);
  assert.ok(making!.took!.seconds! >= 0, 'it is as if it had been made in one go');
  const { files, execution } = (await readManifest(folder))!;
  assert.deepEqual(execution, making);
  assert.deepEqual(
    files!.map(({ name }) => name),
    ['index'],
  );
  assert.ok(!existsSync(unfinishedFolder(folder)));

  await rm(folder, { recursive: true });
  await stop();
  assert.equal(made, 2);
  const handle = await open(path.join(folder, 'index'), 'r+');
  await handle.write('x', 0);
  await handle.close();
  assert.equal((await store.artifact('indexes', inputs, make)).facts.made, 3);

  for (const text of ['{', '{}', 'null', '{"digest":"0"}']) {
    await rm(folder, { recursive: true });
    await stop();
    const before: number = made;
    await writeFile(path.join(unfinishedFolder(folder), 'made.json'), text);
    assert.equal((await store.artifact('indexes', inputs, make)).facts.made, before + 1, text);
  }
});

test('with --fresh what was made before the command is made again, its hashing stopped or not', async () => {
  let made = 0;
  const make = async (place: string) => {
    await writeFile(path.join(place, 'index'), Buffer.alloc(2 ** 25));
    return ++made;
  };
  const stopped = new Store(root, { told: stoppingAtHash });
  await assert.rejects(stopped.artifact('indexes', {}, make), { code: 'INTERRUPTED' });
  const fresh = new Store(root, { anew: { what: 'everything', done: new Set() } });
  assert.equal((await fresh.artifact('indexes', {}, make)).facts, 2);
});

test('two calls at once: one makes it, the other waits and takes it, or is told that it is being made', async () => {
  let made = 0;
  const slow = () => new Promise<number>((resolve) => setTimeout(() => resolve(++made), 50));
  const both = () =>
    Promise.allSettled([store.artifact('runs', { a: 1 }, slow), store.artifact('runs', { a: 1 }, slow)]);
  const waited = await both();
  assert.deepEqual(
    waited.map((each) => each.status === 'fulfilled' && each.value.facts),
    [1, 1],
  );
  assert.equal(made, 1);
  await rm(store.folderOf('runs', keyOf({ a: 1 })), { recursive: true });
  waitForOthers({ waits: false });
  try {
    const failures = (await both()).filter((each) => each.status === 'rejected');
    assert.equal(failures.length, 1);
    assert.equal(failures[0]!.reason.code, 'LOCKED');
  } finally {
    waitForOthers({ waits: true });
  }
});

test('a damaged manifest is named', async () => {
  const { folder } = await store.artifact('runs', { a: 1 }, async () => 1);
  await writeFile(path.join(folder, 'manifest.json'), '{');
  await assert.rejects(
    readManifest(folder),
    (error) =>
      error instanceof BenchError && error.code === 'CACHE_INVALID' && error.message.includes(folder),
  );
});

test('bytes on disk are those of all files below', async () => {
  await writeFile(path.join(root, 'a'), '12345');
  const { folder } = await store.artifact('models', { a: 1 }, async (made) =>
    writeFile(path.join(made, 'b'), '123'),
  );
  const manifest = await readFile(path.join(folder, 'manifest.json'));
  assert.equal(await bytesOnDisk(path.join(root, 'a')), 5);
  assert.equal(await bytesOnDisk(root), 5 + 3 + manifest.length);
});

test('keys follow values, not the order of members', () => {
  assert.equal(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined }), '{"b":[1,{"c":"x","d":null}]}');
  assert.equal(keyOf({ a: 1, b: 2 }), keyOf({ b: 2, a: 1 }));
  assert.notEqual(keyOf({ a: 1 }), keyOf({ a: '1' }));
  assert.notEqual(keyOf([1, 2]), keyOf([2, 1]));
  assert.equal(keyOf(1), createHash('sha256').update('1').digest('hex').slice(0, 20));
});

test('files are hashed and described', async () => {
  const file = path.join(root, 'abc');
  await writeFile(file, 'abc');
  // RFC 1321 and FIPS 180-2 give these for "abc".
  assert.equal(await hashFile(file, 'md5'), '900150983cd24fb0d6963f7d28e17f72');
  const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(await hashFile(file), sha256);
  assert.deepEqual(await describeFile(file), { name: 'abc', sizeBytes: 3, sha256 });
});
