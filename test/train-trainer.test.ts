import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { TrainConfig } from '../harness/config/config.js';
import { defaultConfig } from '../harness/config/config.js';
import type { Progress } from '../harness/progress.js';
import { silentProgress } from '../harness/progress.js';
import { openEngine } from '../harness/tensor/engines.js';
import type { StepLine } from '../harness/train/step-log.js';
import type { TrainRequest } from '../harness/train/train-request.js';
import { train } from '../harness/train/trainer.js';
import { madeExamples, madeRetriever } from './made-training.js';

const engine = await openEngine('onnx');
const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-train-'));
  folders.push(folder);
  return folder;
}

async function request(
  options: Partial<TrainConfig> = {},
  changes: Partial<TrainRequest> = {},
): Promise<TrainRequest> {
  const { retriever, initial } = await madeRetriever('mlr-sc');
  return {
    engine,
    retriever,
    initial,
    examples: madeExamples(37),
    dev: madeExamples(11, 2),
    options: {
      ...defaultConfig().train,
      epochs: 3,
      batchSize: 8,
      chunkSize: null,
      saveEverySteps: 3,
      averageRankFrom: 2,
      ...options,
    },
    learningRate: 3e-3,
    maxQueryTokens: 16,
    maxPassageTokens: 16,
    batchTokens: 64,
    seed: 12345,
    folder: await newFolder(),
    progress: silentProgress(),
    ...changes,
  };
}

/** Stops at a step: as Ctrl-C does, or as a kill does, which leaves no time to save. */
function stopping(step: number, how: 'interrupt' | 'kill'): Progress {
  const controller = new AbortController();
  const quiet = silentProgress(controller.signal);
  return {
    ...quiet,
    signal: controller.signal,
    stage: () => ({
      update(done) {
        if (done === step && how === 'kill') throw new Error('killed');
        if (done === step) controller.abort();
      },
      end() {},
    }),
  };
}

