/** Losses and gradients against PyTorch's, of every architecture and of all that training can minimize. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import type { Tensor2D, Tensor3D } from '../harness/contracts.js';
import type { NumericArray } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { contrastiveLoss } from '../harness/train/loss.js';
import type { TeacherObjective } from '../harness/train/teacher-loss.js';
import { families, type Kind, poolings, statesOf, summaryOf } from './found-architectures.js';
import { inFixtures } from './places.js';
import { testedEngines } from './webgpu-driver.js';

interface LossCase {
  architecture: string;
  family: string;
  pooling: string | null;
  kind: Kind;
  options: Record<string, unknown>;
  objective?: {
    similarity: 'dot' | 'cosine';
    temperature: number;
    matryoshka: number[];
    teacher?: TeacherObjective;
  };
  missing: number[];
  loss: number;
  contrastive: number;
  regularizer?: number;
  taught?: number;
  alpha?: number[];
  gradients: { queries: string; hidden: Record<string, string>; alpha?: string };
}

interface LossFixture {
  file: string;
  shape: { layers: number; queries: number; passages: number; tokens: number; dimensions: number };
  lengths: number[];
  positives: number[];
  /** By query, then passage. */
  teacher?: Record<string, number>[];
  hidden: string[];
  queries: string;
  cases: LossCase[];
}

function fixtureNamed(name: string): LossFixture {
  const file = `${name}.json`;
  return {
    file,
    ...(JSON.parse(readFileSync(inFixtures(`losses/${file}`), 'utf8')) as Omit<LossFixture, 'file'>),
  };
}

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

const float = (...shape: number[]) => ({ shape, dtype: 'float32' as const });

for (const fixture of ['losses', 'objectives'].map(fixtureNamed))
  for (const { title, name, options: opened, skip } of await testedEngines(1)) {
    describe(`the loss and its gradients on ${title}, against PyTorch (${fixture.file})`, {
      skip,
    }, async () => {
      if (skip !== false) return;
      const { layers, queries: Q, passages: P, tokens: T, dimensions: D } = fixture.shape;
      const mask = Float32Array.from({ length: P * T }, (_, i) =>
        i % T < fixture.lengths[Math.floor(i / T)]! ? 1 : 0,
      );
      const positive = new Float32Array(Q * P);
      for (const [query, passage] of fixture.positives.entries()) positive[query * P + passage] = 1;
      const taughtBy = fixture.teacher ?? [];
      const [scores, scored] = [new Float32Array(Q * P), new Float32Array(Q * P)];
      for (const [query, row] of taughtBy.entries())
        for (const [passage, score] of Object.entries(row)) {
          scores[query * P + Number(passage)] = score;
          scored[query * P + Number(passage)] = 1;
        }
      const engine = await openEngine(name, opened);
      after(() => engine.dispose());
      for (const one of fixture.cases) {
        const options = JSON.stringify({ ...one.options, ...one.objective });
        it(`${one.kind} ${one.architecture} ${options}${one.missing.length > 0 ? ' without some' : ''}`, async () => {
          const summary = summaryOf(one.kind);
          const encoder = { kind: one.kind, layers, dimensions: D, maxTokens: 512, summary };
          const family = families.get(one.family)!;
          const pooling = one.pooling === null ? undefined : poolings.get(one.pooling)!;
          const architecture = family.resolve(one.options, encoder, one.pooling ?? undefined);
          const candidates = Float32Array.from({ length: P }, (_, i) => (one.missing.includes(i) ? 0 : 1));
          const alpha = Float32Array.from(one.alpha ?? []);
          const program = await engine.compile(
            ([maskInput, positiveInput, candidateInput, scoresInput, scoredInput, ...variables]) => {
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
                  ...one.objective,
                  teacher: one.objective?.teacher && {
                    ...one.objective.teacher,
                    scores: scoresInput as Tensor2D,
                    scored: scoredInput as Tensor2D,
                  },
                });
              };
              // tfjs refuses to differentiate by what plays no part: a 0 of each gives it a gradient of zeros.
              const nothing = (inputs: tf.Tensor[]) =>
                inputs.map((input) => tf.mul(tf.sum(input), 0)).reduce((a, b) => tf.add(a, b));
              const { value, grads } = tf.valueAndGrads((...inputs) =>
                tf.add(forward(...inputs).loss, nothing(inputs)),
              )(variables);
              const { contrastive, regularizer, taught } = forward(...variables);
              return [value, contrastive, regularizer ?? tf.zeros([]), taught ?? tf.zeros([]), ...grads];
            },
            [
              float(P, T),
              float(Q, P),
              float(P),
              float(Q, P),
              float(Q, P),
              float(Q, D),
              ...fixture.hidden.map(() => float(P, T, D)),
              ...(one.alpha === undefined ? [] : [float(alpha.length)]),
            ],
          );
          const feeds = [
            mask,
            positive,
            candidates,
            scores,
            scored,
            decode(fixture.queries),
            ...fixture.hidden.map(decode),
          ];
          if (one.alpha !== undefined) feeds.push(alpha);
          const [loss, contrastive, regularizer, taught, queryGradient, ...rest] = await program.run(feeds);
          await program.dispose();
          assert.ok(relativeError(loss!, [one.loss]) < 1e-5, `loss ${loss} for ${one.loss}`);
          assert.ok(relativeError(contrastive!, [one.contrastive]) < 1e-5);
          if (architecture.lambda > 0) assert.ok(relativeError(regularizer!, [one.regularizer!]) < 1e-5);
          assert.ok(relativeError(taught!, [one.taught ?? 0]) < 1e-5, `teacher ${taught} for ${one.taught}`);
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
