/** Models that Hugging Face's own tools have fetched, revisions that are pinned, and a hub that is busy. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { loadEncoder } from '../harness/model/checkpoint.js';
import { type ModelOptions, resolveModel } from '../harness/model/hub.js';
import { sharedHubCache } from '../harness/store/hub-snapshots.js';
import { retryAfterMs } from '../harness/store/transfer-error.js';
import { loopbackHub, type MadeRepository } from './loopback-hub.js';
import { inFixtures } from './places.js';

const [main, tagged] = ['a'.repeat(40), 'b'.repeat(40)];
const hub = loopbackHub();
let model: MadeRepository;

const resolve = (name = 'tests/tiny-bert', options: Partial<ModelOptions> = {}) =>
  resolveModel(name, { cacheFolder: hub.cacheFolder, hubUrl: hub.url, ...options });

beforeEach(async () => {
  const files = new Map<string, Buffer>();
  for (const name of ['config.json', 'model.safetensors'])
    files.set(name, await readFile(inFixtures(`model/bert-gelu/${name}`)));
  files.set('tokenizer.json', await readFile(inFixtures('model/wordpiece.json')));
  model = { kind: 'models', name: 'tests/tiny-bert', revision: main, files };
  hub.repositories = [model];
});

test('a model that lies in the cache of Hugging Face is read there, and the hub is not asked', async () => {
  const folder = await hub.share(model);
  const expected = { name: 'tests/tiny-bert', revision: main, folder };
  assert.deepEqual(await resolve('tests/tiny-bert', { offline: true }), expected);
  assert.deepEqual(await resolve(), expected);
  assert.equal((await loadEncoder(folder)).encoder.shape.layers, 3);
  assert.deepEqual(hub.requests, []);
  assert.deepEqual(await readdir(hub.cacheFolder), []);
});

test('weights in several files count there once all of them are there', async () => {
  const weights = model.files.get('model.safetensors')!;
  model.files.delete('model.safetensors');
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  for (const shard of shards) model.files.set(shard, weights);
  const map = { weight_map: { a: shards[0], b: shards[1] } };
  model.files.set('model.safetensors.index.json', Buffer.from(JSON.stringify(map)));
  const others = [...model.files.keys()].filter((name) => name !== shards[1]);
  await hub.share(model, others);
  await assert.rejects(resolve('tests/tiny-bert', { offline: true }), {
    code: 'DOWNLOAD_FAILED',
    message: /which lacks files.* and the network may not be used/,
  });
  assert.ok((await resolve()).folder.startsWith(hub.cacheFolder));
  await rm(hub.sharedCache, { recursive: true });
  const folder = await hub.share(model);
  await rm(hub.cacheFolder, { recursive: true });
  assert.equal((await resolve('tests/tiny-bert', { offline: true })).folder, folder);
});

test('where the tokenizer is not there, or what a sentence model needs, the hub is asked', async () => {
  for (const missing of model.files.keys()) {
    await hub.share(
      model,
      [...model.files.keys()].filter((name) => name !== missing),
    );
    assert.ok((await resolve()).folder.startsWith(hub.cacheFolder), missing);
    await rm(hub.cacheFolder, { recursive: true });
    await rm(hub.sharedCache, { recursive: true });
  }
  const folder = await hub.share(model);
  assert.equal((await resolve()).folder, folder);
  const sentence = { needsModules: true, offline: true };
  // Whoever fetched the encoder alone did not ask for modules.json, which may be there.
  const refused = () => assert.rejects(resolve('tests/tiny-bert', sentence), { code: 'DOWNLOAD_FAILED' });
  await refused();
  const none = path.join(hub.sharedCache, 'models--tests--tiny-bert', '.no_exist', main);
  await mkdir(none, { recursive: true });
  await writeFile(path.join(none, 'modules.json'), '');
  assert.equal((await resolve('tests/tiny-bert', sentence)).folder, folder);
  // Nor is a sentence model whole without what decides its lengths and prompts.
  await writeFile(path.join(folder, 'modules.json'), '[]');
  await refused();
  await writeFile(path.join(none, 'sentence_bert_config.json'), '');
  await writeFile(path.join(folder, 'config_sentence_transformers.json'), '{}');
  assert.equal((await resolve('tests/tiny-bert', sentence)).folder, folder);
  await rm(path.join(none, 'sentence_bert_config.json'));
  await refused();
  await writeFile(path.join(folder, '.gitattributes'), '');
  assert.equal((await resolve('tests/tiny-bert', sentence)).folder, folder);
});

test('a revision is pinned by a tag, a branch or a commit; each is kept beside the others and named', async () => {
  const files = new Map(model.files).set('tokenizer_config.json', Buffer.from('{"model_max_length": 17}'));
  hub.repositories.push({ ...model, revision: tagged, references: ['v1.0', 'refs/pr/3'], files });
  const newest = await resolve();
  assert.equal(newest.revision, main);
  for (const asked of ['v1.0', 'refs/pr/3', tagged]) {
    const pinned = await resolve(`tests/tiny-bert@${asked}`);
    assert.deepEqual([pinned.name, pinned.revision], [`tests/tiny-bert@${asked}`, tagged]);
    assert.ok((await readdir(pinned.folder)).includes('tokenizer_config.json'));
  }
  hub.requests = [];
  assert.equal((await resolve('tests/tiny-bert@v1.0', { offline: true })).revision, tagged);
  assert.equal((await resolve(`tests/tiny-bert@${main}`, { offline: true })).folder, newest.folder);
  assert.deepEqual(await resolve('tests/tiny-bert', { offline: true }), newest);
  assert.deepEqual(hub.requests, []);
  await assert.rejects(resolve('tests/tiny-bert@v2'), {
    code: 'UNKNOWN_NAME',
    message: /'tests\/tiny-bert@v2', or no such revision of it/,
  });
});

test('pinned revisions are found in the cache of Hugging Face too', async () => {
  await hub.share(model);
  const folder = await hub.share({ ...model, revision: tagged }, undefined, 'refs/pr/3');
  for (const asked of [tagged, 'refs/pr/3'])
    assert.equal((await resolve(`tests/tiny-bert@${asked}`, { offline: true })).folder, folder);
  await assert.rejects(resolve('tests/tiny-bert@v2', { offline: true }), { code: 'DOWNLOAD_FAILED' });
});

test('where that cache lies, as its tools look for it', () => {
  const home = path.join(homedir(), '.cache', 'huggingface', 'hub');
  assert.equal(sharedHubCache({}), home);
  assert.equal(sharedHubCache({ HF_HOME: '', HF_HUB_CACHE: '' }), home);
  assert.equal(sharedHubCache({ XDG_CACHE_HOME: '/x' }), path.resolve('/x/huggingface/hub'));
  assert.equal(sharedHubCache({ HF_HOME: '/h', XDG_CACHE_HOME: '/x' }), path.resolve('/h/hub'));
  assert.equal(sharedHubCache({ HF_HOME: '~/h' }), path.join(homedir(), 'h', 'hub'));
  assert.equal(sharedHubCache({ HF_HOME: '/h', HF_HUB_CACHE: '/c' }), path.resolve('/c'));
});

test('a hub that is busy is asked again, after as long as it says', async () => {
  const busy = { status: 429, headers: { 'retry-after': '1' } };
  hub.refusals = [
    { path: /^\/api\//, ...busy },
    { path: /\/config\.json$/, status: 500 },
    { path: /\/model\.safetensors$/, ...busy },
  ];
  const begin = performance.now();
  await resolve();
  // Less would be less than it asked for, twice.
  assert.ok(performance.now() - begin >= 2000);
  assert.deepEqual(hub.refusals, []);
});

test('one that asks for more patience than anybody has is told of', async () => {
  const refusal = { status: 429, headers: { 'retry-after': '4000' } };
  hub.refusals = [{ path: /^\/api\//, ...refusal }];
  await assert.rejects(resolve(), {
    code: 'DOWNLOAD_FAILED',
    message: /answered 429 and asks to be left alone for 4000 seconds/,
  });
  hub.refusals = Array.from({ length: 4 }, () => ({ path: /^\/api\//, status: 500 }));
  await assert.rejects(resolve(), { code: 'DOWNLOAD_FAILED', message: /status 500/ });
  hub.refusals = [{ path: /\/model\.safetensors$/, ...refusal }];
  await assert.rejects(resolve(), {
    code: 'DOWNLOAD_FAILED',
    message: /answered 429 .*and asks to be left alone for 4000 seconds/,
  });
  const headers = (value: string) => new Headers({ 'retry-after': value });
  assert.equal(retryAfterMs(headers('Thu, 01 Jan 1970 00:01:00 GMT'), 15_000), 45_000);
  assert.equal(retryAfterMs(headers('Thu, 01 Jan 1970 00:00:01 GMT'), 15_000), 0);
  for (const nothing of ['soon', '-1', '1.5', '']) assert.equal(retryAfterMs(headers(nothing)), undefined);
});
