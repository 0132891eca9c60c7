import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { ArchitectureOptions, PassageVectors, Tensor2D, Tensor3D } from '../harness/contracts.js';
import { stream } from '../harness/random.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { contrastiveLoss } from '../harness/train/loss.js';
import { devSimilarity } from './dev-similarity.js';
import {
  type Combination,
  combinations,
  encoderChoices,
  families,
  type Kind,
  poolingFiles,
  poolings,
  statesOf,
  summaryOf,
} from './found-architectures.js';

// Hidden states of a 2-layer encoder. Rows of padding hold large numbers, which no vector may show.
const [L, D] = [2, 4];
const lengths = [9, 3, 1, 6];
const Q = 2;
const ownPassage = [0, 2];

const random = stream(5, 'conformance');
const tokenStates = lengths.map((length) =>
  Array.from({ length: L + 1 }, () => Array.from({ length: length * D }, () => random.normal())),
);
const queryValues = Array.from({ length: Q * D }, () => random.normal());

/** The states of some of the passages, padded to `tokens`. */
function batchOf(kind: Kind, passages: readonly number[], tokens: number) {
  const hidden = Array.from({ length: L + 1 }, (_, layer) => {
    const values = passages.flatMap((p) => {
      const own = tokenStates[p]![layer]!;
      return Array.from({ length: tokens * D }, (_, i) => own[i] ?? 1000 + i);
    });
    return tf.tensor3d(values, [passages.length, tokens, D]);
  });
  const mask = passages.flatMap((p) => Array.from({ length: tokens }, (_, t) => (t < lengths[p]! ? 1 : 0)));
  return statesOf(kind, hidden, tf.tensor2d(mask, [passages.length, tokens]));
}

function resolve({ family, pooling }: Combination, kind: Kind, options: ArchitectureOptions = {}) {
  const encoder = { kind, layers: L, dimensions: D, maxTokens: 512, summary: summaryOf(kind) };
  return family.resolve(options, encoder, pooling?.shortName);
}

const everyone = lengths.map((_, p) => p);
const engine = await openEngine('tfjs-cpu');
after(() => engine.dispose());

/** Runs on the engine and gives every output as numbers. */
async function run(build: () => readonly tf.Tensor[]): Promise<number[][]> {
  const program = await engine.compile(build, []);
  const outputs = await program.run([]);
  await program.dispose();
  return outputs.map((values) => [...values!]);
}

/** The vectors that exist, passage by passage. */
async function vectorsOf(build: () => PassageVectors): Promise<{ rows: number[][][]; shape: number[] }> {
  let shape: number[] = [];
  const [values, present] = await run(() => {
    const made = build();
    shape = made.vectors.shape;
    if (made.present !== undefined) assert.deepEqual(made.present.shape, shape.slice(0, 2));
    return [made.vectors, made.present ?? tf.ones(shape.slice(0, 2))];
  });
  const [batch, m, dimensions] = shape as [number, number, number];
  assert.ok(present!.every((value) => value === 0 || value === 1));
  assert.ok(values!.every(Number.isFinite));
  const row = (p: number, v: number) => values!.slice((p * m + v) * dimensions, (p * m + v + 1) * dimensions);
  const rows = Array.from({ length: batch }, (_, p) =>
    Array.from({ length: m }, (_, v) => v)
      .filter((v) => present![p * m + v] === 1)
      .map((v) => row(p, v)),
  );
  return { rows, shape };
}

