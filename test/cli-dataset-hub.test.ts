/** `hub:OWNER/NAME` on the command line, against a hub on this machine. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { type Command, execute } from '../harness/cli/command.js';
import { command as dataset } from '../harness/cli/dataset.js';
import { command as run } from '../harness/cli/run.js';
import type { RunRecord } from '../harness/record.js';
import { filesIn } from './fuzz/valid-files.js';
import { loopbackHub } from './loopback-hub.js';
import { inFixtures } from './places.js';

const hub = loopbackHub();
const revision = 'c'.repeat(40);
process.setMaxListeners(50);

beforeEach(() => {
  process.env.HF_ENDPOINT = hub.url;
  const files = new Map(
    Object.entries(filesIn(inFixtures('datasets/hub'))).map(([name, bytes]) => [name, Buffer.from(bytes)]),
  );
  hub.repositories = [{ kind: 'datasets', name: 'tests/mteb', revision, files }];
});

async function printed(command: Command, ...words: string[]): Promise<string> {
  let text = '';
  await execute('test', command, [...words, '--cache', hub.cacheFolder], (part) => {
    text += part;
  });
  return text;
}

const refused = (command: Command, words: string[], code: string, message: RegExp) =>
  assert.rejects(printed(command, ...words), { code, message });

test('a run on a repository is recorded with its name, its commit and its files, and works offline from then on', async () => {
  const out = path.join(hub.cacheFolder, 'out');
  const words = ['--arch', 'bm25', '--dataset', 'hub:tests/mteb', '--measures', 'ndcg@10', '--out', out];
  const dry = await printed(run, ...words, '--dry-run');
  assert.match(dry, /hub:tests\/mteb: from the Hugging Face hub unless in the cache/);
  await printed(run, ...words);
  hub.requests = [];
  await printed(run, ...words, '--offline');
  assert.deepEqual(hub.requests, []);
  const [file] = readdirSync(out).filter((name) => name.endsWith('.record.json'));
  assert.match(file!, /^hub-tests-mteb-bm25-/);
  const record = JSON.parse(readFileSync(path.join(out, file!), 'utf8')) as RunRecord;
  assert.equal(record.dataset.name, 'hub:tests/mteb');
  assert.equal(record.dataset.version, `hub-1 ${revision}`);
  assert.equal(record.dataset.licence, 'cc-by-sa-4.0');
  assert.ok(record.dataset.files.some(({ name }) => name === 'data/test-00000-of-00001.parquet'));
  assert.ok(record.measures['ndcg@10']!.mean > 0.5);
});

test('get fetches it, info counts it, and a folder is taken for a copy', async () => {
  const got = await printed(dataset, 'get', 'hub:tests/mteb');
  assert.match(got, /corpus\/corpus-00001-of-00002\.parquet .*cc-by-sa-4\.0 .*here, verified/);
  hub.requests = [];
  const info = await printed(dataset, 'info', 'hub:tests/mteb', '--count', '--offline');
  assert.match(info, new RegExp(`version hub-1 ${revision}; 5 passages`));
  assert.deepEqual(hub.requests, []);
  const copy = inFixtures('datasets/hub');
  assert.match(await printed(dataset, 'info', 'hub', '--data', copy), /version hub-1; 5 passages/);
  assert.match(await printed(dataset, 'info', 'hub:a/b', '--data', copy), /version hub-1; 5 passages/);
  await refused(dataset, ['verify', 'hub:tests/mteb'], 'USAGE', /were verified when they were fetched/);
});

test('names that are none', async () => {
  for (const name of ['hub:', 'hub:scifact', 'hub:a/b/c', 'hub:../x', 'hub:a/b@', 'hub:a/b@../x'])
    await refused(dataset, ['info', name], 'USAGE', /is not of the form OWNER\/NAME/);
  await refused(run, ['--arch', 'bm25', '--dataset', 'hub'], 'USAGE', /hub alone is no dataset/);
  await refused(dataset, ['get', 'hub'], 'PATH_INVALID', /none was named/);
  await refused(dataset, ['get', 'hub:tests/none'], 'UNKNOWN_NAME', /no public dataset 'tests\/none'/);
  const offline = ['get', 'hub:tests/mteb', '--offline'];
  await refused(dataset, offline, 'DOWNLOAD_FAILED', /the network may not be used/);
});
