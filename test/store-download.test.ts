import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Download } from '../harness/contracts.js';
import { BenchError, type ErrorCode } from '../harness/errors.js';
import { stream } from '../harness/random.js';
import { type FetchOptions, fetchFile } from '../harness/store/download.js';

const bytesOf = (name: string, length: number) => {
  const random = stream(1, name);
  return Buffer.from(Uint8Array.from({ length }, () => random.integer(256)));
};
const content = bytesOf('content', 400_000);
const other = bytesOf('other', content.length);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let handle: Handler;
let seen: IncomingMessage['headers'][] = [];
let folder: string;
let url: string;

const server = createServer((request, response) => {
  seen.push(request.headers);
  handle(request, response);
});
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.bin`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  seen = [];
  folder = await mkdtemp(path.join(tmpdir(), 'strata-download-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const digest = (data: Buffer, algorithm = 'sha256') => createHash(algorithm).update(data).digest('hex');
const download = (changes: Partial<Download> = {}): Download => ({
  name: 'data.bin',
  url,
  sizeBytes: content.length,
  sha256: digest(content),
  licence: 'CC0',
  ...changes,
});
const get = (options: FetchOptions = {}, changes: Partial<Download> = {}) =>
  fetchFile(download(changes), folder, { retries: 0, ...options });

/** Answers as a server that knows ranges does; `cutAt` ends the connection once so many bytes have gone out. */
function serve(
  data: Buffer,
  { etag = '"v1"', cutAt = Number.POSITIVE_INFINITY, ranges = true } = {},
): Handler {
  return (request, response) => {
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const condition = request.headers['if-range'];
    const from = ranges && asked !== null && (condition ?? etag) === etag ? Number(asked[1]) : 0;
    const body = data.subarray(from);
    response.setHeader('content-length', body.length);
    if (etag !== '') response.setHeader('etag', etag);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${data.length - 1}/${data.length}`);
    response.writeHead(from > 0 ? 206 : 200);
    if (cutAt >= body.length) return void response.end(body);
    response.write(body.subarray(0, cutAt), () => setTimeout(() => response.destroy(), 20));
  };
}

function failsWith(work: Promise<unknown>, code: ErrorCode, ...parts: (string | RegExp)[]): Promise<void> {
  return assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof BenchError, String(error));
    assert.equal(error.code, code);
    for (const part of parts) {
      const text = `${error.message}\n${error.hint}`;
      assert.ok(typeof part === 'string' ? text.includes(part) : part.test(text), `${part} in: ${text}`);
    }
    return true;
  });
}

async function isWhole(file: string): Promise<void> {
  assert.ok((await readFile(file)).equals(content));
  assert.deepEqual((await readdir(folder)).sort(), ['data.bin', 'data.bin.verified.json']);
}

test('brings a file, checks it, and asks for it only once', async () => {
  handle = serve(content);
  const progress: number[] = [];
  const file = await get({ onProgress: (done) => progress.push(done) });
  assert.equal(file, path.join(folder, 'data.bin'));
  await isWhole(file);
  assert.equal(progress[0], 0);
  assert.equal(progress.at(-1), content.length);
  assert.equal(seen[0]?.['accept-encoding'], 'identity');
  await get();
  await get({ offline: true });
  assert.equal(seen.length, 1);
});

test('takes an md5 where no sha256 is known', async () => {
  handle = serve(content);
  const { sha256: _, ...rest } = download();
  await isWhole(await fetchFile({ ...rest, md5: digest(content, 'md5').toUpperCase() }, folder));
});

test('does not hash again what it knows, and does once the file is touched', async () => {
  handle = serve(content);
  const file = await get();
  // Whole seconds, which every file system can set again.
  const mtime = new Date(1_700_000_000_000);
  await utimes(file, mtime, mtime);
  await get();
  await writeFile(file, other);
  await utimes(file, mtime, mtime);
  await get();
  await utimes(file, mtime, new Date(mtime.getTime() + 5000));
  await failsWith(get(), 'CACHE_INVALID', file, digest(other), 'Delete it');
  assert.ok((await readFile(file)).equals(other), 'the file is left alone');
});

test('takes a file put there by hand, and refuses a wrong one', async () => {
  const file = path.join(folder, 'data.bin');
  await writeFile(file, content);
  await get({ offline: true });
  assert.ok(existsSync(`${file}.verified.json`));
  await writeFile(file, content.subarray(1));
  await failsWith(get(), 'CACHE_INVALID', `${content.length - 1} bytes`, `${content.length} bytes`);
  assert.equal(seen.length, 0);
});

