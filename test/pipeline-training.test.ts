/** The choices between trainings: lambda by dev, and what a second stage does otherwise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { planRun } from '../harness/pipeline/plan.js';
import { bestLambda } from '../harness/pipeline/training.js';
import { secondStage } from '../harness/stages/training.js';
import type { EpochFacts, TrainingFacts } from '../harness/train/training-facts.js';

const epoch = (number: number, crossEntropy: number, averageRank?: number): EpochFacts => ({
  epoch: number,
  steps: 1,
  loss: 1,
  contrastive: 1,
  seconds: 1,
  dev: {
    measure: averageRank === undefined ? 'cross-entropy' : 'average-rank',
    value: averageRank ?? crossEntropy,
    crossEntropy,
    ...(averageRank !== undefined && { averageRank }),
  },
});

const tried = (lambda: number, keptEpoch: number, ...epochs: EpochFacts[]) => ({
  lambda,
  facts: { training: { epochs, keptEpoch } as unknown as TrainingFacts },
});

const requestOf = (architecture: string, ...set: string[]) => ({
  architecture,
  dataset: 'sample',
  seed: 1,
  offline: true,
  config: loadConfig({ cwd: '/', set }),
});

test('the lambda whose kept epoch is the best on dev, by average rank only where all have one', () => {
  const byRank = bestLambda([
    tried(0.01, 1, epoch(0, 0.1), epoch(1, 2, 5)),
    tried(0.1, 1, epoch(0, 0.1), epoch(1, 3, 4)),
    tried(1, 1, epoch(0, 0.1), epoch(1, 1, 4)),
  ]);
  assert.equal(byRank.lambda, 0.1, 'of equal ones the first');
  assert.deepEqual(
    byRank.lambdaSearch.map(({ lambda, measure, dev }) => [lambda, measure, dev]),
    [
      [0.01, 'averageRank', 5],
      [0.1, 'averageRank', 4],
      [1, 'averageRank', 4],
    ],
  );
  const mixed = bestLambda([
    tried(0.01, 0, epoch(0, 0.5), epoch(1, 2, 5)),
    tried(0.1, 1, epoch(0, 0.1), epoch(1, 3, 4)),
  ]);
  assert.deepEqual([mixed.lambda, mixed.lambdaSearch[1]!.measure], [0.01, 'crossEntropy']);
  assert.throws(() => bestLambda([tried(1, 0), tried(2, 0)]), {
    code: 'CONFIG_INVALID',
    message: /no dev score/,
  });
});

test('a second stage trains half as long, draws from smaller pools, and keeps the lambda that was found', () => {
  const config = loadConfig({ cwd: '/', set: ['train.epochs=5', 'arch.lambda=0.1,1'] });
  const { arch, train } = secondStage(config);
  assert.equal(arch.lambda, null);
  assert.deepEqual([train.epochs, train.negativePool], [3, 50]);
  assert.equal(train.learningRate, config.train.learningRate);
  assert.equal(train.averageRankFrom, config.train.averageRankFrom);
  const keys = ['epochs=7', 'learningRate=1e-6', 'negativePool=9', 'averageRankFrom=4'];
  const said = secondStage(loadConfig({ cwd: '/', set: keys.map((key) => `stage2.${key}`) })).train;
  assert.deepEqual([said.epochs, said.learningRate, said.negativePool], [7, 1e-6, 9]);
  assert.equal(said.averageRankFrom, 4);
});

test('a plan lists the artifacts of its graph in the order in which they are made', async () => {
  const artifacts = async (architecture: string, ...set: string[]) => {
    const { lines } = await planRun(requestOf(architecture, ...set));
    return lines.find((line) => line.startsWith('artifacts '));
  };
  assert.equal(await artifacts('bm25'), 'artifacts index -> search');
  assert.equal(
    await artifacts('mlr-sc', 'arch.lambda=[0.1,1]'),
    'artifacts model -> index -> 2 x negatives -> train, lambda 0.1 -> train, lambda 1 -> encode -> queries -> search',
  );
  // Of one vector there is no winner.
  assert.match((await artifacts('mlr'))!, / encode -> queries -> search -> queries -> dev winners$/);
  assert.doesNotMatch((await artifacts('dual-encoder'))!, /winners/);
});

test('a plan says what a second stage starts from and trains on', async () => {
  const again = async (...set: string[]) => {
    const request = requestOf('mlr-sc', 'stages=2', 'train.epochs=5', ...set);
    const { lines } = await planRun({ ...request, offline: false });
    return lines.find((line) => line.startsWith('again'));
  };
  assert.equal(
    await again('model.name=google-bert/bert-base-uncased', 'stage2.depth=70'),
    "again     3 epochs from the model again, on the examples of the first training and, behind them, examples mined with the first training's weights (70 hits); a pool of 50 each",
  );
  assert.match((await again('model.name=scratch'))!, /3 epochs from the weights of the first training, on/);
  assert.match((await again('stage2.negatives=mined'))!, /on examples mined .* alone;/);
  assert.match(
    (await again('stage2.examples=merged'))!,
    /on the negatives of the first training and negatives mined /,
  );
});

test('a plan says what runs the model here, and what the index takes beside what is free', async () => {
  const { lines } = await planRun(requestOf('mlr', 'arch.layers=1,2', 'engine=auto', 'cache=/tmp'));
  const line = (name: string) => lines.find((each) => each.startsWith(name))!;
  assert.match(line('engine'), /^engine {4}\w+ on \w+, \d+ threads?, chosen by auto$/);
  assert.match(
    line('disk'),
    /^disk {6}vectors of 2\.0 MiB \(2,000 passages x 2 x 128 numbers\); .* free at \/tmp$/,
  );
  assert.match(line('memory'), /free of/);
  await assert.rejects(planRun({ ...requestOf('bm25'), dataset: 'beir', data: '/nowhere' }), {
    code: 'PATH_INVALID',
  });
});

test('without the network a plan refuses a model that is not here', async () => {
  await assert.rejects(planRun(requestOf('mlr-sc', 'model.name=google-bert/bert-base-uncased')), {
    code: 'DOWNLOAD_FAILED',
  });
});

test('a plan refuses layers that a model with random weights does not have', async () => {
  const layers = ['model.name=scratch', 'model.scratch.layers=2'];
  await planRun(requestOf('mlr', ...layers, 'arch.layers=1,2'));
  await assert.rejects(planRun(requestOf('mlr', ...layers, 'arch.layers=0,12')), {
    code: 'CONFIG_INVALID',
    message: /12/,
  });
});
