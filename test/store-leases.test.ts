/** Signs of life: what of another host is waited for, what counts as left behind, and what whoever was taken for dead may still do. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { AtomicFile, writeAtomic, writeFirstJson } from '../harness/store/atomic.js';
import { LostLock } from '../harness/store/fence.js';
import { withLock } from '../harness/store/lock.js';
import { leaseMs, lifeOf, ownerText, parseOwner } from '../harness/store/owner.js';
import { removePartials } from '../harness/store/partials.js';
import { isExpired, touch } from '../harness/store/renewal.js';
import { announce } from '../harness/store/running.js';
import { Store } from '../harness/store/store.js';
import { removeClosed } from './open-files.js';
import { brief, briefOver, lease, nothing, patient, sleep, stranger, useLease } from './strangers.js';

useLease();

let folder: string;
let lock: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-leases-'));
  lock = path.join(folder, 'lock');
});
afterEach(() => removeClosed(folder));

/** Nothing of this process runs meanwhile. */
const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const locked = { code: 'LOCKED' };

test('an owner is read back from what it is written as, and from nothing else', () => {
  const owner = parseOwner(`${ownerText()}-1234abcd a host`)!;
  assert.equal(owner.pid, process.pid);
  assert.equal(owner.leaseMs, lease);
  assert.equal(lifeOf(owner), 'ours');
  assert.deepEqual(parseOwner('5-aaaaaaaaaaaa-x-60000'), { pid: 5, place: 'aaaaaaaaaaaa', leaseMs: 60_000 });
  for (const text of ['', 'x', '-1', 'lock', '123', '123-0a1b2c3d'])
    assert.equal(parseOwner(text), undefined, text);
});

test('of this host the dead are told from the living at once, though a number is given again', async () => {
  const module = pathToFileURL(path.join(import.meta.dirname, '../harness/store/owner.js')).href;
  const child = spawn(process.execPath, [
    ...['--input-type=module', '-e'],
    `import { ownerText } from ${JSON.stringify(module)};
     console.log(ownerText());
     setInterval(() => undefined, 1000);`,
  ]);
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const owner = parseOwner(String(text))!;
  assert.equal(owner.pid, child.pid);
  assert.equal(lifeOf(owner), 'alive');
  if (process.platform === 'linux') assert.equal(lifeOf({ ...owner, started: '1' }), 'gone');
  assert.equal(lifeOf({ ...owner, place: 'aaaaaaaaaaaa' }), 'elsewhere');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(lifeOf(owner), 'gone');
  await writeFile(lock, `${String(text).trim()}-1234abcd here`);
  await withLock(lock, nothing, 0);
});

test('a lock of another host is refused with its name while it gives signs of life, and taken over a lease after the last', async () => {
  await writeFile(lock, `${stranger(lease)}-1234abcd far-away`);
  const signs = setInterval(() => touch(lock), lease / 10);
  const message = /^Process 2 on far-away is working/;
  await assert.rejects(withLock(lock, nothing, 2 * lease), { ...locked, message });
  clearInterval(signs);
  await sleep(lease / 10);
  const last = (await stat(lock)).ctimeMs;
  let taken = 0;
  await withLock(lock, async () => {
    taken = (await stat(lock)).ctimeMs;
  });
  assert.ok(taken - last > lease, `${taken - last} ms after the last sign`);
  assert.ok(!existsSync(lock));
});

test('it is the holder who says how long its leases are', async () => {
  await writeFile(lock, `${patient}-1234abcd far-away`);
  await sleep(1.5 * lease);
  await assert.rejects(withLock(lock, nothing, 0), locked);
  await writeFile(lock, `${brief}-1234abcd far-away`);
  await sleep(briefOver);
  await withLock(lock, nothing, 0);
});

test('clocks of hosts an hour ahead or behind play no part', async () => {
  for (const hours of [-1, 1]) {
    const theirs = new Date(Date.now() + hours * 3_600_000);
    for (const [owner, isTaken] of [
      [patient, false],
      [brief, true],
    ] as const) {
      const partial = path.join(folder, `file.partial-${owner}-0a0b0c0d`);
      await writeFile(lock, `${owner}-1234abcd far-away`);
      await writeFile(partial, '');
      for (const file of [lock, partial]) await utimes(file, theirs, theirs);
      await sleep(briefOver);
      if (isTaken) await withLock(lock, nothing, 0);
      else await assert.rejects(withLock(lock, nothing, 0), locked);
      await removePartials(folder);
      assert.equal(existsSync(partial), !isTaken, `${hours} h`);
    }
    await rm(folder, { recursive: true });
    await mkdir(folder);
  }
});

