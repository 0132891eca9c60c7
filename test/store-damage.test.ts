/** What is damaged in the cache is named and not believed, and is made anew where that is asked for. */
import assert from 'node:assert/strict';
import {
  appendFile,
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { checkPrivacy } from '../harness/cli/doctor/places.js';
import { withDigest } from '../harness/store/digest.js';
import { checkedManifest, DamagedArtifact, readManifest } from '../harness/store/manifest.js';
import { Store } from '../harness/store/store.js';
import { unfinishedFolder } from '../harness/store/unfinished.js';
import { removeClosed } from './open-files.js';
import { ownerOf } from './other-owners.js';

let root: string;
let notes: string[];
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-damage-'));
  notes = [];
});
afterEach(() => removeClosed(root));

const told = {
  note: (line: string) => notes.push(line),
  stage: () => ({ update: () => undefined, end: () => undefined }),
  checkInterrupted: () => undefined,
};
const inputs = { made: 'test', size: 1 };
const plain = () => new Store(root, { told });
const repairing = () => new Store(root, { told, anew: { what: 'damaged', done: new Set() } });
const make = async (folder: string) => {
  await mkdir(path.join(folder, 'inside'), { recursive: true });
  await writeFile(path.join(folder, 'inside', 'data'), 'some bytes');
  return { count: 3 };
};
const take = (store: Store) => store.artifact('shards', inputs, make);

test('a manifest with any byte changed is damaged', async () => {
  const { folder } = await take(plain());
  const file = path.join(folder, 'manifest.json');
  const bytes = await readFile(file);
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1 << (at % 7);
    await writeFile(file, changed);
    await assert.rejects(checkedManifest(folder), { code: 'CACHE_INVALID' }, `byte ${at}: ${changed}`);
  }
});

