import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { loadEncoder } from '../harness/model/checkpoint.js';
import { type ModelOptions, resolveModel } from '../harness/model/hub.js';
import { loopbackHub } from './loopback-hub.js';
import { inFixtures } from './places.js';

const fixtures = inFixtures('model');
const revision = 'a3f0c9d2b7e45168a3f0c9d2b7e45168a3f0c9d2';
const hub = loopbackHub();
let files: Map<string, Buffer>;

const resolve = (name = 'tiny-bert', options: Partial<ModelOptions> = {}) =>
  resolveModel(name, { cacheFolder: hub.cacheFolder, hubUrl: hub.url, ...options });

beforeEach(async () => {
  files = new Map([['README.md', Buffer.from('not wanted')]]);
  for (const name of ['config.json', 'model.safetensors'])
    files.set(name, await readFile(path.join(fixtures, 'bert-gelu', name)));
  files.set('tokenizer.json', await readFile(path.join(fixtures, 'wordpiece.json')));
  hub.repositories = [{ kind: 'models', name: 'tests/tiny-bert', revision, files }];
});

test('brings what an encoder needs, once, and remembers the commit', async () => {
  const first = await resolve('tiny-bert', { hubUrl: `${hub.url}/` });
  assert.equal(first.name, 'tests/tiny-bert');
  assert.equal(first.revision, revision);
  const names = (await readdir(first.folder)).filter((name) => files.has(name));
  assert.deepEqual(names.sort(), ['config.json', 'model.safetensors', 'tokenizer.json']);
  for (const name of names) assert.deepEqual(await readFile(path.join(first.folder, name)), files.get(name));
  assert.equal((await loadEncoder(first.folder)).encoder.shape.layers, 3);
  hub.requests = [];
  assert.deepEqual(await resolve(), first);
  assert.deepEqual(await resolve('tiny-bert', { offline: true }), first);
  assert.deepEqual(hub.requests, []);
  const kept = path.join(hub.cacheFolder, 'tiny-bert', 'revision.json');
  const file = { path: 'config.json', size: 1, oid: 'a'.repeat(40) };
  for (const damaged of [
    { name: {}, revision },
    { name: 'x', revision: '../..' },
    { name: 'x', revision: [revision] },
    { name: 'x', revision, files: {} },
    { name: 'x', revision, files: [{ ...file, path: '../config.json' }] },
    { name: 'x', revision, files: [{ ...file, size: -1 }] },
    { name: 'x', revision, files: [{ ...file, lfs: { oid: 'short' } }] },
  ]) {
    await writeFile(kept, JSON.stringify(damaged));
    await assert.rejects(resolve('tiny-bert', { offline: true }), { code: 'DOWNLOAD_FAILED' });
  }
  assert.deepEqual(await resolve(), first);
});

test('what was downloaded and is damaged is refused without a network, and brought again with one', async () => {
  const { folder } = await resolve();
  await writeFile(path.join(folder, 'config.json'), '{}');
  await assert.rejects(resolve('tiny-bert', { offline: true }), {
    code: 'DOWNLOAD_FAILED',
    message: /config\.json is not the file that it should be/,
  });
  await resolve();
  assert.deepEqual(await readFile(path.join(folder, 'config.json')), files.get('config.json'));
  await writeFile(path.join(folder, 'model.safetensors'), 'other');
  await assert.rejects(resolve(), { code: 'CACHE_INVALID', message: /model\.safetensors/ });
});

test('what sentence-transformers keeps beside an encoder comes too, from a cache of before as well', async () => {
  await resolve();
  const revisionFile = path.join(hub.cacheFolder, 'tiny-bert', 'revision.json');
  await writeFile(revisionFile, JSON.stringify({ name: 'tests/tiny-bert', revision }));
  const beside = [
    'modules.json',
    '1_Pooling/config.json',
    '2_Dense/config.json',
    '2_Dense/model.safetensors',
  ];
  for (const name of beside) files.set(name, Buffer.from(`{"of": "${name}"}`));
  files.set('onnx/model.safetensors', Buffer.from('not wanted'));
  const asked = { needsModules: true, offline: true };
  await assert.rejects(resolve('tiny-bert', asked), { code: 'DOWNLOAD_FAILED' });
  const { folder } = await resolve('tiny-bert', { needsModules: true });
  for (const name of beside) assert.deepEqual(await readFile(path.join(folder, name)), files.get(name));
  assert.ok(!(await readdir(folder)).includes('onnx'));
  hub.requests = [];
  await resolve('tiny-bert', asked);
  assert.deepEqual(hub.requests, []);
});

