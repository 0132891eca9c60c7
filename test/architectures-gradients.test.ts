import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Tensor2D } from '../harness/contracts.js';
import { loadEncoder } from '../harness/model/checkpoint.js';
import type { Encoder } from '../harness/model/encoder.js';
import { Retriever } from '../harness/model/retriever.js';
import { SafetensorsFile } from '../harness/model/safetensors.js';
import { type ArraySpec, type NumericArray, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { contrastiveLoss } from '../harness/train/loss.js';
import { Taker, textFeeds, textSpecs } from '../harness/train/step.js';
import { families, type Kind, poolings } from './found-architectures.js';

interface Texts {
  ids: number[][];
  lengths: number[];
}

interface GradientFixture {
  parameters: string[];
  queries: Texts;
  passages: Texts;
  positives: number[];
  architectures: Record<string, { options: Record<string, unknown>; loss: number; alpha?: number[] }>;
}

// Compiled tests stand beside the sources' folder, not in it.
const fixtures = new URL('../../test/fixtures/losses/', import.meta.url);

/** Ids, mask and plan of a padded batch, as specs and as arrays. */
function inputsOf(encoder: Encoder, { ids, lengths }: Texts): { specs: ArraySpec[]; feeds: NumericArray[] } {
  const mask = ids.flatMap((row, i) => row.map((_, t) => (t < lengths[i]! ? 1 : 0)));
  return {
    specs: textSpecs(encoder, ids.length, ids[0]!.length),
    feeds: textFeeds(encoder, Int32Array.from(ids.flat()), Float32Array.from(mask)),
  };
}

/** One engine compiles and runs each architecture over both encoders. */
async function compare(kind: Kind, engineName: string): Promise<void> {
  const folder = new URL(`${kind}/`, fixtures);
  const fixture = JSON.parse(await readFile(new URL('gradients.json', folder), 'utf8')) as GradientFixture;
  const reference = await SafetensorsFile.open(fileURLToPath(new URL('gradients.safetensors', folder)));
  const { encoder, weights: queryWeights } = await loadEncoder(fileURLToPath(new URL('query/', folder)));
  const { weights: passageWeights } = await loadEncoder(fileURLToPath(new URL('passage/', folder)));
  const engine = await openEngine(engineName, { threads: 1 });
  after(async () => {
    await engine.dispose();
    await reference.close();
  });
  const queries = inputsOf(encoder, fixture.queries);
  const passages = inputsOf(encoder, fixture.passages);
  const Q = fixture.queries.ids.length;
  const P = fixture.passages.ids.length;
  const positive = new Float32Array(Q * P);
  for (const [query, passage] of fixture.positives.entries()) positive[query * P + passage] = 1;

  assert.deepEqual(encoder.parameters.map(({ name }) => name).sort(), [...fixture.parameters].sort());
  for (const [name, expected] of Object.entries(fixture.architectures)) {
    it(name, async () => {
      const poolingName = [...poolings.keys()].find((short) => name.endsWith(`-${short}`));
      const familyName = poolingName === undefined ? name : name.slice(0, -poolingName.length - 1);
      const family = families.get(familyName)!;
      const resolved = family.resolve(expected.options, encoder.shape, poolingName);
      const pooling = poolingName === undefined ? undefined : poolings.get(poolingName)!;
      const named = { ...(poolingName !== undefined && { poolingName }), ...(pooling && { pooling }) };
      const retriever = new Retriever(encoder, false, { name, familyName, family, resolved, ...named });
      const { parameters } = retriever;

      const program = await engine.compile(
        (inputs) => {
          const taker = new Taker(inputs);
          const [queryInput, passageInput] = [taker.input(), taker.input()];
          const [positives] = taker.take(1);
          const weights = taker.take(parameters.length);
          const forward = (...now: tf.Tensor[]) =>
            contrastiveLoss({
              queries: retriever.queries(now, queryInput),
              passages: retriever.passages(now, passageInput),
              positive: positives as Tensor2D,
              ...(pooling && { pooling }),
              weights: retriever.poolingWeights(now),
              lambda: resolved.lambda,
            }).loss;
          const { value, grads } = tf.valueAndGrads(forward)(weights);
          return [value, ...grads];
        },
        [
          ...queries.specs,
          ...passages.specs,
          { shape: [Q, P], dtype: 'float32' },
          ...parameters.map(({ shape }) => ({ shape, dtype: 'float32' as const })),
        ],
      );
      const values = parameters.map(({ owner, name: parameter }) => {
        if (owner === 'pooling') return Float32Array.from(expected.alpha!);
        const place = encoder.parameters.findIndex((candidate) => candidate.name === parameter);
        return (owner === 'query' ? queryWeights : passageWeights)[place]!;
      });
      const feeds = [...queries.feeds, ...passages.feeds, positive, ...values];
      const [loss, ...gradients] = await program.run(feeds);
      await program.dispose();
      assert.ok(Math.abs(loss![0]! / expected.loss - 1) < 1e-4, `loss ${loss![0]} for ${expected.loss}`);

      const shapes = new Map(encoder.parameters.map(({ name: parameter, shape }) => [parameter, shape]));
      for (const side of ['query', 'passage'] as const) {
        const flat = await reference.read(`${name}/${side}`);
        const largest = flat.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        let from = 0;
        for (const parameter of fixture.parameters) {
          const size = sizeOf(shapes.get(parameter)!);
          // A gradient that is 0 but for rounding, as that of a key's bias, is held to the scale of the others.
          assertNear(
            gradients[retriever.indexOf(side, parameter)]!,
            flat.subarray(from, from + size),
            1e-3 * largest,
            `${side} ${parameter}`,
          );
          from += size;
        }
        assert.equal(from, flat.length);
      }
      if (expected.alpha !== undefined) {
        assertNear(
          gradients[retriever.indexOf('pooling', 'alpha')]!,
          await reference.read(`${name}/alpha`),
          0,
          'alpha',
        );
      }
    });
  }
}

/** To 1e-3 of the largest reference value, or of `floor` where that is more. */
function assertNear(found: NumericArray, expected: Float32Array, floor: number, what: string): void {
  assert.equal(found.length, expected.length, what);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), floor);
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(found[i]! - value) <= 1e-3 * scale, `${what}[${i}]: ${found[i]} for ${value}`);
  }
}

for (const engineName of ['tfjs-cpu', 'onnx']) {
  for (const kind of ['bert', 't5'] as const) {
    describe(`the gradient of every parameter of ${kind} on ${engineName}, against PyTorch`, () =>
      compare(kind, engineName));
  }
}