test('a changed expectation is not satisfied by an old verification', async () => {
  handle = serve(content);
  await get();
  await failsWith(get({}, { sha256: digest(other) }), 'CACHE_INVALID', digest(content), digest(other));
});

test('a wrong hash removes the file and says what came', async () => {
  handle = serve(other);
  await failsWith(get(), 'DOWNLOAD_FAILED', url, digest(content), digest(other));
  assert.deepEqual(await readdir(folder), []);
});

test('a wrong length is refused before the bytes are brought', async () => {
  handle = serve(content.subarray(5));
  await failsWith(get(), 'DOWNLOAD_FAILED', `${content.length - 5}`, `${content.length}`, 'changed');
  assert.ok(!existsSync(path.join(folder, 'data.bin')));
});

test('more bytes than promised are refused where no length is told', async () => {
  handle = (_, response) => {
    response.write(content);
    response.end('x');
  };
  await failsWith(get(), 'DOWNLOAD_FAILED', 'more came');
});

test('goes on by itself where the connection was cut', async () => {
  let cuts = 0;
  handle = (request, response) =>
    serve(content, { cutAt: cuts++ < 2 ? 100_000 : Infinity })(request, response);
  await isWhole(await get({ retries: 1 }));
  assert.deepEqual(
    seen.map((headers) => headers.range),
    [undefined, 'bytes=100000-', 'bytes=200000-'],
  );
  assert.equal(seen[1]?.['if-range'], '"v1"');
});

test('what was brought survives a failure and the next call goes on from there', async () => {
  handle = serve(content, { cutAt: 150_000 });
  await failsWith(get(), 'DOWNLOAD_FAILED', url, 'from the 150000 bytes', path.join(folder, 'data.bin'));
  handle = serve(content);
  const progress: number[] = [];
  await isWhole(await get({ onProgress: (done) => progress.push(done) }));
  assert.equal(progress[0], 150_000);
  assert.equal(seen.at(-1)?.range, 'bytes=150000-');
});

test('pieces of two versions are not glued: the server sees the ETag', async () => {
  handle = serve(other, { etag: '"old"', cutAt: 150_000 });
  await failsWith(get(), 'DOWNLOAD_FAILED');
  handle = serve(content, { etag: '"new"' });
  await isWhole(await get());
});

test('pieces of two versions are not glued: without ETag the hash shows it, and it starts over', async () => {
  handle = serve(other, { etag: '', cutAt: 150_000 });
  await failsWith(get(), 'DOWNLOAD_FAILED');
  handle = serve(content, { etag: '' });
  await isWhole(await get());
  assert.deepEqual(
    seen.map((headers) => headers.range),
    [undefined, 'bytes=150000-', undefined],
  );
});

test('a server that ignores ranges sends all of it', async () => {
  handle = serve(content, { cutAt: 150_000 });
  await failsWith(get(), 'DOWNLOAD_FAILED');
  handle = serve(content, { ranges: false });
  await isWhole(await get());
});

test('a server that always cuts at the same place is given up', async () => {
  handle = serve(content, { ranges: false, cutAt: 150_000 });
  await failsWith(get({ retries: 1 }), 'DOWNLOAD_FAILED', 'connection failed');
  assert.equal(seen.length, 2, 'the second one gained nothing');
});

test('a range that the server cannot give starts over', async () => {
  await writeFile(path.join(folder, 'data.bin.part'), content.subarray(0, 1000));
  handle = (request, response) => {
    if (request.headers.range === undefined) return serve(content)(request, response);
    response.writeHead(416).end();
  };
  await isWhole(await get({ retries: 1 }));
});

test('a part that is too long starts over, one that is whole needs no network', async () => {
  handle = serve(content);
  await writeFile(path.join(folder, 'data.bin.part'), Buffer.concat([content, content]));
  await isWhole(await get());
  await rm(path.join(folder, 'data.bin'));
  await writeFile(path.join(folder, 'data.bin.part'), content);
  await isWhole(await get());
  assert.equal(seen.length, 1);
});

test('a part of another address is not gone on with', async () => {
  await writeFile(path.join(folder, 'data.bin.part'), other.subarray(0, 1000));
  await writeFile(path.join(folder, 'data.bin.part.json'), JSON.stringify({ url: 'http://elsewhere/' }));
  handle = serve(content);
  await isWhole(await get());
  assert.equal(seen[0]?.range, undefined);
});

test('follows a redirect, also when it goes on', async () => {
  const whole = serve(content);
  const cut = serve(content, { cutAt: 150_000 });
  handle = (request, response) => {
    if (request.url === '/data.bin') return void response.writeHead(302, { location: '/moved' }).end();
    (request.headers.range === undefined ? cut : whole)(request, response);
  };
  await isWhole(await get({ retries: 1 }));
  assert.equal(seen.at(-1)?.range, 'bytes=150000-');
});

