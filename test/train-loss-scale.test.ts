/** Training with products in float16: losses near to float32, a scale of the loss that falls where a gradient overflows, the same bytes after a stop. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { defaultConfig, type TrainConfig } from '../harness/config/config.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import { openEngine } from '../harness/tensor/engines.js';
import { firstScaling, scalingAfter } from '../harness/train/loss-scale.js';
import type { StepLine } from '../harness/train/step-log.js';
import { train } from '../harness/train/trainer.js';
import { madeExamples, madeRetriever } from './made-training.js';

const engine = await openEngine('onnx', { threads: 1 });
const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** @param weight the first one, where it is not that of all */
async function trained(
  options: Partial<TrainConfig>,
  { folder = '', progress = silentProgress(), weight = 0 } = {},
) {
  const { retriever, initial } = await madeRetriever('mlr-sc');
  if (weight !== 0) for (const values of initial) values[0] = weight;
  const where = folder || (await mkdtemp(path.join(tmpdir(), 'strata-precision-')));
  folders.push(where);
  const result = await train({
    ...{ engine, retriever, initial, examples: madeExamples(16), dev: [], folder: where, progress },
    options: { ...defaultConfig().train, batchSize: 8, chunkSize: null, precision: 'f16', ...options },
    ...{ learningRate: 3e-3, maxQueryTokens: 16, maxPassageTokens: 16, batchTokens: 64, seed: 12345 },
  });
  const lines = (await readFile(path.join(where, 'steps.jsonl'), 'utf8')).trimEnd().split('\n');
  return { ...result, initial, steps: lines.map((line) => JSON.parse(line) as StepLine) };
}

test('20 steps in float16 have the losses of float32 within 2e-4, and the record of training says it', async () => {
  // With gradients of a usual size: those of so small a model are large.
  const mild = { temperature: 16, epochs: 10 };
  const exact = await trained({ ...mild, precision: 'float32' });
  for (const chunkSize of [null, 5]) {
    const { steps, facts } = await trained({ ...mild, chunkSize });
    for (const [i, { loss, lossScale, skipped }] of steps.entries()) {
      const expected = exact.steps[i]!.loss;
      assert.ok(Math.abs(loss / expected - 1) < 2e-4, `step ${i + 1}: ${loss}, not ${expected}`);
      assert.deepEqual([lossScale, skipped], [2 ** 16, false]);
    }
    assert.equal(steps.length, 20);
    assert.ok(steps.some(({ loss }, i) => loss !== exact.steps[i]!.loss));
    const { precision, lossScale, skippedSteps } = facts;
    assert.deepEqual(
      { precision, lossScale, skippedSteps },
      { precision: 'f16', lossScale: 2 ** 16, skippedSteps: 0 },
    );
  }
  assert.ok(exact.steps.every((line) => !('lossScale' in line) && !('skipped' in line)));
  assert.ok(!('precision' in exact.facts));
});

/** Gradients of a thousand times the usual size, which overflow at the first scales. */
const steep = { temperature: 1e-3, clipNorm: 2, warmup: 0 } as const;

test('a gradient that overflows updates nothing and halves the scale, and the first that does not is the first of AdamW', async () => {
  const once = await trained({ ...steep, epochs: 1, batchSize: 16 });
  assert.deepEqual(once.weights, once.initial);
  assert.deepEqual([once.facts.skippedSteps, once.facts.lossScale], [1, 2 ** 15]);
  const [line] = once.steps;
  assert.ok(Number.isFinite(line!.loss));
  assert.deepEqual([line!.gradientNorm, line!.lossScale, line!.skipped], [null, 2 ** 16, true]);

  const { steps } = await trained({ ...steep, epochs: 20, batchSize: 16 });
  const first = steps.findIndex(({ skipped }) => skipped === false);
  assert.ok(first > 2 && first < 15, `${first} steps are skipped`);
  for (const [i, { lossScale }] of steps.slice(0, first + 1).entries())
    assert.equal(lossScale, 2 ** (16 - i));
  const until = await trained({ ...steep, epochs: first + 1, batchSize: 16 });
  const { learningRate, skipped } = until.steps.at(-1)!;
  assert.equal(skipped, false);
  // AdamW's first update is the learning rate, either way: averages that had counted the skipped steps would make it less.
  const largest = Math.max(
    ...until.weights.map((values, i) =>
      values.reduce((most, w, j) => Math.max(most, Math.abs(w - until.initial[i]![j]!)), 0),
    ),
  );
  assert.ok(
    Math.abs(largest / learningRate - 1) < 1e-3,
    `${largest}, and the learning rate is ${learningRate}`,
  );
});

