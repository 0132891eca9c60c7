import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { type LoadedEncoder, type LoadOptions, loadEncoder } from '../harness/model/checkpoint.js';
import { stream } from '../harness/random.js';
import type { ArraySpec, Engine } from '../harness/tensor/engine.js';
import { sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { lookUpPlan } from '../harness/tensor/look-up.js';
import * as tf from '../harness/tensor/operations.js';
import { inFixtures, sharedData } from './places.js';
import { testedEngines } from './webgpu-driver.js';

const fixtures = inFixtures('model');
const realData = sharedData;

interface Batch {
  ids: number[][];
  mask: number[][];
}

/** Runs an encoder once: the hidden states, then the summary of every layer. */
async function forward(
  engine: Engine,
  { encoder, weights }: LoadedEncoder,
  { ids, mask }: Batch,
  keep?: Uint8Array[],
) {
  const shape = [ids.length, ids[0]!.length];
  const sites = keep === undefined ? [] : encoder.dropoutSites(shape[0]!, shape[1]!);
  const specs: ArraySpec[] = [
    { shape, dtype: 'int32' },
    { shape, dtype: 'float32' },
    ...encoder.parameters.map((parameter) => ({ shape: parameter.shape, dtype: 'float32' as const })),
    ...sites.map((site) => ({ shape: site.shape, dtype: 'bool' as const })),
  ];
  const program = await engine.compile((inputs) => {
    const [tokens, present, ...rest] = inputs;
    const states = encoder.states(
      rest.slice(0, weights.length),
      { ids: tokens as tf.Tensor2D, mask: present as tf.Tensor2D },
      keep === undefined ? undefined : rest.slice(weights.length),
    );
    return [...states.hidden, ...states.hidden.map((_, layer) => states.summary(layer))];
  }, specs);
  const feeds = [Int32Array.from(ids.flat()), Float32Array.from(mask.flat()), ...weights, ...(keep ?? [])];
  const outputs = (await program.run(feeds)) as Float32Array[];
  await program.dispose();
  const layers = encoder.shape.layers + 1;
  return { hidden: outputs.slice(0, layers), summaries: outputs.slice(layers) };
}

function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const allowed = tolerance * Math.max(1, Math.abs(expected[i]!));
    if (!(Math.abs(actual[i]! - expected[i]!) <= allowed)) {
      assert.fail(`${what}: element ${i} is ${actual[i]}, expected ${expected[i]}`);
    }
  }
}

async function readStates(name: string): Promise<Batch & { hidden: number[][] }> {
  return JSON.parse(await readFile(path.join(fixtures, name, 'states.json'), 'utf8'));
}

function load(name: string, options?: LoadOptions): Promise<LoadedEncoder> {
  return loadEncoder(path.join(fixtures, name), options);
}

const engines = await testedEngines();
for (const { title, name, options, skip } of engines) {
  describe(`encoders on ${title}`, { skip }, () => {
    let engine: Engine;
    before(async () => {
      if (skip === false) engine = await openEngine(name, options);
    });

    for (const model of ['bert-gelu', 'bert-gelu-new', 't5-relu', 't5-gated']) {
      test(`${model}: every layer agrees with transformers, padding and a text of padding alone included`, async () => {
        const reference = await readStates(model);
        const { hidden } = await forward(engine, await load(model), reference);
        assert.equal(hidden.length, reference.hidden.length);
        for (const [l, values] of hidden.entries())
          assertClose(values, reference.hidden[l]!, 1e-4, `layer ${l}`);
      });
    }

    test('a BERT summary is the first token of its layer', async () => {
      const batch = await readStates('bert-gelu');
      const { hidden, summaries } = await forward(engine, await load('bert-gelu'), batch);
      for (const [l, summary] of summaries.entries()) {
        for (let b = 0; b < 3; b++) {
          assert.deepEqual(
            summary.slice(b * 16, b * 16 + 16),
            hidden[l]!.slice(b * 12 * 16, b * 12 * 16 + 16),
          );
        }
      }
    });

    test('a T5 summary is the mean over tokens, and zero where there are none', async () => {
      const batch = await readStates('t5-relu');
      const { hidden, summaries } = await forward(engine, await load('t5-relu'), batch);
      for (const [l, summary] of summaries.entries()) {
        for (const [b, count] of [12, 3, 0].entries()) {
          const expected = Array.from({ length: 16 }, (_, d) => {
            let sum = 0;
            for (let t = 0; t < count; t++) sum += hidden[l]![(b * 12 + t) * 16 + d]!;
            return sum / Math.max(count, 1);
          });
          assertClose(summary.slice(b * 16, b * 16 + 16), expected, 1e-5, `layer ${l}, text ${b}`);
        }
      }
    });

    test("t5LayerNorm 'all' normalizes the lower layers and leaves the last as it is", async () => {
      const batch = await readStates('t5-relu');
      const last = await forward(engine, await load('t5-relu'), batch);
      const loaded = await load('t5-relu', { t5LayerNorm: 'all' });
      const all = await forward(engine, loaded, batch);
      assertClose(all.hidden[3]!, last.hidden[3]!, 1e-6, 'last layer');
      const at = loaded.encoder.parameters.findIndex(
        ({ name }) => name === 'encoder.final_layer_norm.weight',
      );
      const gain = loaded.weights[at]!;
      for (const l of [0, 1, 2]) {
        const expected = new Float32Array(last.hidden[l]!.length);
        for (let row = 0; row < expected.length; row += 16) {
          const x = last.hidden[l]!.subarray(row, row + 16);
          const scale = 1 / Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / 16 + 1e-6);
          x.forEach((value, d) => {
            expected[row + d] = value * scale * gain[d]!;
          });
        }
        assertClose(all.hidden[l]!, expected, 1e-4, `layer ${l}`);
      }
    });

    for (const model of ['bert-gelu', 't5-gated']) {
      test(`${model}: dropout with nothing dropped scales by 1 / (1 - rate), with all dropped leaves zeros`, async () => {
        const loaded = await load(model);
        const batch = await readStates(model);
        const sites = loaded.encoder.dropoutSites(3, 12);
        const masks = (value: number) => sites.map((site) => new Uint8Array(sizeOf(site.shape)).fill(value));
        const plain = await forward(engine, loaded, batch);
        const kept = await forward(engine, loaded, batch, masks(1));
        const scaled = plain.hidden[0]!.map((value) => value / 0.9);
        assertClose(kept.hidden[0]!, scaled, 1e-5, 'embeddings');
        const dropped = await forward(engine, loaded, batch, masks(0));
        assert.ok(dropped.hidden[0]!.every((value) => value === 0));
        assert.ok(dropped.hidden.every((layer) => layer.every(Number.isFinite)));
      });
    }

    test('the reference values of a real tiny BERT checkpoint', async (t) => {
      const folder = path.join(realData, 'tiny-models/BertForSequenceClassification');
      const loaded = await loadEncoder(folder).catch((error) => error as Error);
      if (loaded instanceof Error) {
        if ((loaded as { code?: string }).code !== 'PATH_INVALID') throw loaded;
        return t.skip(`no data at ${folder}`);
      }
      const { loadTokenizer } = await import('../harness/text/tokenizer-folder.js');
      const ids = (await loadTokenizer(folder)).encodeQuery(
        'The quick brown fox jumps over the lazy dog.',
        64,
      );
      assert.equal(ids.length, 38);
      const { hidden } = await forward(engine, loaded, { ids: [[...ids]], mask: [Array(38).fill(1)] });
      const mean = Array.from({ length: 3 }, (_, d) => {
        let sum = 0;
        for (let i = 0; i < 38; i++) sum += hidden.at(-1)![i * 32 + d]!;
        return sum / 38;
      });
      assertClose(
        mean,
        [0.3244932293891907, -0.4934631288051605, 0.5721234083175659],
        1e-5,
        'mean of the last layer',
      );
    });
  });
}

