/** What training can minimize beside the paper's losses: it holds in both kinds of steps, on dev, and in what is searched. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { architectureNames } from '../harness/plugins.js';
import { unitLength } from '../harness/tensor/layers.js';
import * as tf from '../harness/tensor/operations.js';
import { makeBatch } from '../harness/train/batches.js';
import { GradientCache } from '../harness/train/gradient-cache.js';
import { type Objective, usualObjective } from '../harness/train/objective.js';
import { DirectStep, type StepComputer, type StepContext, type StepResult } from '../harness/train/step.js';
import { madeExamples } from './made-training.js';
import { engine, validationOf } from './made-validation.js';

const temperature = 0.05;
/** Some pairs have no score of the teacher. */
const examples = madeExamples(7, 4, 2).map((example, i) => ({
  ...example,
  taught: {
    positive: i === 2 ? Number.NaN : 3 + i,
    negatives: Float32Array.of(i - 2, i % 3 === 0 ? Number.NaN : 4),
  },
}));

type Made = Awaited<ReturnType<typeof validationOf>>;

/** What a step gives the examples of dev. */
async function stepOf(
  { retriever, parameters, validation: { options } }: Made,
  objective: Objective,
  computerOf: (context: StepContext) => StepComputer = (context) => new DirectStep(context),
) {
  const gradients = engine.variables(parameters.variables.map(({ size }) => size));
  const context = { engine, retriever, parameters, gradients, seed: 3, dropout: false, objective };
  const computer = computerOf(context);
  const batch = makeBatch(options.examples, options.seed, 'dev', { ...options, paddingId: 0 });
  const result = await computer.compute(batch, 1);
  await computer.dispose();
  const arrays = await Promise.all(gradients.variables.map((variable) => variable.read()));
  return { result, arrays };
}

const norm = (values: Iterable<number>) =>
  Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0));

describe('cosines and a temperature', async () => {
  for (const name of await architectureNames()) {
    it(`${name}: dev and training see the same scores, and both those of what is searched`, async () => {
      const asked = { name, examples, negatives: 2, temperature, similarity: 'cosine' } as const;
      const made = await validationOf(asked);
      const dev = await made.validation.encode('dev');
      for (const vectors of [dev.queries, dev.rows]) {
        for (let at = 0; at < vectors.length; at += dev.dimensions)
          assert.ok(Math.abs(norm(vectors.subarray(at, at + dev.dimensions)) - 1) < 1e-5, 'of length 1');
      }
      const own = await made.validation.crossEntropy(dev);
      const objective = { ...usualObjective, temperature };
      const { result } = await stepOf(made, objective);
      // Self-contrastive pooling trains other passages by their best vector, and searches by the last layer's.
      if (!name.endsWith('-sc'))
        assert.ok(Math.abs(own - result.contrastive) <= 1e-5 * own, `${own}, training ${result.contrastive}`);
      const plain = await stepOf(made, usualObjective);
      assert.notEqual(plain.result.contrastive, result.contrastive);
      await made.validation.dispose();
    });
  }

  it('are what a reader of the vectors works out', async () => {
    const one = { name: 'dual-encoder', examples: examples.slice(0, 3), negatives: 0 } as const;
    const [dot, cosine] = [
      await validationOf(one),
      await validationOf({ ...one, temperature, similarity: 'cosine' }),
    ];
    const { dimensions: d, queries, rows } = await dot.validation.encode('dev');
    const row = (of: Float32Array, i: number) => [...of.subarray(i * d, (i + 1) * d)];
    const product = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const losses = [0, 1, 2].map((q) => {
      const scores = [0, 1, 2].map((p) => {
        const [a, b] = [row(queries, q), row(rows, p)];
        return product(a, b) / norm(a) / norm(b) / temperature;
      });
      return Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[q]!;
    });
    const expected = losses.reduce((sum, loss) => sum + loss, 0) / 3;
    const found = await cosine.validation.crossEntropy(await cosine.validation.encode('dev'));
    assert.ok(Math.abs(found - expected) <= 1e-5 * expected, `${found} for ${expected}`);
  });

  it('leave a vector of zeros where it is, with a gradient that is finite', async () => {
    const program = await engine.compile(
      ([x]) => {
        const { value, grad } = tf.valueAndGrad((t) => tf.sum(unitLength(t)))(x!);
        return [unitLength(x!), value, grad];
      },
      [{ shape: [2, 2], dtype: 'float32' }],
    );
    const [unit, , gradient] = await program.run([Float32Array.of(0, 0, 3, 4)]);
    assert.deepEqual(
      Array.from(unit!, (value) => Math.round(value * 1e6) / 1e6),
      [0, 0, 0.6, 0.8],
    );
    assert.ok([...gradient!].every(Number.isFinite), String(gradient));
  });
});

describe('the gradient cache against the direct step', async () => {
  const names = await architectureNames();
  const everything = 'cosines over a temperature, cut vectors, lists of a teacher';
  const objectives: Record<string, { objective: Objective; of: readonly string[] }> = {
    [everything]: {
      objective: {
        ...{ temperature, matryoshka: [8, 3] },
        teacher: { loss: 'kl', weight: 2, contrastive: 1, temperature: 3 },
      },
      of: names,
    },
    'margins of a teacher': {
      objective: {
        ...usualObjective,
        teacher: { loss: 'margin-mse', weight: 0.5, contrastive: 1, temperature: 1 },
      },
      of: ['colbert-cls', 'mlr-sc'],
    },
    'a teacher alone': {
      objective: {
        ...usualObjective,
        teacher: { loss: 'margin-mse', weight: 2, contrastive: 0, temperature: 1 },
      },
      of: ['mlr-sc', 'me-bert-mix'],
    },
  };
  for (const [title, { objective, of }] of Object.entries(objectives)) {
    for (const name of of) {
      it(`${title}: ${name}`, async () => {
        const made = await validationOf({ name, examples, negatives: 2, similarity: 'cosine' });
        const direct = await stepOf(made, objective);
        assert.ok(direct.result.taught! > 0);
        assertSum(direct.result, objective, made.retriever.architecture.resolved.lambda);
        const cached = await stepOf(made, objective, (context) => new GradientCache(context, 3));
        for (const part of Object.keys(direct.result) as (keyof typeof direct.result)[]) {
          const [found, expected] = [cached.result[part]!, direct.result[part]!];
          assert.ok(
            Math.abs(found - expected) <= 2e-5 * Math.abs(expected),
            `${part}: ${found} for ${expected}`,
          );
        }
        const scale = direct.result.gradientNorm;
        for (const [i, expected] of direct.arrays.entries()) {
          const difference = norm(cached.arrays[i]!.map((value, j) => value - expected[j]!));
          const limit = 2e-5 * Math.max(norm(expected), 1e-2 * scale);
          assert.ok(difference <= limit, `${made.retriever.parameters[i]!.name}: ${difference}`);
        }
        await made.validation.dispose();
      });
    }
  }
});

/** The loss is equation (7) and the teacher's part, each times its weight. */
function assertSum(
  { loss, contrastive, regularizer, taught }: StepResult,
  { teacher }: Objective,
  lambda: number,
): void {
  const sum = teacher!.contrastive * (contrastive + lambda * (regularizer ?? 0)) + teacher!.weight * taught!;
  assert.ok(Math.abs(loss - sum) <= 1e-5 * Math.abs(sum), `${loss} for ${sum}`);
}

it('takes scores as they are where nothing is said: of a temperature of 1', () => {
  assert.deepEqual(usualObjective, { temperature: 1 });
});
