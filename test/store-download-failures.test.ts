/** A download that fails says why, where, and what to do. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stat, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { content, failsWith, loopback, serve } from './loopback.js';

const at = loopback();

for (const [status, requests] of [
  [404, 1],
  [403, 1],
  [499, 1],
  [408, 2],
  [425, 2],
  [429, 2],
  [500, 2],
  [503, 2],
] as const) {
  test(`status ${status} is a clear error after ${requests} of 2 attempts`, async () => {
    at.handle = (_, response) => void response.writeHead(status).end('sorry');
    await failsWith(at.get({ retries: 1 }), 'DOWNLOAD_FAILED', at.url, `${status}`, at.file);
    assert.equal(at.seen.length, requests);
  });
}

test('a server that falls silent is a clear error, and what it gave is kept', async () => {
  at.handle = (_, response) => {
    response.setHeader('content-length', content.length);
    response.write(content.subarray(0, 1000));
  };
  await failsWith(
    at.get({ stallMs: 200 }),
    'DOWNLOAD_FAILED',
    at.url,
    'no byte came for 0.2 seconds',
    'the 1000 bytes',
  );
  assert.equal((await stat(`${at.file}.part`)).size, 1000);
});

test('a server that never answers is a clear error', async () => {
  at.handle = () => undefined;
  await failsWith(at.get({ stallMs: 200 }), 'DOWNLOAD_FAILED', 'no byte came');
});

test('a refused connection is a clear error', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const url = `http://127.0.0.1:${port}/x`;
  await failsWith(at.get({}, { url }), 'DOWNLOAD_FAILED', url, 'ECONNREFUSED', 'by other means');
});

test('a full disk is said to be full', {
  skip: existsSync('/dev/full') ? false : 'no /dev/full here',
}, async () => {
  at.handle = serve(content);
  await symlink('/dev/full', `${at.file}.part`);
  await failsWith(at.get({ retries: 3 }), 'DISK_FULL', 'data.bin.part');
  assert.equal(at.seen.length, 1);
});

test('between tries it waits half a second, and twice as long from one to the next', async () => {
  at.handle = (_, response) => void response.writeHead(503).end();
  const from = performance.now();
  await failsWith(at.get({ retries: 2 }), 'DOWNLOAD_FAILED', at.url, '503');
  const ms = performance.now() - from;
  assert.equal(at.seen.length, 3);
  // 500 and 1000; a timer may end a little early.
  assert.ok(ms >= 1490, `${ms} ms`);
});

test('where nobody says how often, a server that is ill is asked five times, and what it gained gives fresh patience', async () => {
  at.handle = (_, response) => void response.writeHead(503).end();
  await failsWith(at.get({ retries: undefined }), 'DOWNLOAD_FAILED', '503');
  assert.equal(at.seen.length, 5);
});

test('each byte that was gained begins the count anew', async () => {
  let asked = 0;
  // Every other answer brings some bytes, the others none.
  at.handle = (request, response, part) => {
    asked++;
    if (asked % 2 === 0) response.writeHead(503).end();
    else serve(content, { cutAt: asked > 5 ? Infinity : 100_000 })(request, response, part);
  };
  await at.get({ retries: 2 });
  await at.isWhole();
  assert.equal(asked, 7);
});
