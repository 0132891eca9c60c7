/** The parts of sweeps by themselves: groups, counts, trainings, records of failures, what can begin elsewhere. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Dataset } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { machineNeeds } from '../harness/pipeline/memory-needs.js';
import { prepare } from '../harness/pipeline/prepare.js';
import { stemOf } from '../harness/pipeline/record-stage.js';
import { assertRequirements } from '../harness/pipeline/requirements.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import { type RunRecord, writeRecord } from '../harness/record.js';
import { count } from '../harness/sweep/counts.js';
import { groupsOf } from '../harness/sweep/groups.js';
import { knownDataset, recordedBefore, recordFailure } from '../harness/sweep/recording.js';
import { assertRunnable, needsOf } from '../harness/sweep/runnable.js';
import { train } from '../harness/sweep/trainings.js';
import { run } from '../harness/sweep.js';
import { givenFiles } from './given-folder.js';
import { madeRecord } from './made-records.js';
import { removeClosed } from './open-files.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const root = await mkdtemp(path.join(tmpdir(), 'strata-parts-'));
before(() => writeTinyCollection(path.join(root, 'data')));
after(() => removeClosed(root));

const request = (architecture: string, seed = 1, ...set: string[]) =>
  tinyRequest(root, architecture, seed, ...set);
function listening(signal?: AbortSignal): { progress: Progress; notes: string[] } {
  const notes: string[] = [];
  return { notes, progress: { ...silentProgress(signal), note: (line) => void notes.push(line) } };
}
const stopped = () => silentProgress(AbortSignal.abort());

test('systems take turns on one collection, seed and machine alone; a group stands where its first request does', () => {
  const numbers = (...requests: RunRequest[]) => {
    const places = new Map(groupsOf(requests).flatMap((group, g) => group.map((each) => [each, g])));
    return requests.map((each) => places.get(each));
  };
  const one = request('mlr');
  assert.deepEqual(
    numbers(one, { ...request('bm25'), seed: 2 }, request('bm25'), request('mlr', 2)),
    [0, 1, 0, 1],
  );
  const others: RunRequest[] = [
    { ...one, dataset: 'trec' },
    { ...one, data: path.join(root, 'elsewhere') },
    { ...one, distractors: { count: 5, largest: 5, from: { dataset: 'sample' } } },
    ...['engine=tfjs-cpu', 'device=webgpu', 'searcher=auto', 'threads=1', 'latency.queries=5'].map((set) =>
      request('mlr', 1, set),
    ),
  ];
  for (const [i, other] of others.entries()) assert.deepEqual(numbers(one, other), [0, 1], String(i));
  for (const set of ['train.epochs=3', 'search.depth=20', 'arch.layers=[2]', 'measures=mrr@5'])
    assert.deepEqual(numbers(one, request('mlr', 1, set)), [0, 0], set);
  assert.deepEqual(groupsOf([]), []);
});

test('datasets are counted one after another; what one lacks is kept, and an interrupt ends all', async () => {
  const { progress, notes } = listening();
  const [good, bad] = [request('bm25'), { ...request('bm25'), data: path.join(root, 'nowhere') }];
  const found = await count([bad, good], progress);
  assert.deepEqual([...found.keys()], [bad, good]);
  assert.equal((found.get(bad) as BenchError).code, 'PATH_INVALID');
  const { passageCount, counts, split } = found.get(good) as Exclude<
    ReturnType<typeof found.get>,
    Error | undefined
  >;
  assert.deepEqual([passageCount, split], [30, 'test']);
  assert.deepEqual(counts.test, { queries: 8, qrels: 8, withPositive: 8 });
  assert.deepEqual(notes, ['counted: beir']);
  await assert.rejects(count([good], stopped()), { code: 'INTERRUPTED' });
  assert.equal((await count([], stopped())).size, 0);
});

test('what this machine lacks others may have, what is wrong is wrong there too', async (context) => {
  const quiet = silentProgress();
  const wrong = request('mlr', 1, 'measures=ncdg@10');
  await assertRunnable([request('bm25')], quiet, 'elsewhere');
  await assert.rejects(assertRunnable([wrong], quiet, 'elsewhere'), { code: 'UNKNOWN_NAME' });
  await assert.rejects(assertRunnable([request('bm25')], stopped()), { code: 'INTERRUPTED' });
  const absent = request('mlr', 1, 'engine=tensorflow');
  const error = await assertRunnable([absent], quiet).catch((reason: BenchError) => reason);
  if (!(error instanceof BenchError)) return context.skip('TensorFlow is installed here');
  assert.equal(error.code, 'UNAVAILABLE');
  await assertRunnable([absent, request('bm25')], quiet, 'elsewhere');
  await assert.rejects(assertRunnable([absent, wrong], quiet, 'elsewhere'), {
    code: 'UNKNOWN_NAME',
    message: /^1 of 2 runs cannot begin/,
  });
});

test('each run needs what it takes with the passages of its collection', async () => {
  const requests = [request('mlr'), request('bm25')];
  const expected = await Promise.all(
    requests.map(async (each) => machineNeeds(each, await assertRequirements(each), 30)),
  );
  assert.deepEqual(await needsOf(requests), expected);
});

test('trainings one after another: one that fails leaves its record, which goes with the next that ends well', async () => {
  const out = path.join(root, 'trained');
  const of = (seed: number, ...set: string[]) => request('dual-encoder', seed, `out=${out}`, ...set);
  const data = path.join(root, 'untrained');
  await writeTinyCollection(data);
  const [first, second] = [of(1), of(2)];
  const broken = { ...of(3, 'train.epochs=3', 'train.batchSize=2', 'train.learningRate=1e38'), data };
  const { progress, notes } = listening();
  const { checkpoints, failures } = await train([first, broken, second], progress);
  assert.deepEqual([...checkpoints.keys()], [first, second]);
  for (const folder of checkpoints.values())
    assert.ok(existsSync(path.join(folder, 'retriever.json')), folder);
  assert.equal(new Set(checkpoints.values()).size, 2);
  assert.deepEqual(
    failures.map((each) => [each.request, (each.error as BenchError).code]),
    [[broken, 'TRAINING_DIVERGED']],
  );
  const left = readdirSync(out).filter((name) => name.endsWith('.json'));
  assert.equal(left.length, 1);
  assert.ok(notes.includes(`record of the failure: ${path.join(out, left[0]!)}`));
  const cells = notes
    .filter((line) => line.startsWith('cell '))
    .map((line) => line.replace(/ (in|after) .*/s, ''));
  assert.deepEqual(cells, [
    'cell 1 of 3: dual-encoder on beir, seed 1: trained',
    'cell 2 of 3: dual-encoder on beir, seed 3: failed',
    'cell 3 of 3: dual-encoder on beir, seed 2: trained',
  ]);
  const again = listening();
  assert.deepEqual((await train([first, second], again.progress)).checkpoints, checkpoints);
  assert.ok(again.notes.every((line) => !line.startsWith('cell ') || line.includes('trained before')));
  await assert.rejects(train([first], stopped()), { code: 'INTERRUPTED' });
});