test('no other manifest is taken: of nothing, without facts, of another artifact', async () => {
  const { folder, key } = await take(plain());
  const file = path.join(folder, 'manifest.json');
  const manifest = (await readManifest(folder))!;
  const other = await plain().artifact('shards', { other: 1 }, make);
  for (const [text, message] of [
    ['null', /manifest\.json is no manifest/],
    ['7', /manifest\.json is no manifest/],
    ['[]', /manifest\.json is no manifest/],
    ['', /manifest\.json is not JSON/],
    [JSON.stringify({ ...manifest, facts: {} }), /manifest\.json is not as it was written/],
    [JSON.stringify({ ...manifest, files: [] }), /manifest\.json is not as it was written/],
    [JSON.stringify({ ...manifest, digest: undefined }), /manifest\.json is not as it was written/],
    [`${'['.repeat(200_000)}${']'.repeat(200_000)}`, /manifest\.json is not JSON/],
    [`{"inputs":1,"digest":"0","facts":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, /is not JSON/],
    [await readFile(path.join(other.folder, 'manifest.json'), 'utf8'), /is that of another artifact/],
  ] as const) {
    await writeFile(file, text);
    await assert.rejects(take(plain()), (error: unknown) => {
      assert.ok(error instanceof DamagedArtifact, String(error));
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(`The artifact shards/${key} is damaged: `), error.message);
      return true;
    });
  }
  assert.deepEqual(notes, []);
});

test('a manifest without hashes is damaged', async () => {
  const { folder } = await take(plain());
  const { files: _, digest: __, ...bare } = (await readManifest(folder))!;
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(bare));
  await assert.rejects(take(plain()), /is damaged: manifest\.json is not as it was written/);
});

test('a file that was not there is found; what comes and goes beside an artifact is none of it', async () => {
  const { folder } = await take(plain());
  for (const name of ['lock', 'lease-1-ab', 'temporary', 'x.partial-1-ab', '.nfs0001', 'inside/.DS_Store'])
    await writeFile(path.join(folder, name), '');
  await mkdir(unfinishedFolder(folder));
  await writeFile(path.join(unfinishedFolder(folder), 'state.json'), '{}');
  assert.equal((await take(plain())).cached, true);
  assert.ok(!(await readdir(folder)).includes('unfinished'));
  await writeFile(path.join(folder, 'inside', 'more.json'), '{}');
  await assert.rejects(take(plain()), /inside\/more\.json is none of the files it was finished with/);
});

test('bytes are looked at once, and again where a file was touched, its times set back too', async () => {
  const { folder } = await take(plain());
  const file = path.join(folder, 'inside', 'data');
  const { atime, mtime } = await stat(file);
  await new Promise((resolve) => setTimeout(resolve, 50));
  let looks = 0;
  const counting = () => new Store(root, { told: { ...told, checkInterrupted: () => looks++ } });
  assert.equal((await take(counting())).cached, true);
  assert.equal(looks, 1);
  assert.equal((await take(counting())).cached, true);
  assert.equal(looks, 1);
  await writeFile(file, 'Some bytes');
  await utimes(file, atime, mtime);
  // As long after as a file counts as settled.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await assert.rejects(take(plain()), /inside\/data holds other bytes than those it was finished with/);
});

test('--repair makes anew what is damaged, with a note, and leaves the rest', async () => {
  const { folder } = await take(plain());
  await plain().artifact('runs', inputs, make);
  await appendFile(path.join(folder, 'inside', 'data'), '!');
  await assert.rejects(take(plain()), /inside\/data holds 11 bytes, not 10/);
  const store = repairing();
  assert.equal((await take(store)).cached, false);
  assert.equal((await store.artifact('runs', inputs, make)).cached, true);
  assert.match(notes.join(), /^The artifact shards\/\w+ is damaged: inside\/data .* It is made anew\.$/);
  assert.equal((await take(plain())).cached, true);
});

test('what is damaged and to go again is made anew where nobody else uses it', async () => {
  const passing = () =>
    new Store(root, { told, temporary: ['shards'], anew: { what: 'damaged', done: new Set() } });
  const first = passing();
  const { folder } = await take(first);
  await first.leases.release(() => 'left');
  await appendFile(path.join(folder, 'inside', 'data'), '!');
  const second = passing();
  assert.equal((await take(second)).cached, false);
  assert.deepEqual(second.leases.folders, [folder]);
  // Of a process that runs: that of whoever started this one.
  await appendFile(path.join(folder, 'inside', 'data'), '!');
  await writeFile(path.join(folder, `lease-${ownerOf(process.ppid)}-ab`), '');
  await assert.rejects(take(passing()), { code: 'LOCKED' });
});

test('what is left to go on from is begun anew with --repair alone', async () => {
  let attempts = 0;
  const goOn = async (folder: string) => {
    attempts++;
    const state = path.join(unfinishedFolder(folder), 'state.json');
    if (
      await stat(state).then(
        () => true,
        () => false,
      )
    )
      throw new DamagedArtifact(folder, 'It cannot go on.');
    return make(folder);
  };
  const begun = () => plain().artifact('checkpoints', inputs, goOn);
  const folder = plain().folderOf('checkpoints', (await take(plain())).key);
  await mkdir(unfinishedFolder(folder), { recursive: true });
  await writeFile(path.join(unfinishedFolder(folder), 'state.json'), '{}');
  await assert.rejects(begun(), /It cannot go on/);
  await repairing().artifact('checkpoints', inputs, goOn);
  assert.equal(attempts, 3);
  assert.deepEqual(notes, ['It cannot go on. It is begun anew.']);
});

test('an artifact that another process makes anew meanwhile is not called damaged', async () => {
  const { folder } = await take(plain());
  const file = path.join(folder, 'manifest.json');
  await rm(path.join(folder, 'inside', 'data'));
  const checked = checkedManifest(folder, {
    ...told,
    checkInterrupted() {
      throw new Error('nothing is hashed');
    },
  });
  await rename(file, `${file}.gone`);
  assert.equal(await checked, undefined);
});

test('a copy with another name is checked by its manifest', async () => {
  const { folder } = await take(plain());
  const copy = path.join(root, 'copy');
  await mkdir(path.join(copy, 'inside'), { recursive: true });
  for (const name of ['manifest.json', 'inside/data'])
    await copyFile(path.join(folder, name), path.join(copy, name));
  assert.deepEqual((await checkedManifest(copy))!.facts, { count: 3 });
  await writeFile(path.join(copy, 'inside', 'data'), 'same bytes');
  await assert.rejects(checkedManifest(copy), /The artifact copy is damaged: inside\/data/);
});

test('a digest is over every member, in whatever order', () => {
  const { digest } = withDigest({ a: 1, b: [2, { c: undefined, d: null }] });
  assert.equal(withDigest({ b: [2, { d: null }], a: 1 }).digest, digest);
  assert.notEqual(withDigest({ a: 1, b: [2, { d: 0 }] }).digest, digest);
});

test('a cache that others may write to is noted, once, and by the doctor', {
  skip: process.getuid === undefined ? 'the system has no such rights' : false,
}, async () => {
  const { folder } = await take(plain());
  assert.equal((await checkPrivacy(root)).state, 'ok');
  await chmod(path.dirname(folder), 0o777);
  const check = await checkPrivacy(root);
  assert.equal(check.state, 'absent');
  assert.match(check.detail, /^anybody may write to .*shards \(mode 0777\)$/);
  const other = path.join(root, 'other');
  await mkdir(other);
  await chmod(other, 0o772);
  for (const _ of [1, 2]) await new Store(other, { told }).artifact('runs', inputs, make);
  assert.equal(notes.filter((line) => line.startsWith('The cache is not yours alone: ')).length, 1);
});
