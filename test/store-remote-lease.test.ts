/** Leases in a store on a server: renewed while their holder works, and nobody's to take from another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitForOthers } from '../harness/store/lock.js';
import type { Bucket } from '../harness/store/remote/bucket.js';
import { parseSaid, StoreLease } from '../harness/store/remote/lease.js';
import { key, make, s3Caches, take } from './s3-cache.js';
import { lease, sleep, useLease } from './strangers.js';

useLease();
const caches = s3Caches();
const { server } = caches;

const there = () => {
  const name = server.keys(`leases/shards/${key}`)[0]!;
  return { name, stored: server.objects.get(name)! };
};
const said = () => parseSaid(there().stored.bytes)!;

/** Bound to happen, however slow this machine is. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(lease / 20);
}

test('whoever works writes its lease anew, and says who it is', async () => {
  await make(caches.cache('one'), 'vectors', async () => {
    const first = said();
    assert.match(first.owner, new RegExp(`^${process.pid}-`));
    assert.equal(first.leaseMs, lease);
    const { etag } = there().stored;
    await until(() => said().signs >= 2);
    assert.equal(said().holder, first.holder);
    assert.notEqual(there().stored.etag, etag);
  });
  assert.deepEqual(server.keys('/leases/'), []);
});

test('a sign of life whose answer is lost is no lost lease', async () => {
  await make(caches.cache('one'), 'vectors', async () => {
    let lost = 0;
    server.mishap = (asked) => (/^PUT .*leases/.test(asked) && lost++ === 0 ? 'unheard' : undefined);
    await until(() => lost > 0 && said().signs >= 3);
  });
  assert.deepEqual(server.keys('/leases/'), []);
});

test('one that another took over is left to that one, whatever becomes of the work', async () => {
  const other = {
    ...{ holder: 'another', owner: '2-aaaaaaaaaaaa-77-600000', host: 'far' },
    leaseMs: 600_000,
  };
  const takeOver = () => {
    const { name } = there();
    const bytes = Buffer.from(JSON.stringify({ ...other, signs: 0, since: '' }));
    server.objects.set(name, { bytes, etag: '"of another"', modified: new Date() });
    return name;
  };
  let name = '';
  const fails = make(caches.cache('one'), 'vectors', async () => {
    name = takeOver();
    const asked = server.asked.length;
    // It has tried to give a sign, and seen whose it is.
    await until(() => server.asked.slice(asked).includes(`GET ${name}`));
    throw new TypeError('of its own');
  });
  await assert.rejects(fails, /of its own/);
  assert.equal(said().holder, 'another');
  waitForOthers({ waits: false });
  await assert.rejects(make(caches.cache('one')), { code: 'LOCKED' });
  waitForOthers({ waits: true });
  server.objects.delete(name);
  // Done all the same, and first: the other finds it when it looks.
  await make(caches.cache('one'), 'vectors', takeOver);
  await take(caches.cache('other'));
});

test('who waits takes what the other has finished', async () => {
  let waiting: Promise<unknown> | undefined;
  const notes: string[] = [];
  const job = {
    signal: new AbortController().signal,
    note: (line: string) => void notes.push(line),
    checkInterrupted: () => undefined,
  };
  waitForOthers({ waits: true, job });
  // However slow this machine is, it does not run out.
  process.env.BENCH_LEASE_SECONDS = '600';
  await make(caches.cache('one'), 'vectors', async () => {
    waiting = take(caches.cache('other'));
    await until(() => notes.length > 0);
  });
  await waiting;
  assert.equal(notes.length, 1);
  assert.match(
    notes[0]!,
    /^Process \d+ on .* is making shards\/[0-9a-f]{20} for s3:.*: waiting for it to end/,
  );
  useLease();
  waitForOthers({ waits: true });
});

test('of signs that fall due while a server does not answer one is given, not all', async () => {
  const answers: (() => void)[] = [];
  let [puts, isAway] = [0, true];
  const bucket = {
    shown: (name: string) => `s3://held/${name}`,
    read: async () => undefined,
    create: async () => 'made',
    async replace() {
      puts++;
      if (isAway) await new Promise<void>((resolve) => answers.push(resolve));
      return `put ${puts}`;
    },
    remove: async () => undefined,
  } as unknown as Bucket;
  const held = new StoreLease(bucket, { kind: 'shards', key });
  assert.equal(await held.take(async () => false), true);
  await until(() => answers.length > 0);
  await sleep(lease);
  isAway = false;
  for (const answer of answers) answer();
  await held.giveBack();
  // The sign, and that it was given back.
  assert.equal(puts, 2);
});