const lines = async (folder: string) =>
  (await readFile(path.join(folder, 'steps.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as StepLine);

async function savedStep(folder: string): Promise<number> {
  const text = await readFile(path.join(folder, 'unfinished', 'state.json'), 'utf8');
  return (JSON.parse(text) as { step: number }).step;
}

describe('training', () => {
  it('lowers the loss, keeps the best epoch and reports every step', async () => {
    const asked = await request();
    const { facts } = await train(asked);
    const [first, , last] = facts.epochs;
    assert.ok(last!.loss < first!.loss * 0.9, `${first!.loss} to ${last!.loss}`);
    assert.equal(facts.steps, 15);
    assert.deepEqual(
      facts.epochs.map(({ dev }) => dev!.measure),
      ['cross-entropy', 'cross-entropy', 'average-rank'],
    );
    // The switch to average rank begins anew, so the only epoch judged by it is the best.
    assert.equal(facts.keptEpoch, 2);
    const steps = await lines(asked.folder);
    assert.deepEqual(
      steps.map(({ step }) => step),
      Array.from({ length: 15 }, (_, i) => i + 1),
    );
    assert.ok(
      steps.every(({ loss, contrastive, regularizer }) => Math.abs(loss - contrastive - regularizer!) < 1e-5),
    );
  });

  it('gives the same weights when it is stopped anywhere and started again', async () => {
    const whole = await train(await request());
    for (const how of ['interrupt', 'kill'] as const) {
      for (const step of [1, 4, 5, 9, 15]) {
        const asked = await request();
        const stopped = train({ ...asked, progress: stopping(step, how) });
        await assert.rejects(stopped, how === 'kill' ? /killed/ : { code: 'INTERRUPTED' });
        // Behind the last step of an epoch dev is stopped.
        if (how === 'interrupt') assert.equal(await savedStep(asked.folder), step);
        const resumed = await train(asked);
        assert.deepEqual(resumed.weights, whole.weights, `${how} at step ${step}`);
        assert.deepEqual(
          resumed.facts.epochs.map(({ loss, dev }) => [loss, dev]),
          whole.facts.epochs.map(({ loss, dev }) => [loss, dev]),
        );
        const resumedLines = (await lines(asked.folder)).map(({ step: at, loss }) => [at, loss]);
        assert.deepEqual(
          resumedLines.map(([at]) => at),
          Array.from({ length: 15 }, (_, i) => i + 1),
        );
      }
    }
  });

  it('does not depend on the chunk of the gradient cache beyond rounding', async () => {
    const direct = await train(await request());
    const cached = await train(await request({ chunkSize: 3 }));
    for (const [i, epoch] of direct.facts.epochs.entries()) {
      assert.ok(Math.abs(epoch.loss - cached.facts.epochs[i]!.loss) < 1e-3 * epoch.loss);
    }
  });

  it('keeps the last epoch when asked, or when there is no dev set', async () => {
    const last = await train(await request({ checkpoint: 'last' }));
    assert.equal(last.facts.keptEpoch, 2);
    const asked = await request({}, { dev: [] });
    const without = await train(asked);
    assert.equal(without.facts.keptEpoch, 2);
    assert.deepEqual(without.weights, last.weights);
    assert.ok(
      !(await readdir(path.join(asked.folder, 'unfinished'))).some((name) => name.startsWith('best-')),
    );
  });

  it('stops early when dev does not become better', async () => {
    const { facts } = await train(await request({ epochs: 30, averageRankFrom: null, patience: 1 }));
    assert.ok(facts.epochs.length < 30);
    assert.equal(facts.keptEpoch, facts.epochs.length - 2);
    // Which weights are kept has no say in when training stops.
    const asked = await request({ epochs: 30, averageRankFrom: null, patience: 1, checkpoint: 'last' });
    const last = await train(asked);
    assert.equal(last.facts.epochs.length, facts.epochs.length);
    assert.equal(last.facts.keptEpoch, facts.epochs.length - 1);
    assert.ok(
      !(await readdir(path.join(asked.folder, 'unfinished'))).some((name) => name.startsWith('best-')),
    );
  });

  it('refuses patience where no dev queries can end it', async () => {
    await assert.rejects(train(await request({ patience: 2 }, { dev: [] })), {
      code: 'CONFIG_INVALID',
      message: /^train\.patience is 2, and there are no dev queries/,
    });
    await train(await request({ patience: 2, epochs: 0 }, { dev: [] }));
  });

  it('stops at a loss that is not a number, and says where', async () => {
    const asked = await request();
    asked.initial[3]!.fill(Number.NaN);
    await assert.rejects(train(asked), {
      code: 'TRAINING_DIVERGED',
      message: /^At step 1 \(epoch 1\) the loss was NaN/,
    });
  });

  for (const [what, damage] of [
    ['weights with a flipped bit', (folder) => flip(folder, /^state-/, 5000)],
    ['weights that are cut', (folder) => cut(folder, /^state-/)],
    ['weights that are gone', async (folder) => rm(await fileIn(folder, /^state-/))],
    ['step -5', (folder) => rewrite(folder, '"step": 5', '"step": -5')],
    ['step 1e9', (folder) => rewrite(folder, '"step": 5', '"step": 1e9')],
    ['other sums', (folder) => rewrite(folder, '"loss": ', '"loss": 9')],
    ['no object', (folder) => writeFile(path.join(folder, 'state.json'), 'null')],
    ['a cut text', (folder) => cut(folder, /^state\.json$/)],
  ] as [string, (folder: string) => Promise<void>][]) {
    it(`goes on from no state of ${what}`, async () => {
      const asked = await request();
      await assert.rejects(train({ ...asked, progress: stopping(5, 'interrupt') }), { code: 'INTERRUPTED' });
      await damage(path.join(asked.folder, 'unfinished'));
      await assert.rejects(train(asked), {
        code: 'CACHE_INVALID',
        message: /^Training cannot go on from .*state\.json: /,
      });
    });
  }

  it('keeps no best weights that are damaged', async () => {
    const asked = await request();
    await train(asked);
    await flip(path.join(asked.folder, 'unfinished'), /^best-/, 3000);
    await assert.rejects(train(asked), {
      code: 'CACHE_INVALID',
      message: /best-2\.safetensors holds other bytes than those written/,
    });
  });
});

async function fileIn(folder: string, pattern: RegExp): Promise<string> {
  return path.join(folder, (await readdir(folder)).find((name) => pattern.test(name))!);
}

async function flip(folder: string, pattern: RegExp, at: number): Promise<void> {
  const file = await fileIn(folder, pattern);
  const bytes = await readFile(file);
  bytes[at]! ^= 1;
  await writeFile(file, bytes);
}

async function cut(folder: string, pattern: RegExp): Promise<void> {
  const file = await fileIn(folder, pattern);
  await truncate(file, (await stat(file)).size >> 1);
}

async function rewrite(folder: string, from: string, to: string): Promise<void> {
  const file = path.join(folder, 'state.json');
  const text = await readFile(file, 'utf8');
  assert.ok(text.includes(from), text);
  await writeFile(file, text.replace(from, to));
}
