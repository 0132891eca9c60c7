/** What holds of training on every device: the losses of the CPU, weights that stay there, and the same weights after a stop. For tests. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import type { StepLine } from '../harness/train/step-log.js';
import { train } from '../harness/train/trainer.js';
import { memoryOf } from './device-memory.js';
import { madeExamples, madeRetriever, mixedExamples } from './made-training.js';

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-device-'));
  folders.push(folder);
  return folder;
}

/** With dropout, 2 steps an epoch. Passages have about 8 tokens, or any number up to `longest`. */
export async function trained(
  engine: Engine,
  architecture: string,
  {
    epochs,
    chunkSize = null,
    longest,
    folder,
    progress = silentProgress(),
  }: Partial<Options> & { epochs: number },
) {
  const maxTokens = longest ?? 16;
  const { retriever, initial } = await madeRetriever(architecture, { maxTokens });
  const where = folder ?? (await newFolder());
  const { weights } = await train({
    engine,
    retriever,
    initial,
    examples: longest === undefined ? madeExamples(16) : mixedExamples(16, longest),
    dev: [],
    options: { ...defaultConfig().train, epochs, batchSize: 8, chunkSize },
    learningRate: 3e-3,
    maxQueryTokens: Math.min(24, maxTokens),
    maxPassageTokens: maxTokens,
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
  longest: number;
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

/** @param skip why there is no such device here */
export function trainingCases(name: string, skip: string | false, open: () => Promise<Engine>): void {
  const cpu = openEngine('onnx', { threads: 1 });

  test(`on ${name} 20 steps have the losses of the CPU, and no weights, gradients or moments travel`, {
    skip,
  }, async () => {
    const engine = await open();
    const { counts } = memoryOf(engine);
    const travelled: number[] = [];
    const quiet = silentProgress();
    const counting: Progress = {
      ...quiet,
      stage: (...args) => ({
        ...quiet.stage(...args),
        update: () => void travelled.push(counts.variableBytes),
      }),
    };
    const expected = await trained(await cpu, 'mlr-sc', { epochs: 10 });
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

  test(`on ${name} with a gradient cache too, whose chunks are of several lengths`, { skip }, async () => {
    const engine = await open();
    const memory = memoryOf(engine);
    const zeros = memory.zeros.bind(memory);
    let made = 0;
    memory.zeros = (size) => {
      made++;
      return zeros(size);
    };
    const madeBefore: number[] = [];
    const quiet = silentProgress();
    const counting: Progress = {
      ...quiet,
      stage: (...args) => ({ ...quiet.stage(...args), update: () => void madeBefore.push(made) }),
    };
    const options = { epochs: 1, chunkSize: 4, longest: 24 };
    const expected = await trained(await cpu, 'me-bert', options);
    const found = await trained(engine, 'me-bert', { ...options, progress: counting });
    assertAlike(found.steps, expected.steps);
    // The moments before the first step; the gradients of all parameters at once, by a program, at every one.
    const [first, second] = madeBefore;
    assert.ok(first! > 0);
    assert.equal(second, first);
    await engine.dispose();
  });

  test(`a training that is stopped on ${name} and goes on there has the weights of one that is not`, {
    skip,
  }, async () => {
    const engine = await open();
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
}
