/** The stages one at a time, as commands, beside the run that does all of them. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { MinedNegatives } from '../harness/pipeline/mine.js';
import type { EncodedIndex, TrainedCheckpoint } from '../harness/pipeline/one-stage.js';
import type { SearchedRun } from '../harness/pipeline/searched-run.js';
import type { RunRecord } from '../harness/record.js';
import { bench, json, set, stageRoot } from './stage-commands.js';

let root: string;
const inRoot = (...names: string[]) => path.join(root, ...names);
const data = () => ['--dataset', 'squad', '--data', inRoot('data')];

before(async () => {
  root = await stageRoot();
});
after(() => rm(root, { recursive: true, force: true }));

/** Files below a folder that hold vectors, weights, ids or hits, but no times. */
async function bytesBelow(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && !/^(manifest\.json|steps\.jsonl)$/.test(entry.name)) {
      found.set(path.relative(folder, file), (await readFile(file)).toString('base64'));
    }
  }
  return found;
}

test('train, mine, train again, encode, search and evaluate leave the bytes of a run in two stages', async () => {
  const whole = await json<RunRecord>(
    'run',
    ...['--arch', 'mlr-sc', '--stages', '2', ...data(), ...set],
    ...['--cache', inRoot('whole'), '--out', inRoot('whole-out')],
  );

  const cache = ['--cache', inRoot('parts')];
  const first = await bench('train', '--arch', 'mlr-sc', ...data(), ...set, ...cache);
  const firstFolder = first.trimEnd().split('\n').at(-1)!;
  const { negatives: mined } = await json<MinedNegatives>(
    'mine',
    ...['--checkpoint', firstFolder, ...data(), ...cache, ...set],
  );
  const second = await json<TrainedCheckpoint>(
    'train',
    ...['--arch', 'mlr-sc', ...data(), ...set, ...cache],
    ...['--init', firstFolder, '--negatives', `bm25,${mined}`],
    ...['--set', 'train.epochs=1', '--set', 'train.negativePool=50'],
  );
  const { checkpoint } = second;
  const { index } = await json<EncodedIndex>(
    'encode',
    '--checkpoint',
    checkpoint,
    ...data(),
    ...set,
    ...cache,
  );
  const found = await json<SearchedRun>(
    'search',
    ...['--checkpoint', checkpoint, '--index', index, ...data(), ...set, ...cache, '--out', inRoot('out')],
  );

  for (const kind of ['models', 'checkpoints', 'indexes', 'negatives', 'shards', 'queries', 'runs']) {
    const [apart, together] = [
      await bytesBelow(inRoot('parts', kind)),
      await bytesBelow(inRoot('whole', kind)),
    ];
    assert.ok(apart.size > 0, kind);
    // No deepEqual: its message would be the bytes.
    assert.deepEqual([...apart.keys()].sort(), [...together.keys()].sort());
    for (const [file, bytes] of apart) assert.ok(together.get(file) === bytes, `${kind}/${file}`);
  }
  assert.equal(found.sha256, whole.run!.sha256);
  // A run that is given the same start takes all of it from the cache.
  const taken = await json<RunRecord>(
    'run',
    ...['--arch', 'mlr-sc', ...data(), ...set, ...cache, '--out', inRoot('out')],
    ...['--init', firstFolder, '--negatives', `bm25,${mined}`],
    ...['--set', 'train.epochs=1', '--set', 'train.negativePool=50'],
  );
  assert.deepEqual(
    taken.stages.filter(({ key }) => key !== null).map(({ name, execution }) => [name, execution.cached]),
    ['train', 'encode', 'queries', 'search'].map((name) => [name, true]),
  );
  assert.equal(taken.run!.sha256, whole.run!.sha256);
  assert.equal(taken.training!.init!.architecture, 'mlr-sc');
  assert.deepEqual(
    second.training.negatives!.map(({ name }) => name),
    ['bm25', 'negatives.tsv.gz'],
  );

  // As in the paper, a second stage may begin with the model again, and draw from the mined negatives alone.
  const again = await json<RunRecord>(
    'run',
    ...['--arch', 'mlr-sc', '--stages', '2', ...data(), ...set, ...cache, '--out', inRoot('again-out')],
    ...['--set', 'stage2.init=model', '--set', 'stage2.negatives=mined'],
  );
  const { init, negatives, firstStage } = again.training!;
  assert.deepEqual([init, negatives!.map(({ name }) => name)], [undefined, ['negatives.tsv.gz']]);
  assert.deepEqual(
    firstStage!.epochs.map(({ loss }) => loss),
    whole.training!.firstStage!.epochs.map(({ loss }) => loss),
  );
  assert.equal(whole.training!.init!.architecture, 'mlr-sc');
  assert.notEqual(again.run!.sha256, whole.run!.sha256);

  const evaluated = await json<RunRecord>(
    'evaluate',
    ...['--run', found.run, ...data(), '--measure', 'answer@5,success@5,mrr@10', ...cache],
  );
  assert.deepEqual(evaluated.queryIds, whole.queryIds);
  assert.deepEqual(evaluated.measures, whole.measures);
  assert.deepEqual(evaluated.dataset, whole.dataset);
});
