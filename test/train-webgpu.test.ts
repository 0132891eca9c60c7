/** Training on WebGPU: the losses of the CPU, step by step, weights that stay there, and the same weights after a stop. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { InferenceSession } from 'onnxruntime-node';
import { defaultConfig } from '../harness/config/config.js';
import { type BenchError, exitCodes } from '../harness/errors.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { DeviceVariable } from '../harness/tensor/onnx/device-variables.js';
import type { StepLine } from '../harness/train/step-log.js';
import { train } from '../harness/train/trainer.js';
import { madeExamples, madeRetriever } from './made-training.js';
import { withoutWebGpu } from './webgpu-driver.js';

const skip = await withoutWebGpu();
const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-webgpu-'));
  folders.push(folder);
  return folder;
}

/** With dropout, 2 steps an epoch. */
async function trained(
  engine: Engine,
  architecture: string,
  { epochs, chunkSize = null, folder, progress = silentProgress() }: Partial<Options> & { epochs: number },
) {
  const { retriever, initial } = await madeRetriever(architecture);
  const where = folder ?? (await newFolder());
  const { weights } = await train({
    engine,
    retriever,
    initial,
    examples: madeExamples(16),
    dev: [],
    options: { ...defaultConfig().train, epochs, batchSize: 8, chunkSize },
    learningRate: 3e-3,
    maxQueryTokens: 16,
    maxPassageTokens: 16,
    batchTokens: 64,
    seed: 12345,
    folder: where,
    progress,
  });
  const lines = (await readFile(path.join(where, 'steps.jsonl'), 'utf8')).trimEnd().split('\n');
  return { weights, steps: lines.map((line) => JSON.parse(line) as StepLine) };
}

interface Options {
  chunkSize: number | null;
  folder: string;
  progress: Progress;
}

function assertAlike(found: readonly StepLine[], expected: readonly StepLine[]): void {
  assert.equal(found.length, expected.length);
  for (const [i, { loss, gradientNorm }] of found.entries()) {
    const reference = expected[i]!;
    assert.ok(Math.abs(loss / reference.loss - 1) < 1e-4, `step ${i + 1}: ${loss}, not ${reference.loss}`);
    const apart = Math.abs(gradientNorm / reference.gradientNorm - 1);
    assert.ok(apart < 1e-3, `step ${i + 1}: a norm of ${gradientNorm}, not ${reference.gradientNorm}`);
  }
}

/**
 * Makes sessions that are opened from now on fail from one run on, where ONNX Runtime would tell of a lost device.
 * @param isFatal told by each run how many batches of token ids it is fed
 * @returns what undoes it
 */
function breakSessions(isFatal: (batches: number) => boolean): () => void {
  const { create } = InferenceSession;
  let isBroken = false;
  InferenceSession.create = (async (...given: Parameters<typeof create>) => {
    const session = await create(...given);
    const run = session.run as (fed: InferenceSession.FeedsType) => Promise<InferenceSession.ReturnType>;
    session.run = (async (feeds: InferenceSession.FeedsType) => {
      const batches = Object.values(feeds).filter(({ type, dims }) => type === 'int32' && dims.length === 2);
      isBroken ||= isFatal(batches.length);
      if (isBroken) throw new Error('WebGPU device lost (2): the driver was reset');
      return run.call(session, feeds);
    }) as typeof session.run;
    const release = session.release.bind(session);
    session.release = async () => {
      // What is never released may end the process as it exits.
      await release();
      throw new Error('a session of a lost device was released');
    };
    return session;
  }) as typeof create;
  return () => {
    InferenceSession.create = create;
  };
}

const cpu = await openEngine('onnx', { threads: 1 });

test('20 steps have the losses of the CPU, and no weights, gradients or moments travel', {
  skip,
}, async () => {
  const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  const [any] = engine.variables([1]).variables;
  assert.ok(any instanceof DeviceVariable);
  const { counts } = any.memory;
  const travelled: number[] = [];
  const quiet = silentProgress();
  const counting: Progress = {
    ...quiet,
    stage: (...args) => ({
      ...quiet.stage(...args),
      update: () => void travelled.push(counts.variableBytes),
    }),
  };
  const expected = await trained(cpu, 'mlr-sc', { epochs: 10 });
  const found = await trained(engine, 'mlr-sc', { epochs: 10, progress: counting });
  assert.equal(found.steps.length, 20);
  assertAlike(found.steps, expected.steps);
  assert.ok(found.steps.at(-1)!.loss < found.steps[0]!.loss);
  // The second step of each epoch: behind it the state is saved.
  for (let step = 1; step < travelled.length; step += 2)
    assert.equal(travelled[step], travelled[step - 1], `step ${step + 1}`);
  assert.equal(counts.buffers, 0);
  await engine.dispose();
});

test('with a gradient cache too', { skip }, async () => {
  const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  const expected = await trained(cpu, 'me-bert', { epochs: 1, chunkSize: 4 });
  const found = await trained(engine, 'me-bert', { epochs: 1, chunkSize: 4 });
  assertAlike(found.steps, expected.steps);
  await engine.dispose();
});

test('a training that is stopped and goes on there has the weights of one that is not', {
  skip,
}, async () => {
  const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  const whole = await trained(engine, 'dual-encoder', { epochs: 2 });
  const folder = await newFolder();
  const controller = new AbortController();
  const quiet = silentProgress(controller.signal);
  const stopped: Progress = {
    ...quiet,
    stage: (...args) => {
      const stage = quiet.stage(...args);
      return {
        ...stage,
        update(done, note) {
          if (args[0] === 'train' && done === 3) controller.abort();
          stage.update(done, note);
        },
      };
    },
  };
  await assert.rejects(trained(engine, 'dual-encoder', { epochs: 2, folder, progress: stopped }), {
    code: 'INTERRUPTED',
  });
  const resumed = await trained(engine, 'dual-encoder', { epochs: 2, folder });
  assert.deepEqual(resumed.weights, whole.weights);
  await engine.dispose();
});

test('a device that is lost ends a training with what to do, and the same command goes on from the state that was saved', {
  skip,
}, async () => {
  const whole = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  const { weights } = await trained(whole, 'dual-encoder', { epochs: 2 });
  await whole.dispose();
  const folder = await newFolder();
  // The third run of the program that is fed queries and passages, of the second epoch's first step: the first epoch's state
  // is saved by then.
  let times = 0;
  const undo = breakSessions((batches) => batches === 2 && ++times === 3);
  const lost = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  try {
    await assert.rejects(trained(lost, 'dual-encoder', { epochs: 2, folder }), (error: BenchError) => {
      assert.equal(error.code, 'UNAVAILABLE', error.stack);
      assert.equal(exitCodes[error.code], 3);
      assert.match(error.message, /webgpu was lost in 'training step': .*the driver was reset/);
      assert.match(error.hint!, /same command again/);
      return true;
    });
  } finally {
    undo();
  }
  const notes: string[] = [];
  const progress = { ...silentProgress(), note: (text: string) => void notes.push(text) };
  const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  const resumed = await trained(engine, 'dual-encoder', { epochs: 2, folder, progress });
  assert.match(notes.join('\n'), /goes on from step 2 of 4/);
  assert.deepEqual(resumed.weights, weights);
  await engine.dispose();
});
