/** A run killed at every kind of place and started again ends with the bytes of one that was left alone. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { loadUsearch } from '../harness/searchers/usearch/library.js';
import { assertSameWhenKilled, type KilledCommand, killedRoot, type Place } from './killed-runs.js';
import { tinySettings } from './made-squad.js';

const usearchMissing = await loadUsearch().then(
  () => false,
  () => true,
);
const faissMissing = await loadFaiss().then(
  () => false as const,
  (error: Error) => error.message,
);

let root: string;
before(async () => {
  root = await killedRoot();
});
after(() => rm(root, { recursive: true, force: true }));

const sets = (settings: readonly string[]) => settings.flatMap((setting) => ['--set', setting]);

const collection = (here: string): string[] => [
  ...['--dataset', 'squad', '--data', path.join(root, 'data')],
  ...['--cache', path.join(here, 'cache')],
];

/** @param settings beside the tiny ones */
const given = (here: string, settings: readonly string[]): string[] => [
  ...collection(here),
  ...sets([...tinySettings, ...settings]),
];

const run = (
  args: readonly string[],
  settings: readonly string[],
  places: readonly Place[],
): KilledCommand => ({
  argv: (here) => ['run', ...args, '--out', path.join(here, 'out'), ...given(here, settings)],
  places,
});

test('kill -9 at places of a run in two stages changes no byte', async () => {
  const places = [
    // The model with random weights; the negatives of BM25, whose index is there by then.
    /^before .*models\/.*manifest\.json$/,
    /^after .*negatives\/.*negatives\.tsv\.gz$/,
    // Amid the first step, wherever that is.
    'train: 10 steps',
    // A state whose weights are there and whose facts are not; the best epoch so far, which no state knows of.
    /^after .*state-2\.safetensors$/,
    /^after .*best-0\.safetensors$/,
    // An encoder half-written, in a folder inside; all but done.
    /^before .*checkpoints\/.*model\.safetensors$/,
    /^before .*checkpoints\/.*manifest\.json$/,
    // The second of three shards.
    /^before .*shards\/.*0001\.json$/,
    // Hits of training queries: of the first 32 of 65; some of the arrays; all, beside the parts they were joined from.
    /^after .*parts\/00000\.hits$/,
    /^before .*runs\/.*scores\.f32$/,
    /^after .*runs\/.*manifest\.json$/,
    // The last epoch of the second training; the record, whose run is there.
    /^after .*state-8\.safetensors$/,
    /^before .*\.record\.json$/,
  ];
  const args = ['--arch', 'mlr-mix', '--stages', '2'];
  const files = await assertSameWhenKilled(root, 'stages', [run(args, ['search.batchSize=4'], places)]);
  assert.ok(files.length > 40, files.join('\n'));
});

test('kill -9 amid trainings of a list of lambdas, in chunks, changes no byte', async () => {
  const places = [
    // The first value: a line of a step cut short; a state of every step.
    /^amid .*steps\.jsonl$/,
    /^amid .*state-3\.safetensors$/,
    /^after .*state\.json$/,
    // The second.
    'lambda 2',
    /^after .*state-4\.safetensors$/,
    // Its checkpoint is whole, and the lock and the states are still there.
    /^after .*checkpoints\/.*manifest\.json$/,
  ];
  const settings = ['arch.lambda=[0.5,2]', 'train.chunkSize=3', 'train.saveEverySteps=1', 'train.epochs=1'];
  const files = await assertSameWhenKilled(root, 'lambda', [run(['--arch', 'mlr-sc'], settings, places)]);
  const trained = files.filter((file) => /checkpoints\/[^/]*\/manifest\.json$/.test(file));
  assert.equal(trained.length, 2, files.join('\n'));
});

