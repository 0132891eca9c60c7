/** A training with a teacher, as a command asks for it. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { silentProgress } from '../harness/progress.js';
import type { CheckpointFacts } from '../harness/stages/train.js';
import { run } from '../harness/sweep.js';
import { loadSystem } from '../harness/systems.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
const at = (name: string) => path.join(root, name);
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-teacher-'));
  await writeTinyCollection(path.join(root, 'data'));
  const negatives = [8, 9, 10, 11].map((q) => `q${q}\tp${q + 1},p${q + 2}\n`);
  await writeFile(at('negatives.tsv'), negatives.join(''));
  // The positive's score is 2 more than that of one negative; the other has none.
  const scores = [8, 9, 10, 11].map((q) => `q${q}\tp${q}\t${q}.5\nq${q}\tp${q + 1}\t${q - 2}.5\n`);
  await writeFile(at('scores.tsv'), scores.join(''));
});
after(() => rm(root, { recursive: true, force: true }));

const taught = (file: string, ...set: string[]) => ({
  ...tinyRequest(
    ...([root, 'mlr-sc', 1, 'train.epochs=12', 'train.batchSize=4', 'train.negatives=2'] as const),
    ...['train.dropout=0', 'train.learningRate=0.01', 'train.teacher.weight=2'],
    ...[`train.teacher.scores=${at(file)}`, ...set],
  ),
  negatives: [at('negatives.tsv')],
});

test('it learns the margins, and the record says of whom and of how many pairs', async () => {
  const record = await run(taught('scores.tsv'), silentProgress());
  const { teacher, examples } = record.training!;
  assert.equal(teacher!.name, 'scores.tsv');
  const { scoredPairs, unscoredPairs, untaughtExamples, unusedScores } = examples!.train!;
  assert.deepEqual([scoredPairs, unscoredPairs, untaughtExamples, unusedScores], [8, 4, 0, 0]);
  assert.ok(record.warnings.some((line) => line.startsWith('4 of 12 pairs')));
  const { key } = record.stages.find(({ name }) => name === 'train')!;
  const manifest = JSON.parse(
    await readFile(path.join(root, 'cache', 'checkpoints', key!, 'manifest.json'), 'utf8'),
  ) as { facts: CheckpointFacts };
  const { epochs } = manifest.facts.training;
  assert.ok(epochs.at(-1)!.taught! < 0.2 * epochs[0]!.taught!, JSON.stringify(epochs));
  for (const { loss, contrastive, regularizer, taught } of epochs)
    assert.ok(Math.abs(loss - contrastive - regularizer! - 2 * taught!) <= 1e-5 * loss, 'weight 2, lambda 1');
  // Other scores are another training.
  await writeFile(at('others.tsv'), `${await readFile(at('scores.tsv'), 'utf8')}q8\tp10\t1.25\n`);
  const other = await run(taught('others.tsv'), silentProgress());
  assert.notEqual(other.stages.find(({ name }) => name === 'train')!.key, key);
  assert.equal(other.training!.examples!.train!.unscoredPairs, 3);
});

test('what cannot be a teacher is refused before anything runs, or with all other mistakes of the settings', async () => {
  const { steps } = await loadSystem('mlr-sc');
  const asked = async (file: string) => (await steps()).requirements(taught(file));
  await assert.rejects(asked('none.tsv'), {
    code: 'PATH_INVALID',
    message: /none\.tsv cannot be used: there is no/,
  });
  await assert.rejects(asked('scores.pkl.gz'), { code: 'CONFIG_INVALID', message: /pickles are not read/ });
  await assert.rejects(asked('data'), { code: 'PATH_INVALID', message: /it is not a file/ });
  await assert.rejects(run(taught('scores.tsv', 'train.teacher.missing=refused'), silentProgress()), {
    code: 'DATA_INVALID',
    message: /no score for 4 pairs/,
  });
  const set = (...settings: string[]) =>
    loadConfig({ cwd: '/', set: ['train.teacher.scores=x.tsv', ...settings] });
  assert.throws(() => set('train.negatives=0', 'stages=2', 'train.teacher.missing=refused'), {
    code: 'CONFIG_INVALID',
    message: /train\.negatives is 0: there is only one.*what the first stage mines has no scores yet/s,
  });
  assert.throws(() => set('train.teacher.weight=0', 'train.teacher.loss=mse'), {
    code: 'CONFIG_INVALID',
    message: /train\.teacher\.weight: 0.*train\.teacher\.loss: "mse"/s,
  });
});
