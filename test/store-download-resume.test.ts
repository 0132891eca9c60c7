/** A download goes on where it was cut, and never glues two versions together. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { content, digest, failsWith, loopback, other, serve } from './loopback.js';

const at = loopback();

test('goes on by itself where the connection was cut', async () => {
  let cuts = 0;
  at.handle = (request, response, part) =>
    serve(content, { cutAt: cuts++ < 2 ? 100_000 : Infinity })(request, response, part);
  await at.get({ retries: 1 });
  await at.isWhole();
  assert.deepEqual(at.ranges, [undefined, 'bytes=100000-', 'bytes=200000-']);
  assert.equal(at.seen[1]?.['if-range'], '"v1"');
});

test('what was brought survives a failure and the next call goes on from there', async () => {
  at.handle = serve(content, { cutAt: 150_000 });
  await failsWith(at.get(), 'DOWNLOAD_FAILED', at.url, 'from the 150000 bytes', at.file);
  at.handle = serve(content);
  const progress: number[] = [];
  await at.get({ onProgress: (done) => progress.push(done) });
  await at.isWhole();
  assert.equal(progress[0], 150_000);
  assert.equal(at.seen.at(-1)?.range, 'bytes=150000-');
});

test('pieces of two versions are not glued: the server sees the ETag', async () => {
  at.handle = serve(other, { etag: '"old"', cutAt: 150_000 });
  await failsWith(at.get(), 'DOWNLOAD_FAILED');
  at.handle = serve(content, { etag: '"new"' });
  await at.get();
  await at.isWhole();
});

test('pieces of two versions are not glued: without ETag the hash shows it, and it starts over', async () => {
  at.handle = serve(other, { etag: '', cutAt: 150_000 });
  await failsWith(at.get(), 'DOWNLOAD_FAILED');
  at.handle = serve(content, { etag: '' });
  await at.get();
  await at.isWhole();
  assert.deepEqual(at.ranges, [undefined, 'bytes=150000-', undefined]);
});

test('what is remembered of a part and is damaged is not gone by, whatever it holds', async () => {
  for (const damaged of [
    'null',
    '7',
    '{"url": {}}',
    `{"url": "${at.url}", "validator": "\\u0000é"}`,
    '{"validator": []}',
  ]) {
    await rm(at.file, { force: true });
    at.handle = serve(content, { cutAt: 150_000 });
    await failsWith(at.get(), 'DOWNLOAD_FAILED');
    await writeFile(`${at.file}.part.json`, damaged);
    at.handle = serve(content);
    await at.get();
    await at.isWhole();
    assert.equal(at.seen.at(-1)?.['if-range'], undefined, damaged);
  }
});

test('a server that ignores ranges sends all of it', async () => {
  at.handle = serve(content, { cutAt: 150_000 });
  await failsWith(at.get(), 'DOWNLOAD_FAILED');
  at.handle = serve(content, { ranges: false });
  await at.get();
  await at.isWhole();
});

test('a server that always cuts at the same place is given up', async () => {
  at.handle = serve(content, { ranges: false, cutAt: 150_000 });
  await failsWith(at.get({ retries: 1 }), 'DOWNLOAD_FAILED', 'connection failed');
  assert.equal(at.seen.length, 2, 'the second one gained nothing');
});

test('a range that the server cannot give starts over', async () => {
  await writeFile(`${at.file}.part`, content.subarray(0, 1000));
  at.handle = (request, response, part) => {
    if (request.headers.range === undefined) return serve(content)(request, response, part);
    response.writeHead(416).end();
  };
  await at.get({ retries: 1 });
  await at.isWhole();
});

test('a part that is too long starts over, one that is whole needs no network', async () => {
  at.handle = serve(content);
  await writeFile(`${at.file}.part`, Buffer.concat([content, content]));
  await at.get();
  await at.isWhole();
  await rm(at.file);
  await writeFile(`${at.file}.part`, content);
  await at.get();
  await at.isWhole();
  assert.equal(at.seen.length, 1);
});

test('a file of one byte, there already, needs no network either', async () => {
  const one = content.subarray(0, 1);
  at.handle = serve(one);
  const changes = { sizeBytes: 1, sha256: digest(one) };
  await writeFile(`${at.file}.part`, one);
  const told: number[][] = [];
  await at.get({ onProgress: (done, total) => told.push([done, total]) }, changes);
  assert.deepEqual([at.seen.length, told], [0, [[1, 1]]]);
  assert.ok((await readFile(at.file)).equals(one));
  await rm(at.file);
  await at.get({}, changes);
  assert.deepEqual(at.ranges, [undefined]);
});

test('one byte that is there is not asked for again', async () => {
  at.handle = serve(content);
  await writeFile(`${at.file}.part`, content.subarray(0, 1));
  await at.get();
  await at.isWhole();
  assert.deepEqual(at.ranges, ['bytes=1-']);
});

test('a part of another address is not gone on with', async () => {
  await writeFile(`${at.file}.part`, other.subarray(0, 1000));
  await writeFile(`${at.file}.part.json`, JSON.stringify({ url: 'http://elsewhere/' }));
  at.handle = serve(content);
  await at.get();
  await at.isWhole();
  assert.equal(at.seen[0]?.range, undefined);
});

test('follows a redirect, also when it goes on', async () => {
  const whole = serve(content);
  const cut = serve(content, { cutAt: 150_000 });
  at.handle = (request, response, part) => {
    if (request.url === '/data.bin') return void response.writeHead(302, { location: '/moved' }).end();
    (request.headers.range === undefined ? cut : whole)(request, response, part);
  };
  await at.get({ retries: 1 });
  await at.isWhole();
  assert.equal(at.seen.at(-1)?.range, 'bytes=150000-');
});
