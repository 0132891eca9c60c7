/** A server on this machine to download from, and an empty folder to download into, fresh for every test. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import type { Download } from '../harness/contracts.js';
import { BenchError, type ErrorCode } from '../harness/errors.js';
import { stream } from '../harness/random.js';
import { type FetchOptions, fetchFile } from '../harness/store/download.js';
import { removeClosed } from './open-files.js';

/** @param part where the bytes that come are written */
export type Handler = (request: IncomingMessage, response: ServerResponse, part: string) => void;

const bytesOf = (name: string, length: number) => {
  const random = stream(1, name);
  return Buffer.from(Uint8Array.from({ length }, () => random.integer(256)));
};
/** The file that is wanted, and another of the same length. */
export const content = bytesOf('content', 400_000);
export const other = bytesOf('other', content.length);

export const digest = (data: Buffer, algorithm = 'sha256') =>
  createHash(algorithm).update(data).digest('hex');

export class Loopback {
  /** How the server answers. */
  handle: Handler = () => undefined;
  /** The headers of every request so far. */
  seen: IncomingMessage['headers'][] = [];
  folder = '';
  url = '';

  /** Where the file is to lie. */
  get file(): string {
    return path.join(this.folder, 'data.bin');
  }

  download(changes: Partial<Download> = {}): Download {
    return {
      name: 'data.bin',
      url: this.url,
      sizeBytes: content.length,
      sha256: digest(content),
      licence: 'CC0',
      ...changes,
    };
  }

  get(options: FetchOptions = {}, changes: Partial<Download> = {}): Promise<string> {
    return fetchFile(this.download(changes), this.folder, { retries: 0, ...options });
  }

  /** The file is right, and nothing else is left over. */
  async isWhole(): Promise<void> {
    assert.ok((await readFile(this.file)).equals(content));
    assert.deepEqual((await readdir(this.folder)).sort(), ['data.bin', 'data.bin.verified.json']);
  }

  /** The first byte that each request asked for. */
  get ranges(): (string | undefined)[] {
    return this.seen.map((headers) => headers.range);
  }
}

/** Registers the hooks that start and stop the server around the tests of a file. */
export function loopback(): Loopback {
  const at = new Loopback();
  const server = createServer((request, response) => {
    at.seen.push(request.headers);
    at.handle(request, response, `${at.file}.part`);
  });
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    at.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.bin`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(async () => {
    at.seen = [];
    at.folder = await mkdtemp(path.join(tmpdir(), 'strata-download-'));
  });
  afterEach(() => removeClosed(at.folder));
  return at;
}

/** What a cut connection still holds is lost, so the other end has to have written it before. */
export async function arrived(part: string, sizeBytes: number): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (((await stat(part).catch(() => undefined))?.size ?? 0) >= sizeBytes) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Answers as a server that knows ranges does; `cutAt` ends the connection once so many bytes have arrived. */
export function serve(
  data: Buffer,
  { etag = '"v1"', cutAt = Number.POSITIVE_INFINITY, ranges = true } = {},
): Handler {
  return (request, response, part) => {
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const condition = request.headers['if-range'];
    const from = ranges && asked !== null && (condition ?? etag) === etag ? Number(asked[1]) : 0;
    const body = data.subarray(from);
    response.setHeader('content-length', body.length);
    if (etag !== '') response.setHeader('etag', etag);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${data.length - 1}/${data.length}`);
    response.writeHead(from > 0 ? 206 : 200);
    if (cutAt >= body.length) return void response.end(body);
    response.write(
      body.subarray(0, cutAt),
      () => void arrived(part, from + cutAt).then(() => response.destroy()),
    );
  };
}

/** Fails as a user should see it: the code, and the parts in the message or the hint. */
export function failsWith(work: Promise<unknown>, code: ErrorCode, ...parts: string[]): Promise<void> {
  return assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof BenchError, String(error));
    assert.equal(error.code, code);
    assert.ok(error.hint, 'says what to do');
    const text = `${error.message}\n${error.hint}`;
    for (const part of parts) assert.ok(text.includes(part), `'${part}' in: ${text}`);
    return true;
  });
}