function assertClose(found: readonly number[], expected: readonly number[], what: string): void {
  assert.equal(found.length, expected.length, what);
  for (const [i, value] of expected.entries()) {
    assert.ok(
      Math.abs(found[i]! - value) <= 1e-5 * Math.max(1, Math.abs(value)),
      `${what}: number ${i} is ${found[i]}, and should be ${value}`,
    );
  }
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

for (const combination of combinations) {
  for (const { over, kind, options } of encoderChoices) {
    describe(`${combination.name} over ${over}`, () => {
      const { family, pooling } = combination;
      const architecture = resolve(combination, kind, options);
      const represent = (passages: readonly number[], tokens: number) =>
        family.represent(batchOf(kind, passages, tokens), architecture);
      const weights = () =>
        (pooling?.parameters?.(architecture) ?? []).map(({ shape }) => tf.zeros([...shape]));
      const searched = (passages: readonly number[], tokens: number) => {
        const made = represent(passages, tokens);
        return pooling === undefined ? made : pooling.pool(made, weights());
      };

      it('makes vectors of the promised shape, the first being h_0 of the last layer', async () => {
        const { rows, shape } = await vectorsOf(() => represent(everyone, 12));
        assert.equal(shape[0], lengths.length);
        assert.equal(shape[2], D);
        if (architecture.vectors !== 'varies') assert.equal(shape[1], architecture.vectors);
        assert.ok(rows.every((passage) => passage.length >= 1));
        // T5's h_0 is its mean, unless token vectors stand alone: then it is, as BERT's, that of the first token.
        const first = architecture.meanFirst === false ? 'bert' : kind;
        const [summary] = await run(() => [batchOf(first, everyone, 12).summary(L)]);
        const firsts = rows.flatMap((passage) => passage[0]!);
        assertClose(firsts, summary!, 'the first vector of a passage is not that of its last layer');
        const pooled = await vectorsOf(() => searched(everyone, 12));
        if (pooling !== undefined) assert.deepEqual(pooled.shape, [lengths.length, 1, D]);
      });

      it('makes the same vectors whatever the batch and its padding', async () => {
        for (const make of [represent, searched]) {
          const together = await vectorsOf(() => make(everyone, 12));
          for (const passage of everyone) {
            for (const tokens of [lengths[passage]!, 10]) {
              const alone = await vectorsOf(() => make([passage], tokens));
              assert.equal(alone.rows[0]!.length, together.rows[passage]!.length);
              const what = 'a vector depends on the batch or on its padding';
              assertClose(alone.rows[0]!.flat(), together.rows[passage]!.flat(), what);
            }
          }
        }
      });

      const batch = (queries: Tensor2D, passages: PassageVectors, own: readonly tf.Tensor[]) => ({
        queries,
        passages,
        positive: tf.oneHot(tf.tensor1d(ownPassage, 'int32'), lengths.length) as Tensor2D,
        ...(pooling && { pooling }),
        weights: own,
        lambda: architecture.lambda,
      });
      const queries = () => tf.tensor2d(queryValues, [Q, D]);

      it('scores in training as in search', async () => {
        const { rows } = await vectorsOf(() => searched(everyone, 12));
        const [dev, training] = await run(() => [
          devSimilarity(queries(), represent(everyone, 12), pooling, weights()),
          contrastiveLoss(batch(queries(), represent(everyone, 12), weights())).similarity,
        ]);
        const inSearch = Array.from({ length: Q }, (_, q) =>
          rows.map((vectors) =>
            Math.max(...vectors.map((vector) => dot(queryValues.slice(q * D, (q + 1) * D), vector))),
          ),
        );
        const what = 'scores are not those of the search';
        assertClose(dev!, inSearch.flat(), `dev: ${what}`);
        if (pooling?.trainingSimilarity === undefined)
          assertClose(training!, inSearch.flat(), `training: ${what}`);
        // A pooling with a similarity of its own may judge negatives otherwise, the own positive never.
        else {
          const own = ownPassage.map((passage, q) => q * lengths.length + passage);
          assertClose(
            own.map((i) => training![i]!),
            own.map((i) => inSearch.flat()[i]!),
            `training, own positives: ${what}`,
          );
        }
      });

      const step = () =>
        run(() => {
          const made = represent(everyone, 12);
          const { value, grads } = tf.valueAndGrads((q, v, ...own) => {
            const passages = { ...made, vectors: v as Tensor3D };
            return contrastiveLoss(batch(q as Tensor2D, passages, own)).loss;
          })([queries(), made.vectors, ...weights()]);
          return [value, ...grads];
        });

      it('has a finite loss and gradient, the same each time', async () => {
        const outputs = await step();
        assert.ok(outputs.flat().every(Number.isFinite));
        assert.ok(outputs[0]![0]! > 0);
        assert.ok(outputs[1]!.some((value) => value !== 0));
        assert.deepEqual(await step(), outputs);
      });

      it('leaks no tensors', async () => {
        await step();
        const before = tf.memory().numTensors;
        await step();
        assert.equal(tf.memory().numTensors, before);
      });
    });
  }
}

describe('combinations', () => {
  it('are found in the folders', () => {
    for (const name of ['dual-encoder', 'mlr', 'me-bert', 'colbert-cls']) assert.ok(families.has(name), name);
    assert.equal(poolings.size, poolingFiles.size, 'no two poolings share a short name');
    const names = combinations.map(({ name }) => name);
    for (const name of ['mlr-sc', 'me-bert-mix', 'colbert-cls-avg']) assert.ok(names.includes(name), name);
    assert.ok(!names.includes('colbert-cls-mix') && !names.includes('dual-encoder-sc'));
  });

  for (const [name, family] of families) {
    for (const [short, answer] of Object.entries(family.poolings)) {
      if (answer === true) continue;
      it(`${name}-${short} is refused with a reason`, () => {
        assert.ok(poolings.has(short), `${short} is a pooling`);
        assert.match(answer, /^\S.{20,}[^.]$/);
      });
    }
  }
});

describe('vectors that exist', () => {
  const counts = async (name: string, kind: Kind, options: ArchitectureOptions = {}, tokens = 9) => {
    const combination = combinations.find((candidate) => candidate.name === name)!;
    const architecture = resolve(combination, kind, options);
    const { rows } = await vectorsOf(() =>
      combination.family.represent(batchOf(kind, everyone, tokens), architecture),
    );
    return rows.map((passage) => passage.length);
  };

  it('are those of the passage’s own tokens', async () => {
    assert.deepEqual(await counts('dual-encoder', 'bert'), [1, 1, 1, 1]);
    assert.deepEqual(await counts('mlr', 't5'), [2, 2, 2, 2]);
    assert.deepEqual(await counts('colbert-cls', 'bert'), [9, 3, 1, 6]);
    assert.deepEqual(await counts('colbert-cls', 't5'), [10, 4, 2, 7]);
    assert.deepEqual(await counts('me-bert', 'bert'), [8, 3, 1, 6]);
    assert.deepEqual(await counts('me-bert', 't5'), [8, 4, 2, 7]);
    assert.deepEqual(await counts('me-bert', 'bert', { vectors: 4 }), [4, 3, 1, 4]);
    assert.deepEqual(await counts('me-bert', 't5', { vectors: 1 }), [1, 1, 1, 1]);
    assert.deepEqual(await counts('me-bert', 't5', { meanFirst: false }), [8, 3, 1, 6]);
    assert.deepEqual(await counts('colbert-cls', 't5', { meanFirst: false }), [9, 3, 1, 6]);
  });

  it('include padding as far as the batch is padded where me-bert is told so', async () => {
    assert.deepEqual(await counts('me-bert', 'bert', { maskShort: false }), [8, 8, 8, 8]);
    assert.deepEqual(await counts('me-bert', 'bert', { maskShort: false, vectors: 12 }), [9, 9, 9, 9]);
  });

  it('of mlr go from the last layer down', async () => {
    const mlr = combinations.find(({ name }) => name === 'mlr')!;
    const { rows } = await vectorsOf(() =>
      mlr.family.represent(batchOf('bert', [0], 9), resolve(mlr, 'bert', { layers: [1, 2] })),
    );
    const [first, second] = [2, 1].map((layer) => tokenStates[0]![layer]!.slice(0, D));
    assertClose(rows[0]!.flat(), [...first!, ...second!], 'layers in another order');
  });
});
