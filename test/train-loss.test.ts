import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import type { Pooling, Tensor2D, Tensor3D } from '../harness/contracts.js';
import type { NumericArray } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { contrastiveLoss, largestOf } from '../harness/train/loss.js';
import { devSimilarity } from './dev-similarity.js';
import { families, type Kind, poolings, statesOf, summaryOf } from './found-architectures.js';
import { inFixtures } from './places.js';
import { testedEngines } from './webgpu-driver.js';

interface LossCase {
  architecture: string;
  family: string;
  pooling: string | null;
  kind: Kind;
  options: Record<string, unknown>;
  missing: number[];
  loss: number;
  contrastive: number;
  regularizer?: number;
  alpha?: number[];
  gradients: { queries: string; hidden: Record<string, string>; alpha?: string };
}

interface LossFixture {
  shape: { layers: number; queries: number; passages: number; tokens: number; dimensions: number };
  lengths: number[];
  positives: number[];
  hidden: string[];
  queries: string;
  cases: LossCase[];
}

// Compiled tests stand beside the sources' folder, not in it.
const fixturePath = inFixtures('losses/losses.json');
const fixture = JSON.parse(readFileSync(fixturePath, 'utf8')) as LossFixture;
const { layers, queries: Q, passages: P, tokens: T, dimensions: D } = fixture.shape;

function decode(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}

