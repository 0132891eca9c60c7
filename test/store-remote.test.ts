/** A store on a server behind the caches of several machines: made once, fetched whole, the first manifest wins. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { writeAtomic } from '../harness/store/atomic.js';
import { waitForOthers } from '../harness/store/lock.js';
import { filesOfTimes } from '../harness/store/log-file.js';
import { remoteStore } from '../harness/store/remote/remote-store.js';
import { inputs, key, make, s3Caches, take } from './s3-cache.js';

const caches = s3Caches();
const { server } = caches;
const contents = async (folder: string) =>
  Promise.all(['shard', 'below/ids', 'manifest.json'].map((name) => readFile(path.join(folder, name))));
const names = async (folder: string) => (await readdir(folder)).sort();
const invalid =
  (...parts: RegExp[]) =>
  (error: BenchError) => {
    assert.equal(error.code, 'CACHE_INVALID', error.stack);
    for (const part of parts) assert.match(`${error.message} ${error.hint}`, part);
    return true;
  };

test('what one cache made another fetches, byte for byte, and nobody makes it again', async () => {
  const [one, other] = [caches.cache('one'), caches.cache('other')];
  assert.equal(await other.has('shards', key), false);
  const made = await make(one);
  assert.equal(made.cached, false);
  assert.equal(await other.has('shards', key), true);
  const taken = await take(other);
  assert.equal(taken.cached, true);
  assert.deepEqual(taken.facts, { count: 2 });
  assert.deepEqual(await contents(taken.folder), await contents(made.folder));
  assert.deepEqual(await names(taken.folder), ['below', 'manifest.json', 'shard'], 'nothing is left over');
  assert.deepEqual(
    server.keys().map((name) => name.replace(/^[^/]*\//, '').replace(/[0-9a-f]{64}/, 'SHA256')),
    ['files/SHA256', 'files/SHA256', `shards/${key}/manifest.json`],
    'no lease and no probe stays',
  );
  const puts = server.asked.filter((line) => /^PUT .*(files|manifest)/.test(line));
  assert.match(puts.at(-1)!, /manifest\.json$/, 'the manifest goes last');
});

test('a file of many bytes goes in parts and comes back', async () => {
  const bytes = Buffer.alloc(40_000_000, 'all of it but in parts ');
  const [one, other] = [caches.cache('one'), caches.cache('other')];
  const large = async (folder: string) => {
    await writeAtomic(path.join(folder, 'large'), bytes);
    return {};
  };
  await one.artifact('shards', inputs, large);
  assert.equal(server.asked.filter((line) => /^PUT .*\?uploadId$/.test(line)).length, 3 + 1);
  assert.equal(server.uploads.size, 0);
  const { folder } = await take(other);
  assert.ok((await readFile(path.join(folder, 'large'))).equals(bytes));
});

test('files that are alike, and empty ones, lie in the store once', async () => {
  const [one, other] = [caches.cache('one'), caches.cache('other')];
  await one.artifact('shards', inputs, async (folder) => {
    for (const name of ['a', 'b', 'below/c']) await writeAtomic(path.join(folder, name), 'the same');
    for (const name of ['d', 'e']) await writeAtomic(path.join(folder, name), '');
    return {};
  });
  assert.equal(server.keys('/files/').length, 2);
  const { folder } = await take(other);
  assert.equal(await readFile(path.join(folder, 'below/c'), 'utf8'), 'the same');
  assert.deepEqual(await names(folder), ['a', 'b', 'below', 'd', 'e', 'manifest.json']);
});

test('what lies in a cache already is put into the store when it is asked for', async () => {
  const address = process.env.BENCH_STORE!;
  delete process.env.BENCH_STORE;
  const { folder } = await make(caches.cache('one'));
  process.env.BENCH_STORE = address;
  assert.equal(await caches.cache('one').has('shards', key), false, 'others do not see it');
  assert.equal((await take(caches.cache('one'))).cached, true);
  const fetched = await take(caches.cache('other'));
  assert.deepEqual(await contents(fetched.folder), await contents(folder));
});

/** Another has the lease, and the first is taken for dead while it works. */
const overtaken = (bytes: string, other: string) =>
  make(caches.cache('one'), bytes, async () => {
    for (const name of server.keys('/leases/')) server.objects.delete(name);
    await make(caches.cache('other'), other);
  });