test('HF_ENDPOINT names another hub, HF_TOKEN opens it', async () => {
  process.env.HF_ENDPOINT = hub.url;
  hub.needsToken = true;
  const { cacheFolder } = hub;
  await assert.rejects(resolveModel('tiny-bert', { cacheFolder }), {
    code: 'UNKNOWN_NAME',
    message: /no public model/,
  });
  process.env.HF_TOKEN = 'hf_secret';
  assert.equal((await resolveModel('tiny-bert', { cacheFolder })).revision, revision);
});

test('a download that is cut goes on where it stopped', async () => {
  hub.cutAfter = 20_000;
  const done: number[] = [];
  const { folder } = await resolve('tiny-bert', { onProgress: (_, doneBytes) => done.push(doneBytes) });
  assert.deepEqual(await readFile(path.join(folder, 'model.safetensors')), files.get('model.safetensors'));
  assert.ok(
    hub.requests.some((request) => /model\.safetensors bytes=[1-9]\d*-$/.test(request)),
    hub.requests.join('\n'),
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
  const { folder } = await resolve();
  for (const shard of shards) assert.deepEqual(await readFile(path.join(folder, shard)), weights);
  files.delete(shards[1]!);
  await rm(hub.cacheFolder, { recursive: true });
  await assert.rejects(resolve(), {
    code: 'CHECKPOINT_INVALID',
    message: /has no model-00002-of-00002.safetensors, which its model.safetensors.index.json names/,
  });
});

test('what is not what the hub promised is refused, and asked for again by the next run', async () => {
  hub.forged.set('config.json', Buffer.from('<html>Please log in</html>'));
  await assert.rejects(resolve(), { code: 'DOWNLOAD_FAILED', message: /config\.json gave 26 bytes/ });
  hub.forged = new Map([['model.safetensors', Buffer.alloc(files.get('model.safetensors')!.byteLength)]]);
  await assert.rejects(resolve(), { code: 'DOWNLOAD_FAILED', message: /sha256/ });
  hub.forged.clear();
  await loadEncoder((await resolve()).folder);
});

test('a model without safetensors, an unknown one, one that asks for consent', async () => {
  files.delete('model.safetensors');
  files.set('pytorch_model.bin', Buffer.from('PK'));
  hub.refusals = [{ path: /tests\/gated/, status: 403 }];
  const refused = (name: string, code: string, message: RegExp) =>
    assert.rejects(resolve(name), { code, message });
  await refused(
    'tiny-bert',
    'CHECKPOINT_INVALID',
    /has no model\.safetensors\. It has: .*pytorch_model\.bin/,
  );
  await refused('tests/nothing', 'UNKNOWN_NAME', /no folder 'tests\/nothing', and no public model/);
  await refused('tests/gated', 'DOWNLOAD_FAILED', /refuses access to the model tests\/gated \(status 403\)/);
});

test('a token that the hub does not take', async () => {
  hub.needsToken = true;
  process.env.HF_TOKEN = 'hf_stale';
  await assert.rejects(resolve('tests/tiny-bert'), {
    code: 'DOWNLOAD_FAILED',
    message: /refuses access to the model tests\/tiny-bert \(status 401\)/,
  });
});

test('no network, or none allowed', async () => {
  await assert.rejects(resolve('tiny-bert', { hubUrl: 'http://127.0.0.1:9' }), {
    code: 'DOWNLOAD_FAILED',
    message: /could not be had from http:\/\/127\.0\.0\.1:9/,
  });
  const none = { code: 'DOWNLOAD_FAILED', message: /not in the cache .* and the network may not be used/ };
  await assert.rejects(resolve('tiny-bert', { offline: true }), none);
  process.env.HF_HUB_OFFLINE = '1';
  await assert.rejects(resolve(), none);
  assert.deepEqual(hub.requests, []);
});

test("a folder of the user's own is used as it is; a path that leads nowhere is no hub name", async () => {
  const folder = path.join(hub.cacheFolder, 'mine');
  await mkdir(folder);
  assert.deepEqual(await resolve(folder), { name: folder, folder });
  await writeFile(path.join(hub.cacheFolder, 'file'), '');
  const refused = (name: string, message: RegExp) =>
    assert.rejects(resolve(name), { code: 'PATH_INVALID', message });
  await refused(path.join(hub.cacheFolder, 'file'), /is a file/);
  for (const name of ['./nowhere', '../no-such-folder', 'a/b/c', '', 'a/b@', 'a/b@../c', 'a/b@.', 'a/b@c//d'])
    await refused(name, /is not there/);
  assert.deepEqual(hub.requests, []);
});