test('gradients of every parameter agree between the engines, with dropout', async () => {
  for (const model of ['bert-gelu', 'bert-gelu-new', 't5-relu', 't5-gated']) {
    const loaded = await load(model);
    const results: Float32Array[][] = [];
    for (const { name, options } of engines.filter(({ skip }) => skip === false)) {
      const engine = await openEngine(name, options);
      results.push(await gradients(engine, loaded));
      await engine.dispose();
    }
    const largest = results[0]!.map((values) =>
      values.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    );
    for (const [i, { name }] of loaded.encoder.parameters.entries()) {
      // A bias of keys shifts all scores of a query alike: its gradient is zero but for rounding.
      const unit = Math.max(largest[i]!, 1e-2 * Math.max(...largest));
      const scale = (values: Float32Array) => values.map((value) => value / unit);
      for (const other of results.slice(1)) assertClose(scale(other[i]!), scale(results[0]![i]!), 1e-4, name);
    }
  }
});

/** Fixed random numbers, so that the loss depends on every element in its own way. */
function probe(layer: number, shape: readonly number[]): tf.Tensor {
  const draws = stream(6, 'probe', layer);
  return tf.tensor(
    Float32Array.from({ length: sizeOf(shape) }, () => draws.normal()),
    [...shape],
  );
}

/** The gradients of a randomly weighted sum over all layers. */
async function gradients(engine: Engine, { encoder, weights }: LoadedEncoder): Promise<Float32Array[]> {
  const ids = Int32Array.from([2, 7, 9, 30, 11, 5, 2, 17, 3, 0, 0, 0]);
  const mask = Float32Array.from([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
  const draws = stream(5, 'dropout');
  const sites = encoder.dropoutSites(2, 6);
  const keep = sites.map(({ shape, rate }) =>
    Uint8Array.from({ length: sizeOf(shape) }, () => Number(draws.uniform() >= rate)),
  );
  const specs: ArraySpec[] = [
    { shape: [2, 6], dtype: 'int32' },
    { shape: [2, 6], dtype: 'float32' },
    ...encoder.parameters.map(({ shape }) => ({ shape, dtype: 'float32' as const })),
    ...sites.map(({ shape }) => ({ shape, dtype: 'bool' as const })),
  ];
  const program = await engine.compile(([tokens, present, ...rest]) => {
    const masks = rest.slice(weights.length);
    const loss = (...variables: tf.Tensor[]) => {
      const plan = lookUpPlan(ids, encoder.vocabularySize);
      const input = {
        ids: tokens as tf.Tensor2D,
        mask: present as tf.Tensor2D,
        plan: tf.tensor1d(plan, 'int32'),
      };
      const { hidden } = encoder.states(variables, input, masks);
      const sums: tf.Tensor[] = hidden.map((layer, l) => tf.sum(tf.mul(layer, probe(l, layer.shape))));
      return sums.reduce((a, b) => tf.add(a, b)) as tf.Scalar;
    };
    return tf.grads(loss)(rest.slice(0, weights.length));
  }, specs);
  const outputs = await program.run([ids, mask, ...weights, ...keep]);
  await program.dispose();
  return outputs as Float32Array[];
}
