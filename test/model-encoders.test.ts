import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import {
  type LoadedEncoder,
  type LoadOptions,
  loadEncoder,
  makeEncoder,
} from '../harness/model/checkpoint.js';
import { encoders } from '../harness/model/known-encoders.js';
import { stream } from '../harness/random.js';
import { type Engine, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { assertClose, type Batch, forward, gradients } from './encoder-runs.js';
import { inFixtures, sharedData } from './places.js';
import { testedEngines } from './webgpu-driver.js';

const fixtures = inFixtures('model');
const realData = sharedData;

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

for (const { examples, dropoutRates } of encoders)
  for (const form of Object.keys(examples))
    test(`${form}: gradients of every parameter agree between the engines, with dropout`, async () => {
      const { encoder: stored, weights } = await load(form);
      const rates = Object.fromEntries(dropoutRates.map((rate) => [rate, 0.1]));
      const encoder = makeEncoder({ ...stored.config, ...rates });
      const draws = stream(5, 'dropout');
      const keep = encoder
        .dropoutSites(2, 6)
        .map(({ shape, rate }) =>
          Uint8Array.from({ length: sizeOf(shape) }, () => Number(draws.uniform() >= rate)),
        );
      const padding = Array<number>(3).fill(encoder.paddingId);
      const ids = [
        [2, 7, 9, 30, 11, 5],
        [2, 17, 6, ...padding],
      ];
      const mask = [Array(6).fill(1), [1, 1, 1, 0, 0, 0]];
      const results: Float32Array[][] = [];
      for (const { name, options } of engines.filter(({ skip }) => skip === false)) {
        const engine = await openEngine(name, options);
        results.push(await gradients(engine, { encoder, weights }, { ids, mask }, keep));
        await engine.dispose();
      }
      const largest = results[0]!.map((values) =>
        values.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
      );
      for (const [i, { name }] of encoder.parameters.entries()) {
        // A bias of keys shifts all scores of a query alike: its gradient is zero but for rounding.
        const unit = Math.max(largest[i]!, 1e-2 * Math.max(...largest));
        const scale = (values: Float32Array) => values.map((value) => value / unit);
        for (const other of results.slice(1))
          assertClose(scale(other[i]!), scale(results[0]![i]!), 1e-4, name);
      }
    });