test('of two that make one artifact the first that puts its manifest wins, and the other takes it', async () => {
  const { folder, cached } = await overtaken('vectors', 'vectors');
  assert.equal(cached, false);
  const winner = path.join(caches.folder, 'other', 'shards', key);
  assert.deepEqual(await contents(folder), await contents(winner));
  assert.equal(server.keys('manifest.json').length, 1);
});

test('a loser with other bytes is refused by name, and what won stays', async () => {
  await assert.rejects(
    overtaken('vectors', 'others'),
    invalid(new RegExp(`shards/${key}`), /shard has 7 bytes with sha256 [0-9a-f]{64} here/, /Remove .*one/),
  );
  assert.equal(
    await readFile(path.join((await take(caches.cache('third'))).folder, 'shard'), 'utf8'),
    'others',
  );
  // And so it is whenever it is asked for again.
  await assert.rejects(take(caches.cache('one')), invalid(/shard has 7 bytes/));
});

for (const name of filesOfTimes)
  test(`times in ${name} are no other bytes, and the loser takes what the winner has`, async () => {
    const timed = { ...inputs, timed: name };
    const trained = (cache: string, log: string, before?: () => Promise<unknown>) =>
      caches.cache(cache).artifact('checkpoints', timed, async (folder) => {
        await before?.();
        await writeAtomic(path.join(folder, name), log);
        return {};
      });
    const { folder } = await trained('one', '{"milliseconds":1}', async () => {
      for (const lease of server.keys('/leases/')) server.objects.delete(lease);
      await trained('other', '{"milliseconds":2}');
    });
    assert.equal(await readFile(path.join(folder, name), 'utf8'), '{"milliseconds":2}');
    assert.equal(
      (await caches.cache('one').artifact('checkpoints', timed, async () => assert.fail())).cached,
      true,
    );
  });

test('what is made anew on purpose has to be what the store has, and keeps its own times', async () => {
  await make(caches.cache('one'));
  const before = await contents(path.join(caches.folder, 'one', 'shards', key));
  const { cached, folder } = await make(caches.cache('one', 'everything'));
  assert.equal(cached, false);
  assert.notDeepEqual(await contents(folder), before);
  await assert.rejects(make(caches.cache('one', 'everything'), 'others'), invalid(/shard has 6 bytes/));
});

test('what is damaged here is fetched again with --repair, and only that', async () => {
  const { folder } = await make(caches.cache('one'));
  const before = await contents(folder);
  await writeFile(path.join(folder, 'shard'), 'VECTORS');
  await assert.rejects(take(caches.cache('one')), invalid(/shard holds other bytes/));
  assert.equal((await take(caches.cache('one', 'damaged'))).cached, true);
  assert.deepEqual(await contents(folder), before);
});

test('an attempt that was killed goes on: what was fetched, and what lies in place, is not fetched again', async () => {
  const made = await make(caches.cache('one'));
  const folder = path.join(caches.folder, 'other', 'shards', key);
  const part = server.keys('/files/').find((name) => server.objects.get(name)!.bytes.length === 7)!;
  await mkdir(path.join(folder, 'unfinished', 'fetched'), { recursive: true });
  await writeFile(path.join(folder, 'unfinished', 'fetched', path.basename(part)), 'vec');
  await mkdir(path.join(folder, 'below'));
  await writeFile(path.join(folder, 'below', 'ids'), 'p1\np2\n');
  await writeFile(path.join(folder, 'half'), 'of an attempt at making it');
  server.asked.length = 0;
  await take(caches.cache('other'));
  assert.deepEqual(
    server.asked.filter((line) => line.startsWith('GET') && line.includes('/files/')),
    [`GET ${part}`],
  );
  assert.deepEqual(await contents(folder), await contents(made.folder));
  assert.deepEqual(await names(folder), ['below', 'manifest.json', 'shard']);
});

