/** Presets upon presets, and what they set on a dataset of their own. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadConfig, presetText } from '../harness/config/config.js';
import { secondStage } from '../harness/stages/training.js';

/** A folder without a configuration file. */
const cwd = mkdtempSync(path.join(tmpdir(), 'bench-presets-'));
after(() => rmSync(cwd, { recursive: true }));

const load = (preset: string, dataset?: string, ...set: string[]) =>
  loadConfig({ cwd, flags: { preset }, set, dataset });

test('of several presets the later stands above the earlier, and the record names them all', () => {
  const config = load('paper,msmarco,stage2');
  assert.deepEqual(config.preset, ['paper', 'msmarco', 'stage2']);
  assert.equal(presetText(config), 'paper,msmarco,stage2');
  assert.equal(config.train.clipNorm, 8, 'from the first');
  assert.equal(config.text.queryTokens, 32, 'from the second');
  assert.equal(config.train.learningRate, 5e-6, 'from the third');
  assert.equal(load('stage2,msmarco').train.learningRate, 1e-5);
  assert.equal(load('paper,msmarco', undefined, 'train.clipNorm=1').train.clipNorm, 1);
});

test('a list without names is no preset, not the usual one', () => {
  const config = loadConfig({ cwd, set: ['preset='] });
  assert.deepEqual(config.preset, []);
  assert.equal(presetText(config), null);
  assert.equal(config.train.epochs, 40);
  assert.equal(loadConfig({ cwd }).train.epochs, 6);
});

test('the checkpoint that the paper keeps depends on the dataset', () => {
  const kept = (preset: string, dataset?: string) => load(preset, dataset).train.checkpoint;
  assert.deepEqual(
    ['dpr/nq', 'dpr/trivia', 'dpr/squad1', undefined].map((dataset) => kept('paper', dataset)),
    ['best', 'last', 'best', 'best'],
  );
  assert.deepEqual(
    ['dpr/nq', 'dpr/trivia', 'dpr/squad1'].map((dataset) => kept('paper,stage1', dataset)),
    ['last', 'last', 'best'],
  );
  // A name that only begins alike is another dataset.
  assert.equal(kept('paper', 'dpr/trivial'), 'best');
  assert.equal(kept('paper', 'ms-marco-v2'), 'best');
});

test('MS MARCO in two stages by preset and dataset alone, in one run or in two', () => {
  for (const preset of ['paper', 'paper,msmarco', 'paper,stage1']) {
    for (const dataset of ['ms-marco', 'ms-marco/titles']) {
      const config = load(preset, dataset, 'stages=2');
      const { train, stage2, arch, text, search } = config;
      assert.deepEqual(
        [train.epochs, train.learningRate, train.negatives, train.checkpoint, train.averageRankFrom],
        [4, 1e-5, 15, 'last', null],
        preset,
      );
      assert.deepEqual([arch.lambda, text.queryTokens, search.depth], [0.01, 32, 1000]);
      assert.deepEqual([stage2.negatives, stage2.depth], ['mined', 200]);
      const second = secondStage(config).train;
      assert.deepEqual([second.epochs, second.learningRate, second.negativePool], [4, 1e-5, 100]);
      // The second alone, as bench train --negatives mined.tsv.gz has it, trains the same.
      const alone = load(`${preset},stage2`, dataset);
      assert.deepEqual(alone.train, second);
      // And where both are run, the first keeps its own.
      assert.deepEqual(load(`${preset},stage2`, dataset, 'stages=2').train, train);
    }
  }
});

test('question answering in two stages: SQuAD keeps its best, and ranks from epoch 16 of the second on', () => {
  const stages = (dataset: string) => {
    const config = load('paper,stage1', dataset, 'stages=2');
    return [config.train, secondStage(config).train].map((train) => [
      ...[train.epochs, train.learningRate, train.negativePool, train.averageRankFrom, train.checkpoint],
    ]);
  };
  assert.deepEqual(stages('dpr/nq'), [
    [40, 5e-6, 200, 31, 'last'],
    [20, 5e-6, 50, 31, 'last'],
  ]);
  assert.deepEqual(stages('dpr/squad1'), [
    [40, 5e-6, 200, 31, 'best'],
    [20, 5e-6, 50, 16, 'best'],
  ]);
  const alone = load('paper,stage2', 'dpr/squad1').train;
  assert.deepEqual(
    [alone.epochs, alone.learningRate, alone.negativePool, alone.averageRankFrom, alone.checkpoint],
    [20, 5e-6, 50, 16, 'best'],
  );
});

test('BEIR: trained as MS MARCO with one encoder, searched in texts of 512 tokens', () => {
  const trained = load('paper,msmarco,beir', 'ms-marco/titles');
  const searched = load('paper,msmarco,beir', 'beir/cqadupstack/android');
  for (const { model, train, arch } of [trained, searched])
    assert.deepEqual([model.tied, train.epochs, train.learningRate, arch.lambda], [true, 10, 3e-5, 0.01]);
  assert.deepEqual([trained.text.queryTokens, trained.text.passageTokens], [32, 256]);
  assert.deepEqual([searched.text.queryTokens, searched.text.passageTokens], [512, 512]);
});
