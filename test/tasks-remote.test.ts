/** A sweep by machines that share nothing but a store on S3: the bytes of one that ran alone, and nothing made twice. */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { RunRecord } from '../harness/record.js';
import { assertHeldFiles, bench, killedRoot, sweepOf } from './killed-runs.js';
import { S3Server } from './s3-server.js';

const server = new S3Server();
let root: string;
before(async () => {
  await server.start();
  root = await killedRoot();
});
after(async () => {
  server.stop();
  await rm(root, { recursive: true, force: true });
});

const args = (here: string) => sweepOf(root, path.join(root, here), 'dual-encoder,bm25');

test('two workers with a cache each make a sweep, and a third machine fetches all of it', async () => {
  await bench(root, ['run', ...args('alone')]);
  Object.assign(process.env, server.environment());
  const store = ['--store', 's3://bench/sweep'];
  delete process.env.BENCH_STORE;
  await Promise.all(
    ['one', 'other'].map((here, i) => bench(root, ['work', ...args(here), ...store, '--worker', String(i)])),
  );
  const made = server.keys('manifest.json');
  assert.ok(made.length > 10, made.join('\n'));
  assert.deepEqual(server.keys('/leases/'), []);
  const before = new Map(server.objects);
  // What it puts in place comes from the store: it makes nothing.
  await bench(root, ['run', ...args('third'), ...store], /^before .*shards\/.*shard-00000\.json$/);
  await bench(root, ['run', ...args('third'), ...store]);
  assert.deepEqual(new Map(server.objects), before, 'nothing was put there, and no probe or lease stays');
  const at = (here: string, what: string) => path.join(root, here, what);
  // It fetched what it needs, which is not all that the training was made with.
  const fetched = await assertHeldFiles(at('alone', 'cache'), at('third', 'cache'));
  assert.ok(fetched.length > 30, fetched.join('\n'));
  const files = await assertHeldFiles(at('third', 'out'), at('alone', 'out'));
  const records = files.filter((file) => file.endsWith('.record.json'));
  assert.equal(records.length, 4);
  for (const file of records) {
    const text = await readFile(path.join(at('third', 'out'), file), 'utf8');
    assert.doesNotMatch(text, /sesame|somebody/);
    const { stages } = JSON.parse(text) as RunRecord;
    const anew = stages.filter(({ key, execution }) => key !== null && !execution.cached);
    assert.deepEqual(anew, [], file);
  }
});
