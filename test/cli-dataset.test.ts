/** `bench dataset`: what is here of a dataset, without a network. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/dataset.js';
import { BenchError } from '../harness/errors.js';
import { datasetFiles, loadDataset } from '../harness/plugins.js';
import { fixtures } from './datasets-folder.js';

let cache: string;
before(async () => {
  cache = await mkdtemp(path.join(tmpdir(), 'strata-cache-'));
});
after(() => rm(cache, { recursive: true, force: true }));

async function bench(...argv: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await execute('dataset', command, [...argv, '--cache', cache], (part) => {
    text += part;
  });
  return { code, text };
}

const fails = (argv: string[], code: string, ...patterns: RegExp[]) =>
  assert.rejects(bench(...argv), (error) => {
    assert.ok(error instanceof BenchError, String(error));
    assert.equal(error.code, code);
    for (const pattern of patterns) assert.match(`${error.message}\n${error.hint}`, pattern);
    return true;
  });

test('info shows the files, their sizes and licence, and what is here', async () => {
  const { code, text } = await bench('info', 'squad');
  assert.equal(code, 0);
  assert.match(text, /^train-v1\.1\.json +28\.9 MiB +CC BY-SA 4\.0 +not here$/m);
  assert.match(text, /^dev-v1\.1\.json: https:\/\//m);
  const folder = path.join(cache, 'downloads/squad');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'train-v1.1.json.part'), Buffer.alloc(1 << 20));
  await writeFile(path.join(folder, 'dev-v1.1.json'), 'something else');
  const later = (await bench('info', 'squad')).text;
  assert.match(later, /^train-v1\.1\.json .* 1\.0 MiB of it$/m);
  assert.match(later, /^dev-v1\.1\.json .* WRONG: 14 bytes$/m);
});

test('info says how to rebuild what is not public, and what a name of several datasets stands for', async () => {
  assert.match((await bench('info', 'beir/robust04')).text, /cannot be downloaded\. Ask NIST .*--data DIR/);
  assert.match(
    (await bench('info', 'beir/cqadupstack')).text,
    /stands for 12 datasets, averaged: .*\/android, /,
  );
});

test('info counts what an embedded dataset or a folder holds', async () => {
  const { text } = await bench('info', 'ms-marco/dl19', '--data', path.join(fixtures, 'ms-marco/dl19'));
  assert.match(text, /; 5 passages\n/);
  assert.match(text, /^test +1 +3$/m);
  assert.match(text, /relevant from grade 2 on; brings hard negatives/);
  assert.match(text, /note: 1 train qrel names a passage/);
  assert.match((await bench('info', 'sample')).text, /2,000 passages/);
});

test('get offline names everything that is missing, where it is from and where it belongs', async () => {
  await fails(
    ['get', 'dpr/nq', '--offline'],
    'DOWNLOAD_FAILED',
    /lacks 4 of 4 files/,
    /downloads\/dpr\/psgs_w100\.tsv\.gz/,
    /Fetch https:\S+\/psgs_w100\.tsv\.gz by other means.*md5 612fe66e/,
    /nq-test\.qa\.csv/,
  );
  await fails(['get', 'beir/bioasq'], 'DOWNLOAD_FAILED', /cannot be fetched/, /--data DIR/);
  assert.match((await bench('get', 'sample')).text, /downloads nothing/);
});

test('verify computes hashes anew and ends with 3 where a file is missing or wrong', async () => {
  const { code, text } = await bench('verify', 'ms-marco/dl20');
  assert.equal(code, 3);
  assert.match(text, /^2020qrels-pass\.txt .* not here$/m);
  const file = path.join(cache, 'downloads/ms-marco/2020qrels-pass.txt');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, Buffer.alloc(218_617));
  assert.match(
    (await bench('info', 'ms-marco/dl20')).text,
    /^2020qrels-pass\.txt .* here, not verified yet$/m,
  );
  assert.match(
    (await bench('verify', 'ms-marco/dl20')).text,
    /^2020qrels-pass\.txt .* WRONG: md5 [0-9a-f]{32}$/m,
  );
});

test('qrels are written in TREC format', async () => {
  const out = path.join(cache, 'dl19.qrels');
  const folder = path.join(fixtures, 'ms-marco/dl19');
  const { text } = await bench('qrels', 'ms-marco/dl19', '--data', folder, '--out', out);
  assert.match(text, /^3 qrels of 1 query/);
  assert.equal(await readFile(out, 'utf8'), '41 0 1 3\n41 0 0 1\n41 0 4 0\n');
  await fails(['qrels', 'sample'], 'USAGE', /--out/);
  await fails(['qrels', 'sample', '--out', out, '--split', 'tests'], 'UNKNOWN_NAME', /Did you mean 'test'/);
  const beir = path.join(fixtures, 'beir/nfcorpus');
  await fails(
    ['qrels', 'beir', '--data', beir, '--out', out, '--split', 'dev'],
    'DATA_INVALID',
    /no dev qrels/,
  );
});

test('what is wrong with the request is said', async () => {
  await fails([], 'USAGE', /info, get, verify, qrels/);
  await fails(['gets', 'squad'], 'UNKNOWN_NAME', /Did you mean 'get'/);
  await fails(['get'], 'USAGE', /name of a dataset/);
  await fails(['get', 'squat'], 'UNKNOWN_NAME', /Did you mean 'squad'/);
  // Of an option that says nothing of what is asked, nobody finds out by the answer.
  await fails(
    ['verify', 'squad', '--data', fixtures],
    'USAGE',
    /--data plays no part in bench dataset verify/,
  );
  await fails(['get', 'squad', '--count'], 'USAGE', /--count plays no part in bench dataset get/);
  await fails(['info', 'squad', '--split', 'dev'], 'USAGE', /--split plays no part in bench dataset info/);
  await fails(['info', 'beir', '--data', '/nowhere'], 'PATH_INVALID', /there is no such folder/);
});

test('within a dataset one name is one file', async () => {
  for (const name of datasetFiles()) {
    const { plugin } = await loadDataset(name);
    const urls = new Map<string, string>();
    for (const variant of [undefined, ...(plugin.variants ?? [])]) {
      for (const download of plugin.downloads(variant)) {
        assert.equal(urls.get(download.name) ?? download.url, download.url, `${name}: ${download.name}`);
        assert.equal(path.basename(download.name), download.name);
        urls.set(download.name, download.url);
      }
    }
  }
});