/** The largest difference, as a share of the largest reference value. */
function relativeError(found: NumericArray, expected: ArrayLike<number>): number {
  assert.equal(found.length, expected.length);
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Number.isFinite(found[i]), `value ${i} is ${found[i]}`);
    difference = Math.max(difference, Math.abs(found[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return scale === 0 ? difference : difference / scale;
}

const mask = Float32Array.from({ length: P * T }, (_, i) =>
  i % T < fixture.lengths[Math.floor(i / T)]! ? 1 : 0,
);
const positive = new Float32Array(Q * P);
for (const [query, passage] of fixture.positives.entries()) positive[query * P + passage] = 1;
const float = (...shape: number[]) => ({ shape, dtype: 'float32' as const });

for (const { title, name, options: opened, skip } of await testedEngines(1)) {
  describe(`the loss and its gradients on ${title}, against PyTorch`, { skip }, async () => {
    if (skip !== false) return;
    const engine = await openEngine(name, opened);
    after(() => engine.dispose());
    for (const one of fixture.cases) {
      const options = JSON.stringify(one.options);
      it(`${one.kind} ${one.architecture} ${options}${one.missing.length > 0 ? ' without some' : ''}`, async () => {
        const summary = summaryOf(one.kind);
        const encoder = { kind: one.kind, layers, dimensions: D, maxTokens: 512, summary };
        const family = families.get(one.family)!;
        const pooling = one.pooling === null ? undefined : poolings.get(one.pooling)!;
        const architecture = family.resolve(one.options, encoder, one.pooling ?? undefined);
        const candidates = Float32Array.from({ length: P }, (_, i) => (one.missing.includes(i) ? 0 : 1));
        const alpha = Float32Array.from(one.alpha ?? []);
        const program = await engine.compile(
          ([maskInput, positiveInput, candidateInput, ...variables]) => {
            const forward = (...inputs: tf.Tensor[]) => {
              const [queries, ...rest] = inputs;
              const hidden = rest.slice(0, layers + 1) as Tensor3D[];
              const states = statesOf(one.kind, hidden, maskInput as Tensor2D);
              return contrastiveLoss({
                queries: queries as Tensor2D,
                passages: family.represent(states, architecture),
                positive: positiveInput as Tensor2D,
                ...(one.missing.length > 0 && { candidates: candidateInput! }),
                ...(pooling && { pooling }),
                weights: rest.slice(layers + 1),
                lambda: architecture.lambda,
              });
            };
            // tfjs refuses to differentiate by what plays no part: a 0 of each gives it a gradient of zeros.
            const nothing = (inputs: tf.Tensor[]) =>
              inputs.map((input) => tf.mul(tf.sum(input), 0)).reduce((a, b) => tf.add(a, b));
            const { value, grads } = tf.valueAndGrads((...inputs) =>
              tf.add(forward(...inputs).loss, nothing(inputs)),
            )(variables);
            const { contrastive, regularizer } = forward(...variables);
            return [value, contrastive, regularizer ?? tf.zeros([]), ...grads];
          },
          [
            float(P, T),
            float(Q, P),
            float(P),
            float(Q, D),
            ...fixture.hidden.map(() => float(P, T, D)),
            ...(one.alpha === undefined ? [] : [float(alpha.length)]),
          ],
        );
        const feeds = [mask, positive, candidates, decode(fixture.queries), ...fixture.hidden.map(decode)];
        if (one.alpha !== undefined) feeds.push(alpha);
        const [loss, contrastive, regularizer, queryGradient, ...rest] = await program.run(feeds);
        await program.dispose();
        assert.ok(relativeError(loss!, [one.loss]) < 1e-5, `loss ${loss} for ${one.loss}`);
        assert.ok(relativeError(contrastive!, [one.contrastive]) < 1e-5);
        if (architecture.lambda > 0) assert.ok(relativeError(regularizer!, [one.regularizer!]) < 1e-5);
        assert.ok(relativeError(queryGradient!, decode(one.gradients.queries)) < 1e-5);
        for (let layer = 0; layer <= layers; layer++) {
          const text = one.gradients.hidden[layer];
          const expected = text === undefined ? new Float32Array(P * T * D) : decode(text);
          assert.ok(relativeError(rest[layer]!, expected) < 1e-5, `hidden states of layer ${layer}`);
        }
        if (one.gradients.alpha !== undefined) {
          assert.ok(relativeError(rest[layers + 1]!, decode(one.gradients.alpha)) < 1e-5, 'alpha');
        }
      });
    }
  });
}

describe('the parts of the loss', async () => {
  const engine = await openEngine('tfjs-cpu');
  after(() => engine.dispose());
  const run = async (build: () => tf.Tensor[]) => {
    const program = await engine.compile(build, []);
    return (await program.run([])).map((values) => [...values!]);
  };

  it('send the gradient of a maximum to the first of equal values alone', async () => {
    const [value, gradient] = await run(() => {
      const x = tf.tensor2d([
        [1, 3, 3],
        [2, 2, 2],
        [0, -1, 5],
      ]);
      const { value, grad } = tf.valueAndGrad((t) => tf.sum(largestOf(t)))(x);
      return [value, grad];
    });
    assert.deepEqual(value, [10]);
    assert.deepEqual(gradient, [0, 1, 0, 1, 0, 0, 0, 0, 1]);
  });

  it('send the gradient of a largest and a smallest over several axes to one place each', async () => {
    const [largest, smallest] = await run(() => {
      const x = tf.tensor3d([1, 5, 5, 0, 0, 5, 7, 7, 7, 7, 7, 7], [2, 2, 3]);
      const gradientOf = (of: (t: tf.Tensor) => tf.Tensor) => tf.grad((t: tf.Tensor) => tf.sum(of(t)))(x);
      return [gradientOf((t) => tf.max(t, [1, 2])), gradientOf((t) => tf.min(t, [0, 2]))];
    });
    assert.deepEqual(largest, [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    assert.deepEqual(smallest, [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  // biome-ignore format: a row per query
  const queries = () => tf.tensor2d([[1, 0], [-2, 1]]);
  // biome-ignore format: a row per passage
  const vectors = () => tf.tensor3d([[[-3, 0], [9, 9]], [[2, 1], [1, 1]], [[0, 0], [0, 0]]]);
  // biome-ignore format: a row per passage
  const present = () => tf.tensor2d([[1, 0], [1, 1], [0, 0]]);
  // biome-ignore format: a row per query
  const positive = () => tf.tensor2d([[1, 0, 0], [0, 1, 0]]);

  it('let an absent vector win nothing, even where every other score is negative', async () => {
    const [similarity] = await run(() => [
      devSimilarity(queries(), { vectors: vectors(), present: present() }),
    ]);
    assert.deepEqual(similarity!.slice(0, 2), [-3, 2]);
    assert.deepEqual(similarity!.slice(3, 5), [6, -1]);
    assert.ok(similarity![2]! < -1e20 && similarity![5]! < -1e20, 'a passage without vectors is never found');
  });

  it('stay finite with a passage without vectors, and with large scores', async () => {
    for (const scale of [1, 1e4]) {
      for (const pooling of [undefined, ...poolings.values()]) {
        const outputs = await run(() => {
          const weights = pooling?.parameters === undefined ? [] : [tf.zeros([2])];
          const loss = (...[q, v, ...rest]: tf.Tensor[]) =>
            contrastiveLoss({
              queries: q as Tensor2D,
              passages: { vectors: v as Tensor3D, present: present() },
              positive: positive(),
              ...(pooling && { pooling }),
              weights: rest,
              lambda: 1,
            }).loss;
          const { value, grads } = tf.valueAndGrads(loss)([tf.mul(queries(), scale), vectors(), ...weights]);
          return [value, ...grads];
        });
        assert.ok(outputs.flat().every(Number.isFinite), `${pooling?.shortName} ${outputs}`);
        assert.ok(outputs[0]![0]! >= 0);
      }
    }
  });

  it('leave out candidates for all queries, or for each', async () => {
    const loss = (candidates?: tf.Tensor) =>
      contrastiveLoss({
        queries: queries(),
        passages: { vectors: vectors() },
        positive: positive(),
        ...(candidates && { candidates }),
        lambda: 0,
      }).loss;
    const [all, none, each] = await run(() => [
      loss(),
      loss(tf.tensor1d([1, 1, 0])),
      // biome-ignore format: a row per query
      loss(tf.tensor2d([[1, 0, 0], [0, 1, 0]])),
    ]);
    // Scores of query 0 are 9, 2, 0; of query 1 are 6, -1, 0.
    const of = (own: number, others: number[]) =>
      Math.log(others.reduce((sum, s) => sum + Math.exp(s - own), 1));
    assert.ok(Math.abs(all![0]! - (of(9, [2, 0]) + of(-1, [6, 0])) / 2) < 1e-6);
    assert.ok(Math.abs(none![0]! - (of(9, [2]) + of(-1, [6])) / 2) < 1e-6);
    assert.equal(Math.abs(each![0]!), 0);
  });

  it('of self-contrastive pooling use the last layer for the own positive and the best vector for the others', async () => {
    const sc = poolings.get('sc') as Pooling;
    const [training, dev] = await run(() => {
      const passages = { vectors: vectors() };
      const batch = { queries: queries(), passages, positive: positive(), pooling: sc, lambda: 1 };
      return [contrastiveLoss(batch).similarity, devSimilarity(queries(), passages, sc)];
    });
    assert.deepEqual(training, [-3, 2, 0, 6, -3, 0]);
    assert.deepEqual(
      dev!.map((score) => score + 0),
      [-3, 2, 0, 6, -3, 0],
    );
  });
});
