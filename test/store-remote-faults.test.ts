/** A store on a server that is not what it should be: refused before anything is made, or gone on with where it passes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { BenchError, ErrorCode } from '../harness/errors.js';
import { withDigest } from '../harness/store/digest.js';
import { keyOf } from '../harness/store/hash.js';
import { parseStoreAddress } from '../harness/store/remote/address.js';
import { parseStoredManifest } from '../harness/store/remote/layout.js';
import { parseSaid } from '../harness/store/remote/lease.js';
import { arrived } from './loopback.js';
import { freePort } from './queue-servers.js';
import { key, make, s3Caches, take } from './s3-cache.js';

const caches = s3Caches();
const { server } = caches;

/** Refused with what happened and what to do, and with nothing that is nobody's business. */
async function refuses(work: Promise<unknown>, code: ErrorCode, ...parts: RegExp[]): Promise<void> {
  await assert.rejects(work, (error: BenchError) => {
    assert.equal(error.code, code, error.stack);
    assert.ok(error.hint, 'says what to do');
    for (const part of parts) assert.match(`${error.message}\n${error.hint}`, part);
    assert.doesNotMatch(JSON.stringify([error.message, error.hint, error.cause ?? null]), /sesame|the key/);
    return true;
  });
}

test('a server that ignores conditions is refused, and nothing of the probe stays', async () => {
  const faults = {
    conditions: /a put with If-None-Match/,
    'conditions of parts': /upload in parts with If-None/,
  };
  for (const [ignores, what] of Object.entries(faults)) {
    server.reset();
    server.ignores = ignores as keyof typeof faults;
    process.env.BENCH_STORE = `s3://bench/${ignores.replaceAll(' ', '-')}`;
    await refuses(make(caches.cache('one')), 'UNAVAILABLE', what, /versitygw/, new RegExp(server.url));
    assert.deepEqual([server.keys(), server.uploads.size], [[], 0]);
  }
  server.reset();
  process.env.BENCH_STORE = 's3://bench/unknown-there';
  server.mishap = (asked) => (asked.startsWith('PUT') ? { status: 501, code: 'NotImplemented' } : undefined);
  await refuses(make(caches.cache('one')), 'UNAVAILABLE', /does not honour puts with conditions/);
});