test('kill -9 while an index is built, searched, tried and timed changes no byte', {
  skip: faissMissing,
}, async () => {
  const places = [
    /^before .*index\.faiss$/,
    /^after .*index\.faiss$/,
    // The first half of the exact hits; the second half of the others.
    /^after .*parts\/00000\.hits$/,
    /^after .*parts\/00001\.hits$/,
    // A copy of the index with another value of its parameter; once more, while its recall is found.
    /^copied .*index\.faiss$/,
    /^before .*findings\/.*manifest\.json$/,
    /^after .*\.run\.gz$/,
    'latency: 2 queries',
  ];
  const settings = ['index.nprobe=[1,2]', 'search.batchSize=1', 'train.epochs=1'];
  const args = ['--arch', 'dual-encoder', '--index', 'IVF4,Flat'];
  await assertSameWhenKilled(root, 'index', [run(args, settings, places)]);
});

test('kill -9 inside and between the cells of a sweep that keeps its records alone changes no byte', async () => {
  const places = [
    // BM25, whose index and hits are needed no longer once it is recorded.
    /^after .*postings$/,
    /^after .*parts\/00000\.hits$/,
    'latency: 2 queries',
    /^amid .*\.record\.json$/,
    // Renamed to be removed; removed.
    /^after .*\.removed-[^/]*$/,
    /^removed .*\.removed-[^/]*$/,
    // The other, whose negatives come from the same index.
    /^after .*state-4\.safetensors$/,
    /^before .*shards\/.*identifiers$/,
    /^after .*\.run\.gz$/,
  ];
  const settings = ['latency.interleave=false', 'search.batchSize=1'];
  const args = ['--arch', 'bm25,dual-encoder', '--keep', 'records'];
  await assertSameWhenKilled(root, 'sweep', [run(args, settings, places)]);
});

test('kill -9 of the command of each stage changes no byte', async () => {
  const settings = ['search.batchSize=4', 'train.epochs=1'];
  const command = (
    name: string,
    args: (at: { here: string; checkpoint: string; index: string }) => readonly string[],
    places: readonly Place[],
    own: readonly string[] = [],
  ): KilledCommand => ({
    places,
    argv(here, [trained = '{}', encoded = '{}']) {
      const { checkpoint } = JSON.parse(trained) as { checkpoint: string };
      const { index } = JSON.parse(encoded) as { index: string };
      return [name, ...args({ here, checkpoint, index }), ...given(here, [...settings, ...own]), '--json'];
    },
  });
  // A graph by usearch: killed before it is in place, and after.
  const graph = usearchMissing ? [] : ['index.kind=HNSW8,i8', 'searcher=usearch'];
  const built = usearchMissing ? [] : [/^before .*index\.usearch$/, /^after .*index\.usearch$/];
  await assertSameWhenKilled(root, 'commands', [
    command('train', () => ['--arch', 'me-bert'], [/^before .*checkpoints\/.*manifest\.json$/]),
    command('encode', ({ checkpoint }) => ['--checkpoint', checkpoint], [/^after .*0001\.json$/]),
    {
      argv: (here) => [
        ...['mine', '--with', 'bm25', '--out', path.join(here, 'bm25.tsv.gz'), ...collection(here)],
        ...[...sets(['search.batchSize=4', 'stage2.depth=10']), '--json'],
      ],
      places: [/^amid .*bm25\.tsv\.gz$/],
    },
    command(
      'mine',
      ({ here, ...at }) => [
        ...['--checkpoint', at.checkpoint, '--index', at.index],
        ...['--out', path.join(here, 'mined.tsv.gz')],
      ],
      [/^after .*parts\/00001\.hits$/, /^before .*mined\.tsv\.gz$/],
    ),
    command(
      'search',
      ({ here, ...at }) => [
        ...['--checkpoint', at.checkpoint, '--index', at.index],
        ...['--run', path.join(here, 'hits.run.gz')],
      ],
      [/^after .*queries\/.*shard-00000\.json$/, ...built, /^after .*counts\.i32$/, /^amid .*hits\.run\.gz$/],
      graph,
    ),
    {
      argv: (here) => [
        ...['evaluate', '--run', path.join(here, 'hits.run.gz'), '--measure', 'answer@5,mrr@10'],
        ...['--record', path.join(here, 'hits.record.json'), ...collection(here)],
      ],
      places: [/^before .*hits\.record\.json$/],
    },
  ]);
});
