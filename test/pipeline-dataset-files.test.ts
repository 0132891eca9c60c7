/** The files of a dataset: what is told of them, what is missing without a network, what is verified, and qrels written out. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import {
  type DatasetFilesRequest,
  datasetInfo,
  exportQrels,
  getDataset,
  verifyDataset,
} from '../harness/pipeline/dataset-files.js';
import { datasetsNamed, loadDataset } from '../harness/plugins.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import { Store } from '../harness/store/store.js';
import { passingFolder } from './places.js';
import { writeTinyCollection } from './tiny-collection.js';

const root = passingFolder('dataset-files');
const cache = path.join(root, 'cache');
const quiet = silentProgress();
const of = (dataset: string, more: Partial<DatasetFilesRequest> = {}): DatasetFilesRequest => ({
  ...{ dataset, cache, offline: true },
  ...more,
});
before(() => writeTinyCollection(path.join(root, 'data')));

test('an embedded dataset is opened, one to be downloaded only where that is asked for, a group never', async () => {
  const sample = await datasetInfo(of('sample'), { open: false }, quiet);
  assert.ok(sample.contents!.passages > 0 && sample.contents!.splits.test.queries > 0);
  const { plugin, variant } = await loadDataset('squad');
  const closed = await datasetInfo(of('squad'), { open: false }, quiet);
  assert.deepEqual(
    [closed.name, closed.summary, closed.members, closed.contents],
    ['squad', plugin.summary, [], undefined],
  );
  assert.deepEqual(
    closed.holdings.map(({ download, state }) => [download.name, state]),
    plugin.downloads(variant).map(({ name }) => [name, 'missing']),
  );
  await assert.rejects(datasetInfo(of('squad'), { open: true }, quiet), { code: 'DOWNLOAD_FAILED' });
  const group = await datasetInfo(of('beir/cqadupstack'), { open: true }, quiet);
  assert.deepEqual([group.members, group.contents], [await datasetsNamed('beir/cqadupstack'), undefined]);
  assert.equal(group.members.length, 12);
  // What its members share is told once.
  const names = group.holdings.map(({ download }) => download.name);
  assert.deepEqual(names, [...new Set(names)]);
});

test('a folder is opened, and nothing is to be downloaded for it', async () => {
  const found = await datasetInfo(of('beir', { data: path.join(root, 'data') }), { open: false }, quiet);
  assert.deepEqual(found.holdings, []);
  const { version: _, ...contents } = found.contents!;
  assert.deepEqual(contents, {
    ...{ passages: 30, answerMatching: null, relevantFrom: 1, hasNegatives: false, remarks: [] },
    splits: {
      train: { queries: 4, qrels: 4 },
      dev: { queries: 0, qrels: 0 },
      test: { queries: 8, qrels: 8 },
    },
  });
});

test('without a network every file that is missing or cut is named with its place; what is there is no fault', async () => {
  const { plugin, variant } = await loadDataset('squad');
  const downloads = plugin.downloads(variant);
  const folder = new Store(cache).downloadsOf('squad');
  await mkdir(path.dirname(path.resolve(folder, downloads[0]!.name)), { recursive: true });
  const missing = async () => {
    const error = (await getDataset(of('squad'), quiet).catch((reason) => reason)) as BenchError;
    assert.equal(error.code, 'DOWNLOAD_FAILED');
    return error.message;
  };
  const whole = await missing();
  assert.match(whole, new RegExp(`^squad lacks ${downloads.length} of ${downloads.length} files`));
  for (const { name } of downloads)
    assert.ok(whole.includes(`${name}, which belongs at ${path.resolve(folder, name)}`));
  await writeFile(`${path.resolve(folder, downloads[0]!.name)}.part`, 'begun');
  assert.equal(await missing(), whole);
  // A file of another size is there, and wrong: that is another question.
  await writeFile(path.resolve(folder, downloads[0]!.name), 'other');
  assert.match(
    await missing(),
    new RegExp(`^squad lacks ${downloads.length - 1} of ${downloads.length} files`),
  );
  assert.doesNotMatch(await missing(), new RegExp(`\n  ${downloads[0]!.name.replaceAll('.', '\\.')}, which`));
});

test('what is there is verified anew with a line, what is missing or wrong is told as it is', async () => {
  const { plugin, variant } = await loadDataset('squad');
  const [first, ...others] = plugin.downloads(variant);
  const elsewhere = path.join(root, 'verified');
  const folder = new Store(elsewhere).downloadsOf('squad');
  const file = path.resolve(folder, first!.name);
  await mkdir(path.dirname(file), { recursive: true });
  const notes: string[] = [];
  const progress: Progress = { ...quiet, note: (line) => void notes.push(line) };
  const states = async () =>
    (await verifyDataset(of('squad', { cache: elsewhere }), progress)).map(({ state }) => state);
  assert.deepEqual(await states(), ['missing', ...others.map(() => 'missing')]);
  await writeFile(file, 'other');
  assert.deepEqual([(await states())[0], notes], ['wrong', []]);
  // Of the right size its bytes are looked at.
  await writeFile(file, Buffer.alloc(first!.sizeBytes!));
  assert.deepEqual([(await states())[0], notes], ['wrong', [`verifying ${first!.name}`]]);
  const stopped = silentProgress(AbortSignal.abort());
  await assert.rejects(verifyDataset(of('squad'), stopped), { code: 'INTERRUPTED' });
});

test("qrels are written in TREC's format, and a split without any is refused", async () => {
  const request = of('beir', { data: path.join(root, 'data') });
  const out = path.join(root, 'test.qrels');
  assert.deepEqual(await exportQrels(request, { split: 'test', out }, quiet), { queries: 8, qrels: 8 });
  const lines = Array.from({ length: 8 }, (_, i) => `q${i} 0 p${i} 1\n`);
  assert.equal(await readFile(out, 'utf8'), lines.join(''));
  await assert.rejects(exportQrels(request, { split: 'dev', out: path.join(root, 'dev.qrels') }, quiet), {
    code: 'DATA_INVALID',
    message: /has no dev qrels/,
  });
  await assert.rejects(readFile(path.join(root, 'dev.qrels')), { code: 'ENOENT' });
});