test('a part of other bytes is begun anew', async () => {
  await make(caches.cache('one'));
  const place = path.join(caches.folder, 'other', 'shards', key, 'unfinished', 'fetched');
  const part = server.keys('/files/').find((name) => server.objects.get(name)!.bytes.length === 7)!;
  await mkdir(place, { recursive: true });
  for (const left of ['VEC', 'VECTORS', 'longer than it is']) {
    await writeFile(path.join(place, path.basename(part)), left);
    const { folder } = await take(caches.cache('other'));
    assert.equal(await readFile(path.join(folder, 'shard'), 'utf8'), 'vectors');
    await rm(path.join(folder, 'manifest.json'));
    await rm(path.join(folder, 'shard'));
    await mkdir(place, { recursive: true });
  }
});

test('a lease that another holds is waited for, or refused, and one that gave no sign is taken over', async () => {
  const [lease] = [`leases/shards/${key}`];
  let held = '';
  const first = make(caches.cache('one'), 'vectors', async () => {
    held = server.keys(lease)[0]!;
    waitForOthers({ waits: false });
    await assert.rejects(make(caches.cache('other')), (error: BenchError) => {
      assert.equal(error.code, 'LOCKED');
      assert.match(
        error.message,
        new RegExp(`Process ${process.pid} on .* is making shards/${key} for s3://bench`),
      );
      return true;
    });
    waitForOthers({ waits: true });
  });
  await first;
  assert.equal(server.keys(lease).length, 0);
  // Left by a machine that died: the server says when it was written.
  const said = {
    holder: 'x',
    owner: '2-aaaaaaaaaaaa-77-60000',
    host: 'far',
    leaseMs: 60_000,
    signs: 3,
    since: '',
  };
  const left = (secondsAgo: number, text = JSON.stringify(said)) =>
    server.objects.set(held, {
      ...{ bytes: Buffer.from(text), etag: '"of another"' },
      modified: new Date(Date.now() - 1000 * secondsAgo),
    });
  for (const name of server.keys('manifest.json')) server.objects.delete(name);
  waitForOthers({ waits: false });
  left(30);
  await assert.rejects(make(caches.cache('third')), { code: 'LOCKED' });
  for (const name of ['third', 'fourth', 'fifth']) {
    if (name === 'third') left(62);
    else if (name === 'fourth') left(0, JSON.stringify({ ...said, owner: '' }));
    else left(0, 'no lease');
    assert.equal((await make(caches.cache(name))).cached, false);
    assert.equal(server.keys(lease).length, 0);
    for (const manifest of server.keys('manifest.json')) server.objects.delete(manifest);
  }
  waitForOthers({ waits: true });
});

test('what fails gives its lease back, so that nobody waits for it', async () => {
  const fails = make(caches.cache('one'), '', () => Promise.reject(new TypeError('of its own')));
  await assert.rejects(fails, /of its own/);
  waitForOthers({ waits: false });
  assert.equal((await make(caches.cache('other'))).cached, false);
  waitForOthers({ waits: true });
});

test('what is made to be thrown away stays in its folder', async () => {
  const { Store } = await import('../harness/store/store.js');
  await make(new Store(path.join(caches.folder, 'alone'), { isAlone: true }));
  assert.deepEqual(server.asked, []);
  assert.ok(!existsSync(path.join(caches.folder, 'alone', 'shards', key, 'unfinished')));
  assert.notEqual(await remoteStore(), undefined);
});
