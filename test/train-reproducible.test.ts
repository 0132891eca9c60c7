/** Training leaves the same bytes every time, at any number of threads: real vocabularies, long texts, few words often. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import { t5Encoder } from '../harness/encoders/t5.js';
import type { LoadedEncoder } from '../harness/model/checkpoint.js';
import { Retriever } from '../harness/model/retriever.js';
import { initialWeights } from '../harness/model/retriever-files.js';
import { scratchEncoder } from '../harness/model/scratch.js';
import { loadArchitecture } from '../harness/plugins.js';
import { silentProgress } from '../harness/progress.js';
import { stream } from '../harness/random.js';
import { mostThreads, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import type { TrainingExample } from '../harness/train/batches.js';
import { train } from '../harness/train/trainer.js';

/** More threads than a small machine has: slow there. */
const isThorough = process.env.STRATA_TEST_THOROUGH === '1';
const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const sizes = { layers: 2, dimensions: 128, heads: 2, intermediate: 512, dropout: 0.1 };

const encoders: Record<string, () => LoadedEncoder> = {
  'BERT, 30,522 words': () => scratchEncoder({ ...sizes, vocabularySize: 30522, maxTokens: 256 }, 1),
  'T5, 32,128 pieces': () => {
    const encoder = t5Encoder({
      model_type: 't5',
      num_layers: sizes.layers,
      d_model: sizes.dimensions,
      num_heads: sizes.heads,
      d_kv: 64,
      d_ff: sizes.intermediate,
      vocab_size: 32128,
      dropout_rate: sizes.dropout,
    });
    const weights = encoder.parameters.map(({ name, shape }) => {
      const draws = stream(1, 'weights', name);
      const isNorm = name.includes('layer_norm');
      return Float32Array.from({ length: sizeOf(shape) }, () => (isNorm ? 1 : 0.1 * draws.normal()));
    });
    return { encoder, weights, remarks: [] };
  },
};

/** Texts whose words follow Zipf's law: the first of them stand in every text, and often. */
function madeText(name: string, i: number, most: number, words: number): Int32Array {
  const random = stream(3, name, i);
  const length = most - random.integer(Math.ceil(most / 3));
  return Int32Array.from({ length }, () => 1 + Math.floor((words - 1) ** random.uniform() - 1));
}

function examples(words: number): TrainingExample[] {
  return Array.from({ length: 8 }, (_, i) => ({
    queryId: `q${i}`,
    query: madeText('query', i, 24, words),
    positive: madeText('positive', i, 256, words),
    negatives: [0, 1, 2].map((j) => madeText(`negative ${j}`, i, 256, words)),
  }));
}

/** Weights after four steps. */
async function trained(make: () => LoadedEncoder, threads: number | undefined, chunkSize: number | null) {
  const loaded = await loadArchitecture('mlr-sc');
  const { encoder, weights } = make();
  const resolved = loaded.family.resolve({}, encoder.shape, 'sc');
  const retriever = new Retriever(encoder, false, { ...loaded, resolved });
  const engine = await openEngine('onnx', threads === undefined ? {} : { threads });
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-reproducible-'));
  folders.push(folder);
  const result = await train({
    engine,
    retriever,
    initial: initialWeights(retriever, weights),
    examples: examples(encoder.vocabularySize),
    dev: [],
    options: { ...defaultConfig().train, epochs: 2, batchSize: 4, chunkSize },
    learningRate: 1e-3,
    maxQueryTokens: 32,
    maxPassageTokens: 256,
    batchTokens: 2048,
    seed: 12345,
    folder,
    progress: silentProgress(),
  });
  await engine.dispose();
  assert.equal(result.facts.steps, 4);
  const names = retriever.parameters.map(({ owner, name }) => `${owner} ${name}`);
  return { names, weights: result.weights.map((values) => Buffer.from(values.buffer)) };
}

for (const [name, make] of Object.entries(encoders))
  describe(`training ${name}`, () => {
    for (const [chunkSize, others] of [
      [null, [undefined, undefined, 1, 4]],
      [2, [undefined, 1]],
    ] as const)
      it(`leaves the same bytes again, and with 1 and 4 threads; chunks of ${chunkSize}`, async () => {
        const first = await trained(make, undefined, chunkSize);
        assert.ok(!first.weights[0]!.equals(Buffer.from(make().weights[0]!.buffer)), 'nothing was trained');
        for (const threads of [...others, ...(isThorough ? [3, mostThreads] : [])]) {
          const again = await trained(make, threads, chunkSize);
          const different = first.names.filter((_, i) => !first.weights[i]!.equals(again.weights[i]!));
          assert.deepEqual(different, [], `other bytes with ${threads ?? 'default'} threads`);
        }
      });
  });