test('what this process holds gives signs of life, and keeps the time that it began at', async () => {
  const file = await AtomicFile.create(path.join(folder, 'file'));
  await announce(folder);
  await withLock(lock, async () => {
    const [sign] = await readdir(path.join(folder, 'running'));
    const partial = (await readdir(folder)).find((name) => name.includes('.partial-'))!;
    const kept = [lock, path.join(folder, partial), path.join(folder, 'running', sign!)];
    const before = await Promise.all(kept.map((each) => stat(each)));
    await sleep(3 * lease);
    for (const [i, each] of kept.entries()) {
      assert.ok(!(await isExpired(each, 2.5 * lease)), each);
      const { ctimeMs, mtimeMs } = await stat(each);
      assert.ok(ctimeMs > before[i]!.ctimeMs, each);
      assert.ok(Math.abs(mtimeMs - before[i]!.mtimeMs) < 2, each);
    }
  });
  await file.commit();
  assert.deepEqual((await readdir(folder)).sort(), ['file', 'running']);
});

test('whoever stood still and lost a lock puts nothing in place, and leaves the lock to its new holder', async () => {
  const theirs = `${patient}-1234abcd far-away`;
  const target = path.join(folder, 'deep', 'file');
  const beside = path.join(tmpdir(), path.basename(folder));
  await writeAtomic(target, 'theirs');
  await withLock(lock, async () => {
    const file = await AtomicFile.create(target);
    await file.write('ours');
    await writeFile(lock, theirs);
    standStill(lease);
    await assert.rejects(file.commit(), (error) => error instanceof LostLock && error.file === lock);
    await assert.rejects(writeFirstJson(path.join(folder, 'manifest.json'), {}), LostLock);
    // Of what lies elsewhere nobody took the lock.
    await writeAtomic(`${beside}.txt`, '');
    await rm(`${beside}.txt`);
  });
  assert.equal(await readFile(target, 'utf8'), 'theirs');
  assert.deepEqual(await readdir(path.dirname(target)), ['file']);
  assert.equal(await readFile(lock, 'utf8'), theirs);
  assert.ok(!existsSync(path.join(folder, 'manifest.json')));
});

test('whoever stood still and kept a lock goes on', async () => {
  await withLock(lock, async () => {
    standStill(2 * lease);
    await writeAtomic(path.join(folder, 'file'), 'ours');
  });
  assert.ok(existsSync(path.join(folder, 'file')));
});

test('where what is not whole yet was removed, that is said', async () => {
  const file = await AtomicFile.create(path.join(folder, 'file'));
  await file.write('half');
  const [partial] = await readdir(folder);
  await rm(path.join(folder, partial!));
  await assert.rejects(file.commit(), { ...locked, message: /file was removed before it was whole/ });
  assert.deepEqual(await readdir(folder), []);
});

test('the first manifest stays', async () => {
  const file = path.join(folder, 'manifest.json');
  const results = await Promise.all([1, 2, 3, 4].map((value) => writeFirstJson(file, { value })));
  assert.equal(results.filter((isFirst) => isFirst).length, 1);
  const { value } = JSON.parse(await readFile(file, 'utf8')) as { value: number };
  assert.ok(results[value - 1]);
  assert.deepEqual(await readdir(folder), ['manifest.json']);
});

test('where another finished first with other bytes, that is said, and nothing of it is written over', async () => {
  const store = new Store(folder);
  const made = (text: string, meanwhile: (at: string) => Promise<void>) =>
    store.artifact('runs', { a: 1 }, async (at) => {
      await writeAtomic(path.join(at, 'data'), text);
      await meanwhile(at);
    });
  const finish = async (at: string) => {
    // As another process would have, of another compute class, that took this one for dead.
    const other = new Store(path.join(folder, 'other'));
    const { folder: theirs } = await other.artifact('runs', { a: 1 }, (there) =>
      writeAtomic(path.join(there, 'data'), 'other bytes'),
    );
    await writeFile(path.join(at, 'manifest.json'), await readFile(path.join(theirs, 'manifest.json')));
  };
  await assert.rejects(made('these bytes', finish), { code: 'CACHE_INVALID', message: /data holds/ });
});

test('files that name no owner are left alone', async () => {
  await writeFile(path.join(folder, 'a.partial-of a user'), '');
  await removePartials(folder);
  assert.deepEqual(await readdir(folder), ['a.partial-of a user']);
});

test('a lease that is no number of seconds is refused', () => {
  for (const seconds of ['soon', '0', '-1', '1e9', 'NaN']) {
    process.env.BENCH_LEASE_SECONDS = seconds;
    assert.throws(leaseMs, { code: 'CONFIG_INVALID', message: new RegExp(`'${seconds}'`) });
  }
  process.env.BENCH_LEASE_SECONDS = String(lease / 1000);
  const program = pathToFileURL(path.join(import.meta.dirname, '../harness/store/owner.js')).href;
  const env: NodeJS.ProcessEnv = { ...process.env, BENCH_LEASE_SECONDS: '' };
  const script = `import { leaseMs } from ${JSON.stringify(program)}; console.log(leaseMs());`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { env });
  assert.equal(String(stdout), '60000\n');
});
