import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { loadEncoder } from '../harness/model/checkpoint.js';
import { resolveModel } from '../harness/model/hub.js';
import { inFixtures } from './places.js';

const fixtures = inFixtures('model');
const revision = 'a3f0c9d2b7e45168a3f0c9d2b7e45168a3f0c9d2';
const hash = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest('hex');

/** A hub on this machine, with what of the real one's interface is used. */
describe('resolveModel', () => {
  let server: Server;
  let hubUrl: string;
  let cacheFolder: string;
  let files: Map<string, Buffer>;
  let requests: string[];
  /** Bytes after which an answer that carries weights is cut. */
  let cutAfter: number;
  /** Answers given in place of files. */
  let forged: Map<string, Buffer>;
  let needsToken: boolean;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, hubUrl);
    requests.push(`${url.pathname} ${request.headers.range ?? ''}`.trim());
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (needsToken && request.headers.authorization !== 'Bearer hf_secret')
      return void json(401, { error: 'no token' });
    if (url.pathname.startsWith('/api/models/tiny-bert/revision/')) {
      return void json(200, { _id: '1', id: 'tests/tiny-bert', sha: revision, lastModified: '2024-01-01' });
    }
    if (url.pathname.startsWith('/api/models/tests/gated/')) return void json(403, { error: 'gated' });
    const listing = `/api/models/tests/tiny-bert/tree/${revision}`;
    if (url.pathname === listing) {
      const entries = [...files].map(([name, bytes]) => ({
        type: 'file',
        path: name,
        size: bytes.byteLength,
        oid: hash('sha1', Buffer.concat([Buffer.from(`blob ${bytes.byteLength}\0`), bytes])),
        ...(name.endsWith('.safetensors')
          ? { lfs: { oid: hash('sha256', bytes), size: bytes.byteLength } }
          : {}),
      }));
      return void json(200, [...entries, { type: 'directory', path: 'onnx', size: 0, oid: '0' }]);
    }
    const name = url.pathname.replace(`/tests/tiny-bert/resolve/${revision}/`, '');
    const bytes = forged.get(name) ?? files.get(name);
    if (bytes === undefined) return void json(404, { error: 'Repository not found' });
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Number(range[2]) + 1 : bytes.byteLength;
    response.writeHead(range === null ? 200 : 206, {
      etag: `"${hash('md5', bytes)}"`,
      'content-length': end - from,
      ...(range === null ? {} : { 'content-range': `bytes ${from}-${end - 1}/${bytes.byteLength}` }),
    });
    if (name.endsWith('.safetensors') && end - from > cutAfter) {
      response.write(bytes.subarray(from, from + cutAfter), () => setTimeout(() => response.destroy(), 100));
    } else response.end(bytes.subarray(from, end));
  }

  before(async () => {
    server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    hubUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  beforeEach(async () => {
    cacheFolder = await mkdtemp(path.join(tmpdir(), 'strata-'));
    files = new Map([['README.md', Buffer.from('not wanted')]]);
    for (const name of ['config.json', 'model.safetensors']) {
      files.set(name, await readFile(path.join(fixtures, 'bert-gelu', name)));
    }
    files.set('tokenizer.json', await readFile(path.join(fixtures, 'wordpiece.json')));
    [requests, cutAfter, forged, needsToken] = [[], Number.POSITIVE_INFINITY, new Map(), false];
    delete process.env.HF_TOKEN;
  });
  afterEach(() => rm(cacheFolder, { recursive: true }));

  test('brings what an encoder needs, once, and remembers the commit', async () => {
    const first = await resolveModel('tiny-bert', { cacheFolder, hubUrl: `${hubUrl}/` });
    assert.equal(first.name, 'tests/tiny-bert');
    assert.equal(first.revision, revision);
    const names = (await readdir(first.folder)).filter((name) => files.has(name));
    assert.deepEqual(names.sort(), ['config.json', 'model.safetensors', 'tokenizer.json']);
    for (const name of names)
      assert.deepEqual(await readFile(path.join(first.folder, name)), files.get(name));
    assert.equal((await loadEncoder(first.folder)).encoder.shape.layers, 3);
    requests = [];
    assert.deepEqual(await resolveModel('tiny-bert', { cacheFolder, hubUrl }), first);
    assert.deepEqual(await resolveModel('tiny-bert', { cacheFolder, offline: true }), first);
    assert.deepEqual(requests, []);
    const kept = path.join(cacheFolder, 'tiny-bert', 'revision.json');
    for (const damaged of [
      { name: {}, revision },
      { name: 'x', revision: '../..' },
      { name: 'x', revision: [revision] },
    ]) {
      await writeFile(kept, JSON.stringify(damaged));
      const again = resolveModel('tiny-bert', { cacheFolder, offline: true });
      await assert.rejects(again, { code: 'DOWNLOAD_FAILED' });
    }
    assert.deepEqual(await resolveModel('tiny-bert', { cacheFolder, hubUrl }), first);
  });

  test('what sentence-transformers keeps beside an encoder comes too, from a cache of before as well', async () => {
    const asked = { cacheFolder, hubUrl, needsModules: true };
    await resolveModel('tiny-bert', { cacheFolder, hubUrl });
    const revisionFile = path.join(cacheFolder, 'tiny-bert', 'revision.json');
    await writeFile(revisionFile, JSON.stringify({ name: 'tests/tiny-bert', revision }));
    const beside = [
      'modules.json',
      '1_Pooling/config.json',
      '2_Dense/config.json',
      '2_Dense/model.safetensors',
    ];
    for (const name of beside) files.set(name, Buffer.from(`{"of": "${name}"}`));
    files.set('onnx/model.safetensors', Buffer.from('not wanted'));
    await assert.rejects(resolveModel('tiny-bert', { ...asked, offline: true }), { code: 'DOWNLOAD_FAILED' });
    const { folder } = await resolveModel('tiny-bert', asked);
    for (const name of beside) assert.deepEqual(await readFile(path.join(folder, name)), files.get(name));
    assert.ok(!(await readdir(folder)).includes('onnx'));
    requests = [];
    await resolveModel('tiny-bert', { ...asked, offline: true });
    assert.deepEqual(requests, []);
  });

  test('HF_ENDPOINT names another hub, HF_TOKEN opens it', async () => {
    process.env.HF_ENDPOINT = hubUrl;
    needsToken = true;
    try {
      await assert.rejects(resolveModel('tiny-bert', { cacheFolder }), {
        code: 'UNKNOWN_NAME',
        message: /no public model/,
      });
      process.env.HF_TOKEN = 'hf_secret';
      assert.equal((await resolveModel('tiny-bert', { cacheFolder })).revision, revision);
    } finally {
      delete process.env.HF_ENDPOINT;
      delete process.env.HF_TOKEN;
    }
  });

  test('a download that is cut goes on where it stopped', async () => {
    cutAfter = 20_000;
    const done: number[] = [];
    const { folder } = await resolveModel('tiny-bert', {
      cacheFolder,
      hubUrl,
      onProgress: (_, doneBytes) => done.push(doneBytes),
    });
    assert.deepEqual(await readFile(path.join(folder, 'model.safetensors')), files.get('model.safetensors'));
    assert.ok(
      requests.some((request) => /model\.safetensors bytes=[1-9]\d*-$/.test(request)),
      requests.join('\n'),
    );
    assert.deepEqual(
      done,
      [...done].sort((a, b) => a - b),
    );
  });

  test('weights in several files', async () => {
    const weights = files.get('model.safetensors')!;
    files.delete('model.safetensors');
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    for (const shard of shards) files.set(shard, weights);
    const map = { weight_map: { a: shards[0], b: shards[1] } };
    files.set('model.safetensors.index.json', Buffer.from(JSON.stringify(map)));
    const { folder } = await resolveModel('tiny-bert', { cacheFolder, hubUrl });
    for (const shard of shards) assert.deepEqual(await readFile(path.join(folder, shard)), weights);
    files.delete(shards[1]!);
    await rm(cacheFolder, { recursive: true });
    await assert.rejects(resolveModel('tiny-bert', { cacheFolder, hubUrl }), {
      code: 'CHECKPOINT_INVALID',
      message: /has no model-00002-of-00002.safetensors, which its model.safetensors.index.json names/,
    });
  });

  test('what is not what the hub promised is refused, and asked for again by the next run', async () => {
    forged.set('config.json', Buffer.from('<html>Please log in</html>'));
    const resolve = () => resolveModel('tiny-bert', { cacheFolder, hubUrl });
    await assert.rejects(resolve(), { code: 'DOWNLOAD_FAILED', message: /config\.json gave 26 bytes/ });
    forged = new Map([['model.safetensors', Buffer.alloc(files.get('model.safetensors')!.byteLength)]]);
    await assert.rejects(resolve(), { code: 'DOWNLOAD_FAILED', message: /sha256/ });
    forged.clear();
    await loadEncoder((await resolve()).folder);
  });

  test('a model without safetensors, an unknown one, one that asks for consent', async () => {
    files.delete('model.safetensors');
    files.set('pytorch_model.bin', Buffer.from('PK'));
    const refused = (name: string, code: string, message: RegExp) =>
      assert.rejects(resolveModel(name, { cacheFolder, hubUrl }), { code, message });
    await refused(
      'tiny-bert',
      'CHECKPOINT_INVALID',
      /has no model\.safetensors\. It has: .*pytorch_model\.bin/,
    );
    await refused('tests/nothing', 'UNKNOWN_NAME', /no folder 'tests\/nothing', and no public model/);
    await refused(
      'tests/gated',
      'DOWNLOAD_FAILED',
      /refuses access to the model tests\/gated \(status 403\)/,
    );
  });

  test('a token that the hub does not take', async () => {
    needsToken = true;
    process.env.HF_TOKEN = 'hf_stale';
    try {
      await assert.rejects(resolveModel('tests/tiny-bert', { cacheFolder, hubUrl }), {
        code: 'DOWNLOAD_FAILED',
        message: /refuses access to the model tests\/tiny-bert \(status 401\)/,
      });
    } finally {
      delete process.env.HF_TOKEN;
    }
  });

  test('no network, or none allowed', async () => {
    await assert.rejects(resolveModel('tiny-bert', { cacheFolder, hubUrl: 'http://127.0.0.1:9' }), {
      code: 'DOWNLOAD_FAILED',
      message: /could not be had from http:\/\/127\.0\.0\.1:9/,
    });
    await assert.rejects(resolveModel('tiny-bert', { cacheFolder, hubUrl, offline: true }), {
      code: 'DOWNLOAD_FAILED',
      message: /not in the cache .* and the network may not be used/,
    });
    assert.deepEqual(requests, []);
  });

  test("a folder of the user's own is used as it is; a path that leads nowhere is no hub name", async () => {
    const folder = path.join(cacheFolder, 'mine');
    await mkdir(folder);
    assert.deepEqual(await resolveModel(folder, { cacheFolder, hubUrl }), { name: folder, folder });
    await writeFile(path.join(cacheFolder, 'file'), '');
    const refused = (name: string, message: RegExp) =>
      assert.rejects(resolveModel(name, { cacheFolder, hubUrl }), { code: 'PATH_INVALID', message });
    await refused(path.join(cacheFolder, 'file'), /is a file/);
    await refused('./nowhere', /is not there/);
    await refused('../no-such-folder', /is not there/);
    await refused('a/b/c', /is not there/);
    await refused('', /is not there/);
    assert.deepEqual(requests, []);
  });
});
