/** The whole step log of a small training: against a slow one that is written out here, and as it has always been. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import { silentProgress } from '../harness/progress.js';
import { stream } from '../harness/random.js';
import { openEngine } from '../harness/tensor/engines.js';
import { makeBatch } from '../harness/train/batches.js';
import { DirectStep } from '../harness/train/step.js';
import type { StepLine } from '../harness/train/step-log.js';
import type { TrainRequest } from '../harness/train/train-request.js';
import { train } from '../harness/train/trainer.js';
import { madeExamples, madeRetriever } from './made-training.js';

const folder = await mkdtemp(path.join(tmpdir(), 'strata-step-log-'));
after(() => rm(folder, { recursive: true }));

const seed = 12345;
const [batchSize, epochs, warmup, weightDecay, clipNorm, learningRate] = [4, 2, 0.25, 0.3, 45, 4e-3];
const sizes = { maxQueryTokens: 16, maxPassageTokens: 16 };
// The last batch of each epoch has two examples.
const examples = madeExamples(18, 1, 3);
const negatives = 2;
const { retriever, initial } = await madeRetriever('mlr-sc');

const request: TrainRequest = {
  engine: await openEngine('onnx'),
  retriever,
  initial,
  examples,
  dev: [],
  options: {
    ...defaultConfig().train,
    ...{ batchSize, epochs, warmup, weightDecay, clipNorm, negatives },
    chunkSize: null,
    averageRankFrom: null,
  },
  learningRate,
  ...sizes,
  batchTokens: 64,
  seed,
  folder,
  progress: silentProgress(),
};
const { facts, weights } = await train(request);
const log = (await readFile(path.join(folder, 'steps.jsonl'), 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as StepLine);

/** Fisher and Yates, from the end. */
function slowOrder(count: number, epoch: number): number[] {
  const random = stream(seed, 'shuffle', epoch);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** transformers' get_linear_schedule_with_warmup. */
function slowRate(step: number, steps: number): number {
  const rising = Math.floor(steps * warmup);
  return learningRate * (step < rising ? step / rising : (steps - step) / (steps - rising));
}

/** torch's clip_grad_norm_ and AdamW, one number after another, as their pages write them. */
class SlowAdamW {
  readonly #first = initial.map(({ length }) => new Float64Array(length));
  readonly #second = initial.map(({ length }) => new Float64Array(length));
  readonly values = initial.map((values) => Float64Array.from(values));

  step(gradients: readonly Float32Array[], t: number, rate: number, norm: number): void {
    const scale = Math.min(1, clipNorm / (norm + 1e-6));
    for (const [p, theta] of this.values.entries()) {
      const [m, v] = [this.#first[p]!, this.#second[p]!];
      // No bias and no normalization decays.
      const decay = /bias|norm/i.test(retriever.parameters[p]!.name) ? 0 : weightDecay;
      for (const [i, gradient] of gradients[p]!.entries()) {
        const g = scale * gradient;
        theta[i]! -= rate * decay * theta[i]!;
        m[i] = 0.9 * m[i]! + 0.1 * g;
        v[i] = 0.999 * v[i]! + 0.001 * g * g;
        theta[i]! -= (rate * (m[i]! / (1 - 0.9 ** t))) / (Math.sqrt(v[i]! / (1 - 0.999 ** t)) + 1e-8);
      }
    }
  }
}

/** The same training, by an engine that computes in JavaScript. */
async function slowTraining() {
  const engine = await openEngine('tfjs-cpu');
  const lengths = initial.map(({ length }) => length);
  const [parameters, gradients] = [engine.variables(lengths), engine.variables(lengths)];
  const computer = new DirectStep({ engine, retriever, parameters, gradients, seed, dropout: true });
  const optimizer = new SlowAdamW();
  const perEpoch = Math.ceil(examples.length / batchSize);
  const batching = { batchSize, negatives, missingNegative: 'left-out', ...sizes, paddingId: 0 } as const;
  const lines: Omit<StepLine, 'milliseconds' | 'javascriptShare'>[] = [];
  for (let step = 1; step <= epochs * perEpoch; step++) {
    const epoch = Math.floor((step - 1) / perEpoch);
    const from = batchSize * ((step - 1) % perEpoch);
    const members = slowOrder(examples.length, epoch).slice(from, from + batchSize);
    const batch = makeBatch(
      members.map((i) => examples[i]!),
      seed,
      epoch,
      batching,
    );
    for (const [i, values] of optimizer.values.entries())
      parameters.variables[i]!.write(Float32Array.from(values));
    const result = await computer.compute(batch, step);
    const grads = await Promise.all(gradients.variables.map((variable) => variable.read()));
    const gradientNorm = Math.sqrt(
      grads.reduce((sum, values) => values.reduce((all, value) => all + value * value, sum), 0),
    );
    const rate = slowRate(step - 1, epochs * perEpoch);
    optimizer.step(grads, step, rate, gradientNorm);
    lines.push({ ...result, epoch, step, gradientNorm, learningRate: rate });
  }
  await computer.dispose();
  return { lines, values: optimizer.values };
}

const near = (actual: number, expected: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.abs(expected), `${what}: ${actual}, ${expected}`);

test('every step has the batch, the dropout, the rate and the update of the slow training', async () => {
  const slow = await slowTraining();
  assert.equal(log.length, 10);
  for (const [i, expected] of slow.lines.entries()) {
    const line = log[i]!;
    assert.deepEqual([line.epoch, line.step], [expected.epoch, expected.step]);
    near(line.learningRate, expected.learningRate, 1e-12, `rate of step ${i + 1}`);
    for (const name of ['loss', 'contrastive', 'regularizer', 'gradientNorm'] as const)
      near(line[name]!, expected[name]!, 1e-3, `${name} of step ${i + 1}`);
  }
  // Some are clipped and some are not, or the limit would say nothing.
  const clipped = log.filter(({ gradientNorm }) => gradientNorm > clipNorm).length;
  assert.ok(clipped > 0 && clipped < log.length, `${clipped} of ${log.length} clipped`);
  for (const [p, values] of slow.values.entries())
    for (const [i, value] of values.entries())
      assert.ok(
        Math.abs(weights[p]![i]! - value) < 1e-3,
        `${retriever.parameters[p]!.name}[${i}]: ${weights[p]![i]}, ${value}`,
      );
});

test('an epoch says the means of its steps', () => {
  for (const epoch of facts.epochs) {
    const own = log.filter((line) => line.epoch === epoch.epoch);
    const mean = (name: 'loss' | 'contrastive' | 'regularizer') =>
      own.reduce((sum, line) => sum + line[name]!, 0) / own.length;
    assert.equal(epoch.steps, 5);
    for (const name of ['loss', 'contrastive', 'regularizer'] as const)
      near(epoch[name]!, mean(name), 1e-12, `${name} of epoch ${epoch.epoch}`);
    const seconds = own.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
    near(epoch.seconds, seconds, 1e-12, 'seconds');
  }
});

test('the share of JavaScript is what is left of a step beside the engine', () => {
  for (const { step, milliseconds, javascriptShare } of log)
    assert.ok(
      milliseconds > 0 && javascriptShare >= 0 && javascriptShare < 1,
      `step ${step}: ${javascriptShare}`,
    );
  assert.ok(facts.javascriptShare >= 0 && facts.javascriptShare < 1, `${facts.javascriptShare}`);
});

/** Loss, and the gradient's norm before clipping, of each step: as this repository has given them since the test was written. */
const pinned: [number, number][] = [
  [4.42925, 144.926],
  [5.40815, 380.265],
  [2.76731, 120.97],
  [2.55905, 49.5179],
  [1.5718, 53.2205],
  [2.34955, 34.5799],
  [2.3318, 33.0604],
  [1.99992, 26.4039],
  [2.67616, 50.7572],
  [2.77503, 68.892],
];

test('the log is what it was', () => {
  assert.equal(log.length, pinned.length);
  for (const [i, [loss, norm]] of pinned.entries()) {
    near(log[i]!.loss, loss, 2e-4, `loss of step ${i + 1}`);
    near(log[i]!.gradientNorm, norm, 2e-4, `norm of step ${i + 1}`);
  }
});