test('the record of a failure says what went wrong and what was known, in one file for every attempt at a request', async () => {
  const out = path.join(root, 'failed');
  const one = request('mlr', 1, `out=${out}`, 'threads=2');
  const hinted = new BenchError('DATA_INVALID', 'What was read is no number.', { hint: 'Make it again.' });
  const { file, record } = await recordFailure(one, hinted, { stages: [] });
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), JSON.parse(JSON.stringify(record)));
  assert.match(path.basename(file), /^beir-mlr-1-[0-9a-f]{8}\.failed\.record\.json$/);
  assert.equal(path.dirname(file), out);
  assert.deepEqual(record.error, { code: 'DATA_INVALID', message: hinted.message, hint: 'Make it again.' });
  assert.deepEqual(
    [record.status, record.seed, record.arch.name, record.device.threads],
    ['failed', 1, 'mlr', 2],
  );
  assert.deepEqual(
    { ...record.dataset },
    {
      name: 'beir',
      version: 'unknown',
      licence: null,
      files: [],
      passageCount: null,
      split: 'test',
      counts: {},
    },
  );
  const dataset = { ...record.dataset, version: '7', passageCount: 3 };
  const errorOf = async (error: unknown) => (await recordFailure(one, error, { stages: [], dataset })).record;
  assert.deepEqual((await errorOf(new Error('gone'))).error, { code: 'UNEXPECTED', message: 'gone' });
  assert.deepEqual((await errorOf('a word')).error, { code: 'UNEXPECTED', message: 'a word' });
  assert.deepEqual((await errorOf(new BenchError('LOCKED', 'Held.'))).error, {
    code: 'LOCKED',
    message: 'Held.',
  });
  assert.deepEqual((await errorOf('a word')).dataset, dataset);
  assert.equal(readdirSync(out).length, 1, 'one file for all attempts');
  const others: RunRequest[] = [
    { ...one, seed: 2 },
    { ...one, architecture: 'bm25' },
    { ...one, dataset: 'trec' },
    { ...one, data: 'elsewhere' },
    { ...one, distractors: { count: 5, largest: 5, from: { dataset: 'sample' } } },
    { ...one, init: 'a-checkpoint' },
    { ...one, negatives: ['bm25'] },
    request('mlr', 1, `out=${out}`, 'threads=2', 'search.depth=11'),
  ];
  for (const other of others) await recordFailure(other, hinted, { stages: [] });
  assert.equal(readdirSync(out).length, 1 + others.length);
  const grown = readdirSync(out).map((name) => path.join(out, name));
  const names = await Promise.all(
    grown.map(async (each) => JSON.parse(await readFile(each, 'utf8')).dataset.name),
  );
  assert.ok(names.includes('beir + 5 of sample'), names.join());
});

