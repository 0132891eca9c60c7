/**
 * `npm run perf -- device [small|base] [webgpu|cuda]`: what travels between this process and a GPU, counted, at a training step, a batch that is
 * encoded and a query that is searched for; and the time of an exact search there beside the processor's, in turns.
 */
import { BenchError } from '../errors.js';
import { openIndex } from '../index/vector-index.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import { byteSize } from '../progress.js';
import { ExactSearcher } from '../searchers/exact/flat.js';
import { median } from '../statistics/summary.js';
import type { Engine } from '../tensor/engine.js';
import { openEngine } from '../tensor/engines.js';
import { DeviceVariable } from '../tensor/onnx/device-variables.js';
import { inFolderOnEngine } from './made-folder.js';
import { madeTexts, madeTraining } from './made-training.js';
import { clusteredVectors, writeVectors } from './made-vectors.js';

const settings = {
  /** For a driver that is software. */
  small: {
    layers: 1,
    dimensions: 64,
    batch: 8,
    queryTokens: 16,
    passageTokens: 32,
    vectors: 20_000,
    turns: 3,
  },
  base: {
    layers: 12,
    dimensions: 768,
    batch: 16,
    queryTokens: 32,
    passageTokens: 256,
    vectors: 500_000,
    turns: 20,
  },
};
type Setting = (typeof settings)['small'];
const vocabularySize = 8000;
const depth = 100;

/** What has travelled there and back since the last call: of variables, and of all else. */
function meter(engine: Engine): () => { variables: number; other: number } {
  const [any] = engine.variables([1]).variables;
  if (!(any instanceof DeviceVariable)) throw new Error('Variables of this engine do not lie on a device.');
  const { counts } = any.memory;
  let [variables, other] = [counts.variableBytes, counts.otherBytes];
  return () => {
    const since = { variables: counts.variableBytes - variables, other: counts.otherBytes - other };
    [variables, other] = [counts.variableBytes, counts.otherBytes];
    return since;
  };
}

async function training(engine: Engine, setting: Setting, chunkSize?: number): Promise<void> {
  const sizes = { ...setting, vocabularySize, threads: engine.threads, engine };
  const made = await madeTraining({ ...sizes, ...(chunkSize !== undefined && { chunkSize }) });
  const travelled = meter(engine);
  const bytes = 4 * made.initial.reduce((sum, { length }) => sum + length, 0);
  // The first sends weights.
  await made.step();
  travelled();
  await made.step();
  const { variables, other } = travelled();
  const how = chunkSize === undefined ? 'a whole batch' : `chunks of ${chunkSize}`;
  console.log(
    `training step, ${how}: ${byteSize(variables)} of weights, gradients and moments (${byteSize(4 * bytes)} lie there), ${byteSize(other)} of ids, dropout masks, learning rate, loss and norm${chunkSize === undefined ? '' : ', and vectors with their gradients'}`,
  );
  await made.dispose();
}

async function encoding(engine: Engine, setting: Setting): Promise<void> {
  const made = await madeTraining({ ...setting, vocabularySize, threads: engine.threads, engine });
  const { retriever, initial: weights } = made;
  const { batch, passageTokens: maxTokens } = setting;
  const options = { engine, retriever, weights, maxTokens, batchTokens: batch * maxTokens };
  const passages = new VectorEncoder({ ...options, side: 'passage' });
  const texts = madeTexts(batch, maxTokens, vocabularySize);
  const travelled = meter(engine);
  await passages.encode(texts);
  travelled();
  const { vectors } = await passages.encode(texts);
  const { variables, other } = travelled();
  console.log(
    `encoding ${batch} passages of ${maxTokens} tokens: ${byteSize(variables)} of weights, ${byteSize(other)} of ids and masks there and vectors back (the vectors are ${byteSize(vectors.byteLength)})`,
  );
  await passages.dispose();
  engine.release(weights);
  await made.dispose();
}

async function searching(device: Engine, setting: Setting): Promise<void> {
  const { dimensions, vectors, turns } = setting;
  await inFolderOnEngine(async (folder, cpu) => {
    await writeVectors(folder, clusteredVectors(vectors, dimensions, 'rows'), dimensions);
    const index = await openIndex(folder);
    const memoryBytes = 4 * 2 ** 30;
    const travelled = meter(device);
    const searchers = [
      await ExactSearcher.open(index, device, { memoryBytes }),
      await ExactSearcher.open(index, cpu, { memoryBytes }),
    ];
    console.log(
      `search of ${vectors.toLocaleString('en-US')} x ${dimensions}, k = ${depth}: ${byteSize(travelled().variables)} of vectors sent as it was opened`,
    );
    for (const count of [1, 128]) {
      const queries = clusteredVectors(count, dimensions, 'queries');
      for (const searcher of searchers) await searcher.search(queries, count, depth);
      travelled();
      const times: [number[], number[]] = [[], []];
      for (let turn = 0; turn < turns; turn++) {
        for (const i of turn % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
          const started = performance.now();
          await searchers[i]!.search(queries, count, depth);
          times[i].push(performance.now() - started);
        }
      }
      const { variables, other } = travelled();
      const [there, here] = [median(times[0]), median(times[1])];
      console.log(
        `  ${count} at once: ${byteSize(variables)} of vectors and ${byteSize(other / turns / count)} else a query; ${there.toFixed(1)} ms (${((vectors * dimensions * 4) / there / 1e6).toFixed(1)} GB/s of vectors), ${here.toFixed(1)} ms on the processor (${cpu.threads} threads), ${(here / there).toFixed(3)} times as fast`,
      );
    }
    for (const searcher of searchers) await searcher.dispose();
    await index.close();
  });
}

export default async function perfDevice([
  name = 'small',
  device = 'webgpu',
]: readonly string[]): Promise<void> {
  if (!(name in settings)) throw new Error(`'${name}' is none of ${Object.keys(settings).join(', ')}.`);
  if (device !== 'webgpu' && device !== 'cuda') throw new Error(`'${device}' is neither webgpu nor cuda.`);
  const setting = settings[name as keyof typeof settings];
  let engine: Engine;
  try {
    engine = await openEngine('onnx', { device });
  } catch (error) {
    if (!(error instanceof BenchError && error.code === 'UNAVAILABLE')) throw error;
    console.log(`not measured: ${error.message}`);
    return;
  }
  const { layers, dimensions, batch, queryTokens, passageTokens } = setting;
  console.log(
    `${device}, ${engine.versions.gpu ?? 'which GPU is not known'}: ${layers} layers, D=${dimensions}, vocabulary ${vocabularySize}, ${batch} queries x ${queryTokens} and ${batch} passages x ${passageTokens} tokens, dropout 0.1`,
  );
  await training(engine, setting);
  await training(engine, setting, batch / 2);
  await encoding(engine, setting);
  await searching(engine, setting);
  await engine.dispose();
}
