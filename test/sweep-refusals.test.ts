/** What is wrong with a request is said before anything runs, and is no run that failed: no record of it is left. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { silentProgress } from '../harness/progress.js';
import { train } from '../harness/sweep/trainings.js';
import { sweep } from '../harness/sweep.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-refusals-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const request = (architecture: string, ...set: string[]) => tinyRequest(root, architecture, 1, ...set);
const quiet = silentProgress();
/** What stands where records would. */
const left = () => (existsSync(path.join(root, 'out')) ? readdirSync(path.join(root, 'out')) : []);

test('a mistake that can be seen in the request ends it with its own error, and leaves no record', async () => {
  const own = (changes: Partial<RunRequest>, ...set: string[]): RunRequest => ({
    ...request('mlr', ...set),
    ...changes,
  });
  const withoutData = (dataset: string): RunRequest => {
    const { data: _, ...rest } = request('bm25');
    return { ...rest, dataset, offline: false };
  };
  await writeFile(path.join(root, 'a-file'), '');
  const cases: [RunRequest, BenchError['code'], RegExp][] = [
    [request('bm25', 'measures=ncdg@10'), 'UNKNOWN_NAME', /measure 'ncdg@10'\. Did you mean 'ndcg@10'/],
    [withoutData('trec'), 'PATH_INVALID', /trec opens a folder, and none was given/],
    [withoutData('beir/robust04'), 'PATH_INVALID', /not public, and no folder was given/],
    [{ ...withoutData('squad'), offline: true }, 'DOWNLOAD_FAILED', /the network may not be used/],
    [own({ data: path.join(root, 'nowhere') }), 'PATH_INVALID', /There is no folder .*nowhere/],
    [request('mlr', 'arch.layers=[7]'), 'CONFIG_INVALID', /arch\.layers/],
    [own({ negatives: [path.join(root, 'none.tsv')] }), 'PATH_INVALID', /there is no such file/],
    [
      own({ init: root }),
      'CHECKPOINT_INVALID',
      /holds no trained retriever: there is no retriever\.json in it/,
    ],
    [request('mlr', 'model.name=./nowhere'), 'PATH_INVALID', /model folder \.\/nowhere is not there/],
    [request('mlr', 'model.name=some/model'), 'DOWNLOAD_FAILED', /not in the cache/],
  ];
  for (const [asked, code, message] of cases) {
    await assert.rejects(sweep([asked], quiet), { code, message });
    assert.deepEqual(left(), [], String(message));
  }
  await assert.rejects(train([request('mlr', 'arch.layers=[7]')], quiet), { code: 'CONFIG_INVALID' });
  assert.deepEqual(left(), []);
});

test('an engine that is absent is found before anything runs', async (context) => {
  const asked = request('mlr', 'engine=tensorflow');
  const error = await sweep([asked], quiet).then(
    () => undefined,
    (reason: BenchError) => reason,
  );
  if (error === undefined) return context.skip('TensorFlow is installed here');
  assert.equal(error.code, 'UNAVAILABLE');
  assert.deepEqual(left(), []);
});

test('of a sweep everything that is wrong is said at once, and no run is begun', async () => {
  const requests = [
    request('bm25'),
    request('mlr', 'arch.layers=[7]'),
    { ...request('mlr', 'arch.layers=[7]'), seed: 2 },
    request('mlr', 'measures=ncdg@10'),
  ];
  await assert.rejects(sweep(requests, quiet), (error: BenchError) => {
    assert.equal(error.exitCode, 2);
    assert.match(
      error.message,
      /^3 of 4 runs cannot begin, so none was begun:\n {2}mlr on beir, seed 1; mlr on/,
    );
    assert.match(
      error.message,
      /arch\.layers[\s\S]*\n {2}mlr on beir, seed 1: There is no measure 'ncdg@10'/,
    );
    return true;
  });
  assert.deepEqual(left(), []);
});

test('three runs that lack the same are named, of more the number', async () => {
  const alike = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ ...request('mlr', 'arch.layers=[7]'), seed: i + 1 }));
  const titles = [1, 2, 3].map((seed) => `mlr on beir, seed ${seed}`).join('; ');
  for (const [count, named] of [
    [3, `${titles}: `],
    [5, `${titles} and 2 more: `],
  ] as const)
    await assert.rejects(
      sweep([...alike(count), request('mlr', 'measures=ncdg@10')], quiet),
      (error: BenchError) => error.message.includes(named),
    );
});

test('of several reasons the gravest gives the exit code, wherever it stands', async (context) => {
  const absent = request('mlr', 'engine=tensorflow');
  const lone = await sweep([absent], quiet).catch((reason: BenchError) => reason);
  if (!(lone instanceof BenchError)) return context.skip('TensorFlow is installed here');
  const wrong = request('mlr', 'measures=ncdg@10');
  const also = request('mlr', 'arch.layers=[7]');
  for (const requests of [
    [absent, wrong, also],
    [wrong, also, absent],
    [wrong, absent, also],
  ])
    await assert.rejects(sweep(requests, quiet), { code: 'UNAVAILABLE', exitCode: 3 });
});