test('a finished record is looked for where its run would leave it, and only of requests that can be told apart', async () => {
  const out = path.join(root, 'before');
  const one = request('bm25', 1, `out=${out}`);
  const { progress, notes } = listening();
  const { dataset } = await prepare(one, progress);
  assert.equal(await recordedBefore(one, dataset, progress), undefined);
  const file = path.join(out, `${stemOf(one, dataset)}.record.json`);
  await writeRecord(file, madeRecord({ status: 'failed' }));
  assert.equal(await recordedBefore(one, dataset, progress), undefined);
  assert.deepEqual(notes, [], 'nothing is said of what did not end well');
  await writeRecord(file, { ...madeRecord({}), benchVersion: '0.0.0' });
  for (const other of [{ init: 'a-checkpoint' }, { negatives: ['bm25'] }])
    assert.equal(await recordedBefore({ ...one, ...other }, dataset, progress), undefined);
  assert.deepEqual(notes, []);
  assert.equal(await recordedBefore(one, dataset, progress), undefined);
  assert.deepEqual(notes, [`made again: the record is of version 0.0.0 (${file})`]);
});

test('a dataset that cannot be read is not known', async () => {
  const { dataset } = await prepare(request('bm25'), silentProgress());
  assert.equal((await knownDataset(dataset))!.passageCount, 30);
  const unread = { ...dataset, queries: () => Promise.reject(new Error('gone')) } as unknown as Dataset;
  assert.equal(await knownDataset(unread), undefined);
});

test('a finished record of what was handed in is looked for by what that holds', async () => {
  const folder = path.join(root, 'handed-in');
  await mkdir(folder);
  for (const [name, content] of Object.entries(givenFiles()))
    await writeFile(path.join(folder, name), content);
  const file = path.join(folder, 'hits.run');
  await writeFile(file, 'q0 Q0 p0 1 1 other\n');
  const { progress, notes } = listening();
  for (const system of [`run:${file}`, `vectors:${folder}`, `fuse:bm25+run:${file}`]) {
    const one = request(system, 1, `out=${path.join(root, 'of-given')}`);
    const { dataset } = await prepare(one, progress);
    const { run: hits } = await run(one, silentProgress());
    const left = path.join(one.config.out, hits!.name.replace('.run.gz', '.record.json'));
    const record = JSON.parse(await readFile(left, 'utf8')) as RunRecord;
    await writeRecord(left, { ...record, benchVersion: '0.0.0' });
    notes.length = 0;
    assert.equal(await recordedBefore(one, dataset, progress), undefined);
    assert.deepEqual(notes, [`made again: the record is of version 0.0.0 (${left})`]);
  }
  await writeFile(file, 'q0 Q0 p1 1 1 other\n');
  notes.length = 0;
  const edited = request(`run:${file}`, 1, `out=${path.join(root, 'of-given')}`);
  const { dataset } = await prepare(edited, progress);
  assert.equal(await recordedBefore(edited, dataset, progress), undefined);
  assert.deepEqual(notes, [], 'it is no record of these hits');
});
