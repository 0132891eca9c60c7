/** Artifacts that are to go again: who holds them, who may remove them, what a kill leaves. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Store } from '../harness/store/store.js';
import { removeClosed } from './open-files.js';
import { ownerThatEnded } from './other-owners.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-temporary-'));
});
afterEach(() => removeClosed(root));

const inputs = { of: 'a test' };
const make = async (folder: string) => {
  await writeFile(path.join(folder, 'data'), 'hello');
  return {};
};
const made = (store: Store) => store.artifact('shards', inputs, make);
const passing = () => new Store(root, { temporary: ['shards'] });
const removing = (store: Store) => store.leases.release(() => 'removed');

test('what a store made is removed once the last that uses it lets go', async () => {
  const [a, b] = [passing(), passing()];
  const { folder } = await made(a);
  assert.equal((await made(b)).cached, true);
  assert.equal(await removing(a), 0);
  assert.ok(existsSync(folder), 'b still uses it');
  assert.ok((await removing(b)) > 0);
  assert.ok(!existsSync(folder));
  assert.equal((await made(b)).cached, false, 'it can be made again');
});

test('what was there before is not removed, nor what somebody keeps', async () => {
  const { folder } = await made(new Store(root));
  const a = passing();
  assert.equal((await made(a)).cached, true);
  assert.equal(await removing(a), 0);
  assert.ok(existsSync(folder));

  await rm(folder, { recursive: true });
  const b = passing();
  await made(b);
  // From here on it is meant to stay, whatever the one who made it thinks.
  assert.equal((await made(new Store(root))).cached, true);
  assert.equal(await removing(b), 0);
  assert.ok(existsSync(path.join(folder, 'data')));
});

test('held, kept and left', async () => {
  const a = passing();
  const { folder } = await made(a);
  await a.leases.release(() => 'held');
  assert.deepEqual(a.leases.folders, [folder]);
  await a.leases.release(() => 'left');
  const b = passing();
  await made(b);
  await b.leases.release(() => 'kept');
  const c = passing();
  await made(c);
  assert.equal(await removing(c), 0);
  assert.ok(existsSync(folder));
});

test('after a kill the next attempt removes what the killed one made, and what it was about to remove', async () => {
  const first = passing();
  const { folder } = await made(first);
  await first.leases.release(() => 'left');
  const gone = ownerThatEnded();
  await writeFile(path.join(folder, `lease-${gone}-abc`), '');
  const remains = `${folder}.removed-${gone}`;
  await mkdir(remains);
  const next = passing();
  assert.equal((await made(next)).cached, true);
  assert.ok((await removing(next)) > 0);
  assert.ok(!existsSync(folder));
  assert.ok(!existsSync(remains));
});