test('a training that is stopped while the scale falls goes on with its scale, and ends with the same bytes', async () => {
  const whole = await trained({ ...steep, epochs: 10 });
  assert.ok(whole.facts.skippedSteps! > 2 && whole.facts.skippedSteps! < 19);
  for (const stop of [2, 3, 17]) {
    const folder = await mkdtemp(path.join(tmpdir(), 'strata-precision-'));
    const controller = new AbortController();
    const progress: Progress = {
      ...silentProgress(controller.signal),
      stage: () => ({ update: (done) => void (done === stop && controller.abort()), end() {} }),
    };
    await assert.rejects(trained({ ...steep, epochs: 10 }, { folder, progress }), { code: 'INTERRUPTED' });
    const { weights, facts } = await trained({ ...steep, epochs: 10 }, { folder });
    assert.deepEqual(weights, whole.weights, `stopped at step ${stop}`);
    assert.deepEqual(
      [facts.lossScale, facts.skippedSteps],
      [whole.facts.lossScale, whole.facts.skippedSteps],
    );
  }
});

test('a gradient that is infinite at a scale of 1, and a loss that is no number, end the training with what to do', async () => {
  const hint = /larger than what f16 holds: --set train.precision=float32/;
  await assert.rejects(trained({ ...steep, temperature: 1e-8, epochs: 20, batchSize: 16 }), {
    ...{ code: 'TRAINING_DIVERGED', hint },
    message: /At step 17 .* the gradient's norm (Infinity|NaN)/,
  });
  await assert.rejects(trained({ epochs: 1 }, { weight: 1e6 }), {
    ...{ code: 'TRAINING_DIVERGED', hint },
    message: /At step 1 .* the loss was NaN/,
  });
});

test('the scale of the loss falls and rises as that of torch.amp.GradScaler', () => {
  let scaling = scalingAfter(firstScaling(), true);
  assert.deepEqual(scaling, { scale: 32_768, unchanged: 0, skipped: 1 });
  for (let step = 1; step < 2000; step++) scaling = scalingAfter(scaling, false);
  assert.deepEqual(scaling, { scale: 32_768, unchanged: 1999, skipped: 1 });
  scaling = scalingAfter(scaling, false);
  assert.deepEqual(scaling, { scale: 65_536, unchanged: 0, skipped: 1 });
  assert.deepEqual(scalingAfter({ ...scaling, unchanged: 1999 }, true), {
    scale: 32_768,
    unchanged: 0,
    skipped: 2,
  });
});

test('another engine trains in float32 alone, and says so before anything is read', async () => {
  const other = await openEngine('tfjs-cpu');
  const { retriever, initial } = await madeRetriever('mlr-sc');
  const request = { retriever, initial, engine: other, examples: [], dev: [], folder: '/nowhere', seed: 1 };
  const options = { ...defaultConfig().train, precision: 'f16' };
  const lengths = { learningRate: 1, maxQueryTokens: 16, maxPassageTokens: 16, batchTokens: 64 };
  await assert.rejects(train({ ...request, ...lengths, options, progress: silentProgress() }), {
    code: 'CONFIG_INVALID',
    message: /train.precision=f16 is for the engine 'onnx'/,
  });
});
