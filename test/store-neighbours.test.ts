/** Other hosts at work in a store: what they use and what they left, who they are, what prune and the doctor say. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { checkSharing } from '../harness/cli/doctor/places.js';
import { inventory } from '../harness/store/inventory.js';
import { noteUse } from '../harness/store/manifest.js';
import { ownerText } from '../harness/store/owner.js';
import { prune } from '../harness/store/prune.js';
import { announce, neighbours } from '../harness/store/running.js';
import { Store } from '../harness/store/store.js';
import { removeClosed } from './open-files.js';
import { brief, briefOver, lease, nothing, patient, sleep, useLease } from './strangers.js';

useLease();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-neighbours-'));
});
afterEach(() => removeClosed(folder));

test('a lease and a removal of another host count until a lease after their last sign of life', async () => {
  const passing = () => new Store(folder, { temporary: ['shards'] });
  const released = async () => {
    const store = passing();
    await store.artifact('shards', { a: 1 }, nothing);
    await store.leases.release(() => 'removed');
  };
  const first = passing();
  const { folder: shards } = await first.artifact('shards', { a: 1 }, nothing);
  await first.leases.release(() => 'left');
  const left = async (owner: string) => {
    await writeFile(path.join(shards, `lease-${owner}-abcd`), '');
    await mkdir(`${shards}.removed-${owner}`);
    await sleep(briefOver);
    await released();
  };
  await left(patient);
  assert.ok(existsSync(shards) && existsSync(`${shards}.removed-${patient}`));
  await rm(path.join(shards, `lease-${patient}-abcd`));
  await rm(`${shards}.removed-${patient}`, { recursive: true });
  await left(brief);
  assert.deepEqual(await readdir(path.dirname(shards)), []);
});

test('who else works in a cache is known with host and time, until a lease after its last sign of life', async () => {
  const running = path.join(folder, 'running');
  await mkdir(running);
  for (const name of [`${patient} far-away`, `${brief} long-gone`, `${ownerText()} here`])
    await writeFile(path.join(running, name), '');
  await sleep(briefOver);
  const found = await neighbours(folder);
  assert.deepEqual(
    found.map(({ pid, host }) => [pid, host]),
    [[2, 'far-away']],
  );
  const { state, detail } = await checkSharing(folder);
  assert.deepEqual(
    [state, / at work in it: process 2 on far-away, since /.test(detail)],
    ['ok', true],
    detail,
  );
  await announce(folder);
  assert.deepEqual(
    (await readdir(running)).filter((name) => name.includes('long-gone')),
    [],
  );
});

test('a process that was taken for dead while it stood still announces itself again, with the time that it began at', async () => {
  await announce(folder);
  const [name] = await readdir(path.join(folder, 'running'));
  const sign = path.join(folder, 'running', name!);
  const began = (await stat(sign)).mtimeMs;
  await rm(sign);
  while (!existsSync(sign)) await sleep(20);
  await sleep(lease / 2);
  assert.ok(Math.abs((await stat(sign)).mtimeMs - began) < 2);
});

test('what a process of another host has asked for is not pruned, and it is named', async () => {
  const store = new Store(folder);
  const { folder: made } = await store.artifact('runs', { a: 1 }, nothing);
  const sign = path.join(folder, 'running', `${patient} far-away`);
  await writeFile(sign, '');
  const begun = new Date(Date.now() - 60_000);
  await utimes(sign, begun, begun);
  const asked = await prune(folder, await inventory(folder));
  assert.deepEqual([asked.removed.length, asked.inUse.length], [0, 1]);
  assert.deepEqual(
    asked.running.map(({ host }) => host),
    ['far-away'],
  );
  await rm(sign);
  // One that it works on, though it has not announced itself.
  await writeFile(path.join(made, 'lock'), `${patient}-1234abcd far-away`);
  assert.equal((await prune(folder, await inventory(folder))).inUse.length, 1);
  await writeFile(path.join(made, 'lock'), `${brief}-1234abcd far-away`);
  await sleep(briefOver);
  assert.equal((await prune(folder, await inventory(folder))).removed.length, 1);
});

test('the use of an artifact is noted by the clock of the file system', async (context) => {
  const store = new Store(folder);
  const { folder: made } = await store.artifact('runs', { a: 1 }, nothing);
  const file = path.join(made, 'manifest.json');
  const there = (await stat(file)).ctimeMs;
  // A host whose clock is an hour behind.
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() - 3_600_000 });
  await noteUse(made);
  context.mock.timers.reset();
  assert.ok((await stat(file)).mtimeMs >= there - 2000);
});
