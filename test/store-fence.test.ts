/** Signs of life by clocks that are set by hand: how often they are given, and when a lock is looked at again. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, mock, test } from 'node:test';
import { assertHeld, hold, isHeld, LostLock, lockedThing, unhold } from '../harness/store/fence.js';
import { leaseMs } from '../harness/store/owner.js';
import { clockOf, isExpired, keepRenewed, letGo, touch } from '../harness/store/renewal.js';

process.env.BENCH_LEASE_SECONDS = '1000';

let folder: string;
const clock = { ms: 5000 };
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-fence-'));
  mock.timers.enable({ apis: ['setInterval'] });
  mock.method(performance, 'now', () => clock.ms);
});
after(async () => {
  mock.reset();
  await rm(folder, { recursive: true, force: true });
});
const files: string[] = [];
afterEach(async () => {
  for (const file of files.splice(0)) await unhold(file);
});

async function held(name: string, text = 'ours'): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, text);
  hold(file, text);
  files.push(file);
  return file;
}

test('every file is renewed four times a lease, by one timer for all, until it is let go', () => {
  const renewed = { a: 0, b: 0, c: 0 };
  const renew = (name: 'a' | 'b' | 'c') =>
    keepRenewed(name, async () => {
      renewed[name]++;
    });
  renew('a');
  renew('b');
  mock.timers.tick(leaseMs() / 4 - 1);
  assert.deepEqual(renewed, { a: 0, b: 0, c: 0 });
  mock.timers.tick(1);
  assert.deepEqual(renewed, { a: 1, b: 1, c: 0 });
  renew('c');
  letGo('a');
  mock.timers.tick((3 * leaseMs()) / 4);
  assert.deepEqual(renewed, { a: 1, b: 4, c: 3 });
  // One that cannot be renewed is in nobody's way.
  keepRenewed('a', () => Promise.reject(new Error('gone')));
  mock.timers.tick(leaseMs() / 4);
  assert.deepEqual(renewed, { a: 1, b: 5, c: 4 });
  for (const name of ['a', 'b', 'c']) letGo(name);
  mock.timers.tick(leaseMs());
  assert.deepEqual(renewed, { a: 1, b: 5, c: 4 });
});

test('a lock is looked at again once half a lease has passed since the last sign of life, not before', async () => {
  const lock = await held('lock');
  await writeFile(lock, 'another');
  clock.ms += leaseMs() / 2 - 1;
  await assertHeld(path.join(folder, 'made'));
  clock.ms += 1;
  // What lies elsewhere is none of its business, though its name begins alike.
  await assertHeld(`${folder}-beside`);
  await assertHeld(path.dirname(folder));
  await assert.rejects(assertHeld(path.join(folder, 'made')), (error: LostLock) => {
    assert.ok(error instanceof LostLock);
    assert.deepEqual([error.code, error.file], ['LOCKED', lock]);
    assert.match(error.message, new RegExp(`took over ${folder}: .* for longer than 1000 s`));
    return true;
  });
  // It stays lost, whoever gives back what stood there, and however short ago.
  clock.ms = 5000;
  await writeFile(lock, 'another');
  await assert.rejects(assertHeld(folder), LostLock);
  assert.equal(await unhold(lock), false);
});

test('what is still ours is known again for half a lease, and its file touched', async () => {
  const lock = await held('kept.lock');
  const made = path.join(folder, 'kept');
  clock.ms += leaseMs() / 2;
  const { ctimeMs, mtimeMs } = await stat(lock);
  while ((await clockOf(folder))! <= ctimeMs) await new Promise((resolve) => setTimeout(resolve, 5));
  await assertHeld(made);
  const touched = await stat(lock);
  assert.ok(touched.ctimeMs > ctimeMs);
  assert.ok(Math.abs(touched.mtimeMs - mtimeMs) <= 1);
  // From when it was asked for on.
  await writeFile(lock, 'another');
  clock.ms += leaseMs() / 2 - 1;
  await assertHeld(made);
  clock.ms += 1;
  await assert.rejects(assertHeld(made), { code: 'LOCKED' });
});

test('a lock file that is gone is lost, and one that is ours is to be removed by us', async () => {
  const [gone, ours, others] = [await held('a.lock'), await held('b.leases'), await held('c.lock')];
  await rm(gone);
  await writeFile(others, 'another');
  clock.ms += leaseMs();
  await assert.rejects(assertHeld(path.join(folder, 'a')), LostLock);
  assert.deepEqual([isHeld(gone), isHeld(ours), isHeld(path.join(folder, 'd.lock'))], [true, true, false]);
  assert.deepEqual([await unhold(gone), await unhold(ours), await unhold(others)], [false, true, false]);
  assert.deepEqual([isHeld(gone), isHeld(ours)], [false, false]);
  assert.equal(await unhold(ours), false, 'no longer ours');
  assert.ok(existsSync(ours), 'whoever asks removes it');
});

test('a lock is of the folder that it lies in, or of what it lies beside', () => {
  assert.equal(lockedThing('/cache/train/abc/lock'), '/cache/train/abc');
  assert.equal(lockedThing('/cache/train/abc.lock'), '/cache/train/abc');
  assert.equal(lockedThing('/cache/shards/abc.leases'), '/cache/shards/abc');
  assert.equal(lockedThing('/cache/a.lock/b.zip.lock'), '/cache/a.lock/b.zip');
});

test('a file expires once more than so long has passed by the clock of its file system, which leaves nothing behind', async () => {
  const file = path.join(folder, 'sign');
  await writeFile(file, '');
  const { ctimeMs } = await stat(file);
  while ((await clockOf(folder))! - ctimeMs < 20) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await isExpired(file, 15), true);
  assert.equal(await isExpired(file, 3_600_000), false);
  await touch(file);
  assert.equal(await isExpired(file, 3_600_000), false);
  assert.ok((await stat(file)).ctimeMs >= ctimeMs + 20);
  assert.equal(await isExpired(path.join(folder, 'absent'), 0), false);
  assert.equal(await clockOf(path.join(folder, 'no-folder')), undefined);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes('clock')),
    [],
  );
});
