/** Downloads whose publisher gives neither size nor hash: the first one is taken, and a later one has to be the same. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fetchFile } from '../harness/store/download.js';
import { content, failsWith, loopback, other } from './loopback.js';

const at = loopback();

function unpublished() {
  const { sha256: _, ...rest } = at.download({ sizeBytes: 0 });
  return rest;
}
const get = (options = {}) => fetchFile(unpublished(), at.folder, { retries: 0, ...options });

/** Cuts the answer after so many bytes. */
let cutAt = Number.POSITIVE_INFINITY;
function answer(data: Buffer): typeof at.handle {
  return (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers = { 'content-length': data.length - from, etag: '"1"' };
    const range = { 'content-range': `bytes ${from}-${data.length - 1}/${data.length}` };
    response.writeHead(from > 0 ? 206 : 200, from > 0 ? { ...headers, ...range } : headers);
    if (request.method === 'HEAD') response.end();
    else if (cutAt < data.length) response.write(data.subarray(from, cutAt), () => response.destroy());
    else response.end(data.subarray(from));
  };
}

test('is brought once, its size asked of the server', async () => {
  cutAt = Number.POSITIVE_INFINITY;
  at.handle = answer(content);
  const totals: number[] = [];
  await get({ onProgress: (_: number, total: number) => totals.push(total) });
  await at.isWhole();
  assert.ok(totals.every((total) => total === content.length));
  assert.equal(at.seen.length, 2);
  await get({ offline: true });
  assert.equal(at.seen.length, 2);
});

test('goes on after a cut', async () => {
  at.handle = answer(content);
  cutAt = 100_000;
  await failsWith(get(), 'DOWNLOAD_FAILED', 'go on');
  cutAt = Number.POSITIVE_INFINITY;
  await get();
  await at.isWhole();
});

test('one that is changed later is refused and left alone', async () => {
  cutAt = Number.POSITIVE_INFINITY;
  at.handle = answer(content);
  const file = await get();
  await writeFile(file, other);
  await failsWith(get({ offline: true }), 'CACHE_INVALID', file);
});

test('one that was put there by hand is taken', async () => {
  await writeFile(at.file, other);
  assert.equal(await get({ offline: true }), at.file);
  await writeFile(at.file, content);
  await failsWith(get({ offline: true }), 'CACHE_INVALID', at.file);
});

test('what was kept of a file and is damaged is made anew, whatever it holds', async () => {
  await writeFile(at.file, content);
  await get({ offline: true });
  const kept = JSON.parse(await readFile(`${at.file}.verified.json`, 'utf8')) as object;
  for (const damaged of [
    null,
    7,
    {},
    { ...kept, algorithm: {} },
    { ...kept, algorithm: 'none' },
    { ...kept, hash: 1 },
  ]) {
    await writeFile(`${at.file}.verified.json`, JSON.stringify(damaged));
    assert.equal(await get({ offline: true }), at.file);
    assert.deepEqual(JSON.parse(await readFile(`${at.file}.verified.json`, 'utf8')), kept);
  }
});

test('offline, without a url, and where the server does not say its size, it says what to do', async () => {
  await failsWith(get({ offline: true }), 'DOWNLOAD_FAILED', at.url, 'does not give');
  const nowhere = fetchFile({ ...unpublished(), url: '', instructions: 'Ask for it' }, at.folder);
  await failsWith(nowhere, 'DOWNLOAD_FAILED', 'Ask for it');
  at.handle = (_, response) => response.writeHead(404).end();
  await failsWith(get(), 'DOWNLOAD_FAILED', '404');
  at.handle = (_, response) => response.writeHead(200, { 'transfer-encoding': 'chunked' }).end();
  await failsWith(get(), 'DOWNLOAD_FAILED', 'how large');
  await rm(at.file, { force: true });
});