test('what the server or the network refuses is said without any key', async () => {
  const said = (status: number, code: string, inside?: string) => () =>
    ({ status, code, ...(inside !== undefined && { inside }) }) as const;
  const cases = [
    [said(403, 'AccessDenied'), /refuses these keys.*AccessDenied[\s\S]*s3:PutObject/],
    [said(403, 'RequestTimeTooSkewed'), /clock is wrong/],
    [said(400, 'ExpiredToken'), /refuses these keys/],
    [said(301, 'PermanentRedirect'), /another region[\s\S]*AWS_REGION/],
    [
      said(400, 'AuthorizationHeaderMalformed', '<Region>eu-west-3</Region>'),
      /eu-west-3[\s\S]*AWS_REGION=eu-west-3/,
    ],
    [said(400, 'InvalidRequest'), /answered 400 InvalidRequest/],
    [() => 'cut' as const, /cannot be reached, or the connection was cut/],
  ] as const;
  for (const [mishap, what] of cases) {
    process.env.BENCH_STORE = `s3://bench/${createHash('md5').update(String(what)).digest('hex')}`;
    server.mishap = mishap;
    await refuses(make(caches.cache('one')), 'UNAVAILABLE', what);
  }
  server.reset();
  // It passes, and the process goes on with the store that it could not open.
  await make(caches.cache('passed'));
  process.env.BENCH_STORE = 's3://another-bucket';
  await refuses(make(caches.cache('one')), 'UNAVAILABLE', /There is no bucket for s3:\/\/another-bucket/);
  process.env.BENCH_STORE = 's3://bench/a/stranger';
  process.env.AWS_ACCESS_KEY_ID = 'a stranger';
  await refuses(make(caches.cache('one')), 'UNAVAILABLE', /InvalidAccessKeyId/);
  process.env.AWS_ENDPOINT_URL = server.url.replace('http://', 'http://name:open-sesame@');
  process.env.BENCH_STORE = 's3://bench/by-password';
  await refuses(make(caches.cache('one')), 'UNAVAILABLE', /at http:\/\/127\.0\.0\.1:\d+ refuses/);
  process.env.AWS_ENDPOINT_URL = 'nowhere';
  process.env.BENCH_STORE = 's3://bench/nowhere';
  await refuses(make(caches.cache('one')), 'USAGE', /AWS_ENDPOINT_URL is no address/);
  for (const name of ['AWS_ENDPOINT_URL', 'AWS_REGION']) delete process.env[name];
  process.env.BENCH_STORE = 's3://bench/somewhere';
  await refuses(make(caches.cache('one')), 'UNAVAILABLE', /which region/, /AWS_REGION/);
  Object.assign(process.env, server.environment('nobody'));
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name];
  await refuses(make(caches.cache('one')), 'UNAVAILABLE', /There are no keys for/, /AWS_PROFILE/);
  Object.assign(process.env, server.environment('nobody-there'));
  process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${await freePort()}`;
  await refuses(make(caches.cache('one')), 'UNAVAILABLE', /ECONNREFUSED/);
  assert.deepEqual(await readdir(path.join(caches.folder, 'one')).catch(() => []), ['running']);
});

test('what passes is asked again: 503, an answer that is lost, a download that breaks off', async () => {
  const left = new Map<string, number>();
  const times = (what: string, count: number) => {
    const had = left.get(what) ?? count;
    left.set(what, had - 1);
    return had > 0;
  };
  server.mishap = (asked) => {
    if (/^PUT .*files/.test(asked) && times('busy', 2)) return { status: 503, code: 'SlowDown' };
    // Both were written, and the second try is refused: what stands there is ours.
    if (/^PUT .*(manifest|leases)/.test(asked) && times(asked, 1)) return 'unheard';
    return undefined;
  };
  const made = await make(caches.cache('one'), 'vectors'.repeat(50_000));
  assert.equal(made.cached, false);
  assert.deepEqual(server.keys('/leases/'), []);
  const place = path.join(caches.folder, 'other', 'shards', key, 'unfinished', 'fetched');
  server.mishap = (asked) => {
    const part = path.join(place, path.basename(asked));
    const isLarge = server.objects.get(asked.slice(4))?.bytes.length === 350_000;
    // A manifest that breaks off is asked for again.
    if (/^GET .*manifest/.test(asked) && times('manifest', 2)) return { cutAt: 100, arrived: () => wait(20) };
    if (!isLarge || !times('cut', 1)) return undefined;
    return { cutAt: 60_000, arrived: () => arrived(part, 60_000) };
  };
  const taken = await take(caches.cache('other'));
  assert.deepEqual(
    await readFile(path.join(taken.folder, 'shard')),
    await readFile(path.join(made.folder, 'shard')),
  );
  assert.ok(
    server.ranges.some((from) => from > 0),
    'it goes on where it broke off',
  );
});

test('a server that is gone for good ends the command, and the same command goes on from there', async () => {
  server.mishap = (asked) => (/^PUT .*files/.test(asked) ? { status: 403, code: 'AccessDenied' } : undefined);
  await refuses(make(caches.cache('one')), 'UNAVAILABLE', /AccessDenied/);
  server.mishap = (asked) => (/\?uploadId$/.test(asked) ? { status: 403, code: 'AccessDenied' } : undefined);
  await refuses(make(caches.cache('large'), 'many '.repeat(4_000_000)), 'UNAVAILABLE', /AccessDenied/);
  assert.ok(
    server.asked.some((asked) => /^DELETE .*\?uploadId$/.test(asked)),
    'no parts are left there',
  );
  server.mishap = () => undefined;
  // What was made is in the cache, and only has to be put there.
  assert.equal((await take(caches.cache('one'))).cached, true);
  await take(caches.cache('other'));
});

test('a store that does not hold what its manifest names gives nothing', async () => {
  await make(caches.cache('one'));
  const shard = server.keys('/files/').find((name) => server.objects.get(name)!.bytes.length === 7)!;
  const whole = server.objects.get(shard)!;
  const other = caches.cache('other');
  for (const [bytes, what] of [
    [undefined, /files\/[0-9a-f]{64} is not there: shard is to be that/],
    [Buffer.from('vec'), /has 3 bytes, and shard is to have 7/],
    [Buffer.from('VECTORS'), /holds other bytes than those of shard/],
  ] as const) {
    if (bytes === undefined) server.objects.delete(shard);
    else server.objects.set(shard, { ...whole, bytes });
    await refuses(take(other), 'CACHE_INVALID', what, /Remove that object/);
    assert.ok(!(await readdir(path.join(caches.folder, 'other', 'shards', key))).includes('manifest.json'));
  }
  server.objects.set(shard, whole);
  await take(other);
  // A file of its name and of another length is not what is made here: nothing is built on it.
  for (const name of server.keys('manifest.json')) server.objects.delete(name);
  server.objects.set(shard, { ...whole, bytes: Buffer.from('vec') });
  await refuses(
    make(caches.cache('third')),
    'CACHE_INVALID',
    /has 3 bytes, and shard, which has that hash, has 7/,
  );
});

test('a manifest of a store may name no file outside its folder, nor what the cache itself keeps there', () => {
  const own = { of: 'it' };
  const artifact = { kind: 'shards', key: keyOf(own) } as const;
  const sha256 = 'a'.repeat(64);
  const parse = (changes: object, file: object = {}) => {
    const files = [{ name: 'shard', sizeBytes: 1, sha256, ...file }];
    const manifest = withDigest({ inputs: own, facts: {}, files, ...changes });
    return parseStoredManifest(Buffer.from(JSON.stringify(manifest)), artifact, 's3://bench/it');
  };
  assert.equal(parse({}).files.length, 1);
  assert.equal(parse({}, { name: 'below/shard-1.faiss' }).files.length, 1);
  const names = ['../shard', '/shard', 'a/../../b', 'a//b', './a', 'a\\b', 'C:a', 'a\0', '', '.', 'lock', 7];
  for (const name of [...names, 'manifest.json', 'unfinished/state', 'lease-1', '.hidden', 'a.partial-1-2'])
    assert.throws(() => parse({}, { name }), /names a file that cannot be one/, String(name));
  for (const wrong of [
    { sizeBytes: -1 },
    { sizeBytes: 1.5 },
    { sha256: 'A'.repeat(64) },
    { sha256: `${sha256}/..` },
  ])
    assert.throws(() => parse({}, wrong), /names a file that cannot be one/);
  assert.throws(() => parse({ files: [null] }), /names a file that cannot be one/);
  assert.throws(() => parse({ files: {} }), /names no files/);
  const twice = { name: 'shard', sizeBytes: 1, sha256 };
  assert.throws(() => parse({ files: [twice, twice] }), /names a file that cannot be one/);
  assert.throws(() => parse({ inputs: { of: 'another' } }), /is that of another artifact/);
  const text = (bytes: string) => () => parseStoredManifest(Buffer.from(bytes), artifact, 's3://bench/it');
  assert.throws(text('{'), /s3:\/\/bench\/it is not JSON/);
  for (const bytes of ['null', '[]', '7', '{"inputs":{}}'])
    assert.throws(text(bytes), /is not as it was written/);
});

test('what is no lease belongs to nobody', () => {
  const said = { holder: 'x', owner: '', host: 'h', leaseMs: 1, signs: 0, since: '2026-01-01T00:00:00.000Z' };
  const parse = (value: unknown) => parseSaid(Buffer.from(JSON.stringify(value)));
  assert.deepEqual(parse(said), said);
  for (const wrong of [
    null,
    7,
    [],
    {},
    { ...said, leaseMs: '1' },
    { ...said, host: 'a\nb' },
    { ...said, signs: -1 },
  ])
    assert.equal(parse(wrong), undefined);
  assert.equal(parseSaid(Buffer.from('no JSON')), undefined);
});

test('an address names a bucket and what names in it begin with, and no password', () => {
  const { bucket, prefix, text } = parseStoreAddress('s3://my-bucket//sweeps/a b/');
  assert.deepEqual([bucket, prefix, text], ['my-bucket', 'sweeps/a b/', 's3://my-bucket/sweeps/a b']);
  assert.deepEqual(parseStoreAddress('s3://my.bucket'), {
    bucket: 'my.bucket',
    prefix: '',
    text: 's3://my.bucket',
  });
  for (const wrong of [
    '/shared',
    'http://bucket/a',
    's3:/bucket',
    's3://',
    's3:///a',
    's3://B/a',
    's3://bu/../x',
  ])
    assert.throws(() => parseStoreAddress(wrong), { code: 'USAGE' }, wrong);
  assert.throws(
    () => parseStoreAddress('s3://name:open sesame@bucket/a'),
    (error: BenchError) =>
      error.code === 'USAGE' && !/sesame/.test(error.message) && /AWS_/.test(error.message),
  );
});
