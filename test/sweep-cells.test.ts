/** Sweeps: one cell's failure is not another's, systems take turns, and what was made is not made again. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { compareRecords, prepareReport } from '../harness/comparison.js';
import { defaultConfig } from '../harness/config/config.js';
import type { BenchError } from '../harness/errors.js';
import { fitting } from '../harness/pipeline/timing.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import { type RunRecord, readRecords, type StoredRecord } from '../harness/record.js';
import { run, sweep } from '../harness/sweep.js';
import { checkedProgress } from './checked-progress.js';
import { assertClosed, removeClosed } from './open-files.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-sweep-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => removeClosed(root));

const request = (architecture: string, seed: number, ...set: string[]) =>
  tinyRequest(root, architecture, seed, ...set);
const quiet = checkedProgress();
/** Keeps the lines that are said. */
function listening(signal?: AbortSignal): { progress: Progress; lines: string[] } {
  const lines: string[] = [];
  return { lines, progress: { ...silentProgress(signal), note: (line) => void lines.push(line) } };
}

/** Nothing is wrong with it until it is trained: the loss is no number after a step. */
const broken = ['train.epochs=3', 'train.batchSize=2', 'train.learningRate=1e38'];

test('a run by itself says what it takes from the cache', async () => {
  const said = async (...set: string[]) => {
    const { progress, lines } = listening();
    await sweep([request('dual-encoder', 9, `out=${path.join(root, 'alone')}`, ...set)], progress);
    return lines.filter((line) => line.includes('from cache'));
  };
  assert.deepEqual(await said(), []);
  assert.deepEqual(await said(), [
    'dual-encoder on beir, seed 9: from cache: train, encode, queries, search, which is all of it; --fresh makes it anew',
  ]);
  assert.deepEqual(await said('search.depth=20'), [
    'dual-encoder on beir, seed 9: from cache: train, encode, queries',
  ]);
});

test('a cell that fails leaves a record that says why, and the others go on', async () => {
  const { progress, lines } = listening();
  const told: StoredRecord[] = [];
  const { records, failures } = await sweep(
    [request('mlr', 1, ...broken), request('dual-encoder', 1), request('bm25', 1)],
    progress,
    (stored) => told.push(stored),
  );
  assert.deepEqual(
    records.map(({ arch }) => arch.name),
    ['dual-encoder', 'bm25'],
  );
  const [failure] = failures;
  assert.equal(failures.length, 1);
  assert.equal((failure!.error as BenchError).code, 'TRAINING_DIVERGED');
  assert.equal(failure!.record!.status, 'failed');
  assert.equal(failure!.record!.error!.message, failure!.error.message);
  assert.equal(failure!.record!.dataset.passageCount, 30);
  assert.deepEqual(
    told.map(({ record }) => record.status),
    ['failed', 'ok', 'ok'],
  );
  const [first, second, third] = lines.filter((line) => line.startsWith('cell '));
  assert.match(first!, /^cell 1 of 3: mlr on beir, seed 1: failed after .* s, 2 left\n {2}\S/);
  assert.match(
    second!,
    /^cell 2 of 3: dual-encoder on beir, seed 1: done in .* s, 1 left, perhaps .* s left$/,
  );
  assert.match(third!, /^cell 3 of 3: bm25 on beir, seed 1: done in/);

  const stored = await readRecords([path.join(root, 'out')]);
  const report = await prepareReport(stored, {}, '1');
  assert.equal(report.sections.length, 1);
  assert.equal(report.sections[0]!.systems.length, 2);
  assert.equal(report.sections[0]!.dataset.queryCount, 8);
  assert.ok(report.sections[0]!.notes.some((note) => note.includes('failed and is left out')));
  assert.equal(compareRecords(stored).length, 1);
});

test('run throws what its only cell failed with; the record of a failure goes when the run succeeds', async () => {
  const failedFiles = async () =>
    (await readdir(path.join(root, 'out'))).filter(
      (name) => name.includes('me-bert') && name.includes('failed'),
    );
  const data = path.join(root, 'untrained');
  const asked = { ...request('me-bert', 1, 'train.epochs=1', 'train.batchSize=2'), data };
  await writeTinyCollection(data);
  await rm(path.join(data, 'qrels', 'train.tsv'));
  await assert.rejects(run(asked, quiet), { code: 'DATA_INVALID' });
  assert.equal((await failedFiles()).length, 1);
  await assert.rejects(run(asked, quiet));
  assert.equal((await failedFiles()).length, 1, 'another attempt at the same is the same file');
  await writeTinyCollection(data);
  assert.equal((await run(asked, quiet)).status, 'ok');
  assert.deepEqual(await failedFiles(), []);
});