for (const [status, requests] of [
  [404, 1],
  [403, 1],
  [500, 2],
  [503, 2],
] as const) {
  test(`status ${status} is a clear error after ${requests} of 2 attempts`, async () => {
    handle = (_, response) => void response.writeHead(status).end('sorry');
    await failsWith(get({ retries: 1 }), 'DOWNLOAD_FAILED', url, `${status}`, path.join(folder, 'data.bin'));
    assert.equal(seen.length, requests);
  });
}

test('a server that falls silent is a clear error, and what it gave is kept', async () => {
  handle = (_, response) => {
    response.setHeader('content-length', content.length);
    response.write(content.subarray(0, 1000));
  };
  await failsWith(
    get({ stallMs: 200 }),
    'DOWNLOAD_FAILED',
    url,
    'no byte came for 0.2 seconds',
    'the 1000 bytes',
  );
  assert.equal((await stat(path.join(folder, 'data.bin.part'))).size, 1000);
});

test('a server that never answers is a clear error', async () => {
  handle = () => undefined;
  await failsWith(get({ stallMs: 200 }), 'DOWNLOAD_FAILED', 'no byte came');
});

test('a refused connection is a clear error', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const at = `http://127.0.0.1:${port}/x`;
  await failsWith(get({}, { url: at }), 'DOWNLOAD_FAILED', at, 'ECONNREFUSED', 'by other means');
});

test('offline says what is missing, where it is from and where it goes', async () => {
  const file = path.join(folder, 'data.bin');
  await failsWith(get({ offline: true }), 'DOWNLOAD_FAILED', file, url, digest(content), `${content.length}`);
  await failsWith(
    get({}, { url: '', instructions: 'Ask the publisher for it.' }),
    'DOWNLOAD_FAILED',
    'Ask the publisher',
    file,
  );
});

test('a full disk is said to be full', {
  skip: existsSync('/dev/full') ? false : 'no /dev/full here',
}, async () => {
  handle = serve(content);
  await symlink('/dev/full', path.join(folder, 'data.bin.part'));
  await failsWith(get({ retries: 3 }), 'DISK_FULL', 'data.bin.part');
  assert.equal(seen.length, 1);
});

test('a file where the folder should be is said', async () => {
  await writeFile(path.join(folder, 'file'), '');
  await failsWith(fetchFile(download(), path.join(folder, 'file', 'sub')), 'PATH_INVALID', 'file');
});

test('two calls of one process bring it once', async () => {
  handle = serve(content);
  await Promise.all([get(), get(), get()]);
  assert.equal(seen.length, 1);
  await isWhole(path.join(folder, 'data.bin'));
});

/** A process of its own that fetches the file; says each piece on stdout. */
function fetchInChild() {
  const program = pathToFileURL(path.join(import.meta.dirname, '../harness/store/download.js')).href;
  const script = `import { fetchFile } from ${JSON.stringify(program)};
    await fetchFile(${JSON.stringify(download())}, ${JSON.stringify(folder)}, { onProgress: (done) => console.log(done) });`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('kill -9 in the middle: the next process goes on, and the bytes are right', async () => {
  handle = (_, response) => {
    response.setHeader('content-length', content.length);
    response.setHeader('etag', '"v1"');
    response.write(content.subarray(0, 123_456));
  };
  const child = fetchInChild();
  for await (const line of child.stdout) if (/^123456$/m.test(String(line))) break;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  assert.ok(!existsSync(path.join(folder, 'data.bin')));
  assert.ok(existsSync(path.join(folder, 'data.bin.lock')), 'it died holding the lock');
  handle = serve(content);
  const second = fetchInChild();
  second.stdout.resume();
  assert.deepEqual(await once(second, 'exit'), [0, null]);
  await isWhole(path.join(folder, 'data.bin'));
  assert.equal(seen.at(-1)?.range, 'bytes=123456-');
});

test('two processes at once bring it once and both succeed', async () => {
  handle = (_, response) => {
    response.setHeader('content-length', content.length);
    response.write(content.subarray(0, 200_000));
    setTimeout(() => response.end(content.subarray(200_000)), 400);
  };
  const children = [fetchInChild(), fetchInChild()];
  const exits = children.map((child) => {
    child.stdout.resume();
    return once(child, 'exit');
  });
  for (const exit of exits) assert.deepEqual(await exit, [0, null]);
  await isWhole(path.join(folder, 'data.bin'));
  assert.equal(seen.length, 1);
});
