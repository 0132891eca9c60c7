/** A store on S3 on the command line: tried by the doctor, left alone by the cache, no matter to what each machine keeps. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { command as cacheCommand } from '../harness/cli/cache.js';
import { execute } from '../harness/cli/command.js';
import { checkStore } from '../harness/cli/doctor/places.js';
import { assertKeeps } from '../harness/cli/sweep-request.js';
import { make, s3Caches } from './s3-cache.js';
import { tinyRequest } from './tiny-collection.js';

const caches = s3Caches();
const { server } = caches;

async function printed(...argv: string[]): Promise<string> {
  let text = '';
  const own = ['--cache', path.join(caches.folder, 'one'), '--out', path.join(caches.folder, 'out')];
  await execute('cache', cacheCommand, [...argv, ...own], (some) => {
    text += some;
  });
  return text;
}

test('what is pruned is the cache of this machine, and it is said that the store is left alone', async () => {
  await make(caches.cache('one'));
  const store = process.env.BENCH_STORE!;
  delete process.env.BENCH_STORE;
  assert.doesNotMatch(await printed(), /left alone/);
  assert.match(
    await printed('--store', store),
    new RegExp(`shards [\\s\\S]*${store}: left alone, and not listed`),
  );
  const before = server.keys();
  assert.match(
    await printed('prune', '--kind', 'shards', '--store', store),
    /removed: 1 of 1[\s\S]*left alone/,
  );
  assert.deepEqual(server.keys(), before);
  await assert.rejects(printed('--store', '/shared'), { code: 'USAGE' });
});

test('the doctor says whether a store can be worked with, and nothing where none is asked for', async () => {
  assert.deepEqual(
    (await checkStore()).map(({ state }) => state),
    ['ok'],
  );
  process.env.BENCH_STORE += '-deaf';
  server.ignores = 'conditions';
  const [check] = await checkStore();
  assert.equal(check!.state, 'failed');
  assert.match(check!.detail, /does not honour/);
  delete process.env.BENCH_STORE;
  assert.deepEqual(await checkStore(), []);
});

test('what a worker has tried its tasks do not try again, and another store they do', async () => {
  const probes = () => server.asked.filter((asked) => /^PUT .*\/probe-/.test(asked)).length;
  await checkStore();
  assert.ok(probes() > 0);
  const { BENCH_STORE: store, BENCH_STORE_TRIED: tried } = process.env;
  assert.equal(tried, `${store} at ${server.url}`);
  for (const isTried of [true, false]) {
    server.reset();
    process.env.BENCH_STORE = `${store}-${isTried}`;
    process.env.BENCH_STORE_TRIED = isTried ? `${process.env.BENCH_STORE} at ${server.url}` : tried!;
    await make(caches.cache('one'));
    assert.equal(probes() === 0, isTried);
  }
});

test('machines that share a folder keep everything, and those with a store behind their own what they like', () => {
  const requests = [tinyRequest(caches.folder, 'bm25', 1, 'keep=records')];
  assertKeeps(requests);
  delete process.env.BENCH_STORE;
  assert.throws(() => assertKeeps(requests), { code: 'CONFIG_INVALID' });
});