test('systems of one dataset and seed take turns, under names of their own; other seeds by themselves', async () => {
  const { records } = await sweep(
    [
      request('mlr', 1),
      request('mlr', 1, 'arch.layers=[1,2]', 'arch.vectors=2'),
      request('mlr', 1, 'arch.layers=[2]', 'arch.vectors=1'),
      request('bm25', 1),
      request('bm25', 2),
    ],
    quiet,
  );
  assert.equal(records.length, 5);
  const [first, second, third, sparse, alone] = records.map(({ latency }) => latency!);
  assert.equal(sparse!.interleavedWith.length, 3);
  assert.equal(new Set(sparse!.interleavedWith).size, 3, 'no two have one name');
  for (const latency of [first, second, third]) assert.equal(latency!.interleavedWith.length, 3);
  assert.ok(first!.interleavedWith.includes('bm25'));
  assert.deepEqual(alone!.interleavedWith, []);
  for (const { tokenize, search, total, throughput, queryIds } of [first!, second!, third!, sparse!]) {
    assert.deepEqual(queryIds, first!.queryIds, 'all are asked the same');
    for (const part of [tokenize!, search!, total]) assert.equal(part.samplesMs.length, 4);
    assert.deepEqual(
      throughput!.map(({ batchSize, queries }) => [batchSize, queries]),
      [[2, 10]],
    );
  }
  const of = (i: number) => ({ file: `${i}.record.json`, record: records[i]! });
  const [comparison] = compareRecords([of(1), of(2)]);
  assert.deepEqual(
    comparison!.latencyNotes.filter((note) => note.includes('separate')),
    [],
  );
});

test('interleave false times each by itself, queries 0 none; what does not fit in memory does not take turns', async () => {
  const with_ = async (...set: string[]) =>
    (await sweep([request('mlr', 1, ...set), request('bm25', 1, ...set)], quiet)).records;
  const apart = await with_('latency.interleave=false');
  assert.deepEqual(
    apart.map(({ latency }) => latency!.interleavedWith),
    [[], []],
  );
  const tight = await with_('latency.memoryMiB=1', 'search.memoryMiB=1', 'model.scratch.dimensions=256');
  assert.deepEqual(
    tight.map(({ latency }) => latency!.interleavedWith),
    [[], []],
  );
  const none = await with_('latency.queries=0');
  assert.deepEqual(
    none.map(({ latency, stages }) => [latency, stages.at(-1)!.name]),
    [
      [undefined, 'measure'],
      [undefined, 'measure'],
    ],
  );
});

test('turns are filled with what fits together; what is too large has one to itself', () => {
  const cells = [6, 30, 5, 4, 1].map((openBytes) => ({ cell: { openBytes } }));
  assert.deepEqual(
    fitting(cells, 11).map((turn) => turn.map(({ cell }) => cell.openBytes)),
    [[6, 5], [30], [4, 1]],
  );
});

const places = ({ stages }: RunRecord) =>
  stages.filter(({ key }) => key !== null).map(({ execution }) => execution.cached);

test('a sweep that is stopped between two cells goes on from there', async () => {
  const set = 'text.passageTokens=12';
  const requests = [request('mlr', 3, set), request('me-bert', 3, set), request('bm25', 3, set)];
  const controller = new AbortController();
  const { progress } = listening(controller.signal);
  const stopping = {
    ...progress,
    note: (line: string) => {
      if (line.startsWith('cell 2')) controller.abort();
    },
  };
  await assert.rejects(sweep(requests, stopping), { code: 'INTERRUPTED' });
  const { lines, progress: again } = listening();
  const { records } = await sweep(requests, again);
  // Training, shards, vectors of queries, hits.
  assert.deepEqual(records.slice(0, 2).map(places), [
    [true, true, true, true],
    [true, true, true, true],
  ]);
  assert.match(lines.find((line) => line.startsWith('cell 1'))!, /from cache in .* s, 2 left$/);
});

test('a measure that the dataset has no answers for is missed where it was named, not where it is one of the usual', async () => {
  const usual = defaultConfig().measures;
  const said = async (measures: readonly string[]) => {
    const set = [`measures=${JSON.stringify(measures)}`, 'search.depth=100', 'latency.queries=0'];
    return (await run(request('bm25', 1, ...set), quiet)).warnings.filter((line) =>
      line.includes('is left out'),
    );
  };
  assert.ok(usual.includes('answer@5'));
  assert.deepEqual(await said(usual), []);
  assert.deepEqual(
    (await said(['answer@5', 'mrr@10'])).map((line) => line.split(' ')[0]),
    ['answer@5'],
  );
});

test('stages carry the name of their cell, and from the second on what all will still take', async () => {
  const titles: string[] = [];
  const left: (string | undefined)[] = [];
  const within: Progress['within'] = (title, inAll) => {
    if (title === undefined) return;
    titles.push(title);
    left.push(inAll?.());
  };
  await sweep([request('mlr', 7), request('bm25', 7)], { ...quiet, within });
  assert.deepEqual(titles, ['mlr, seed 7, 1 of 2', 'bm25, seed 7, 2 of 2']);
  assert.equal(left[0], undefined);
  assert.match(left[1]!, /^(about|perhaps) \d/);
  titles.length = 0;
  await sweep([request('bm25', 7)], { ...quiet, within });
  assert.deepEqual(titles, []);
});

test('no file of the cache or the data is left open', () => assertClosed(root));
