/** What a training takes of a device: estimated before it begins, near what its programs hold, and the chunk that fits. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import type { BenchError } from '../harness/errors.js';
import { madeTraining } from '../harness/perf/made-training.js';
import { deviceLine } from '../harness/pipeline/memory-needs.js';
import { type Engine, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { useDeviceOperators, webgpuRewritings } from '../harness/tensor/onnx/device-operators.js';
import { prune, type Value } from '../harness/tensor/onnx/graph.js';
import { loadPrecision, rewriteTraining, usualPrecision } from '../harness/tensor/onnx/precision.js';
import { record } from '../harness/tensor/onnx/recorder.js';
import { GradientCache } from '../harness/train/gradient-cache.js';
import { DirectStep } from '../harness/train/step.js';
import { stepComputer } from '../harness/train/step-computer.js';
import {
  activationBytes,
  chunkFor,
  largestBatch,
  stateBytes,
  trainingBytes,
} from '../harness/train/training-memory.js';
import { madeRetriever } from './made-training.js';

const bertBase = {
  weights: 2 * 109_482_240,
  shape: { layers: 12, dimensions: 768, heads: 12, intermediate: 3072 },
  ...{ queries: 128, queryTokens: 256, passages: 256, passageTokens: 256 },
};

test('the largest batch: a positive and its negatives for each query', () => {
  const tokens = { queryTokens: 32, passageTokens: 256 };
  assert.deepEqual(largestBatch({ batchSize: 8, negatives: 0 }, tokens), {
    queries: 8,
    passages: 8,
    ...tokens,
  });
  assert.deepEqual(largestBatch({ batchSize: 3, negatives: 15 }, tokens), {
    queries: 3,
    passages: 48,
    ...tokens,
  });
});

/** Bytes that a program holds at its fullest, beside what it is fed and what it leaves: values are dropped after their last use. */
async function heldBytes(...[build, inputs, options]: Parameters<Engine['compile']>): Promise<number> {
  const { graph, outputs } = record(build, inputs, new Map(), true);
  const { precision = usualPrecision, trained } = options ?? {};
  if (trained) rewriteTraining(await loadPrecision(precision), 'webgpu', { graph, outputs }, inputs, trained);
  useDeviceOperators(graph, outputs, webgpuRewritings);
  const { nodes } = prune(outputs);
  const sources = new Map<Value, Value>();
  const sourceOf = (value: Value) => sources.get(value) ?? value;
  for (const { op, inputs, outputs } of nodes)
    if (op === 'Reshape' || op === 'Identity') sources.set(outputs[0]!, sourceOf(inputs[0]!));
  const uses = new Map<Value, number>();
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...outputs])
    if (value !== undefined) uses.set(sourceOf(value), (uses.get(sourceOf(value)) ?? 0) + 1);
  const bytesOf = ({ dtype, shape }: Value) => (dtype === 'float16' ? 2 : 4) * sizeOf(shape);
  let held = 0;
  let most = 0;
  for (const node of nodes) {
    for (const value of node.outputs) if (sourceOf(value) === value) held += bytesOf(value);
    most = Math.max(most, held);
    for (const value of node.inputs) {
      if (value === undefined) continue;
      const source = sourceOf(value);
      uses.set(source, uses.get(source)! - 1);
      if (uses.get(source) === 0 && source.node !== undefined) held -= bytesOf(source);
    }
  }
  return most - outputs.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
}

test('the estimate of activations lies at what the recorded step holds, or up to a third above', async () => {
  const cpu = await openEngine('onnx', { threads: 1 });
  for (const [layers, dimensions, batch, passageTokens, precision] of [
    [2, 128, 16, 64, 'float32'],
    [2, 128, 16, 128, 'float32'],
    [4, 128, 8, 64, 'float32'],
    [6, 128, 4, 256, 'float32'],
    [2, 128, 16, 64, 'f16'],
    [6, 128, 4, 256, 'f16'],
  ] as const) {
    let held = 0;
    const engine: typeof cpu = {
      ...cpu,
      async compile(build, inputs, options) {
        if (options?.name === 'training step') held = await heldBytes(build, inputs, options);
        throw new Error('recorded');
      },
    };
    const sizes = {
      layers,
      dimensions,
      batch,
      queryTokens: 16,
      passageTokens,
      vocabularySize: 1000,
      threads: 1,
    };
    const training = await madeTraining({ ...sizes, engine, precision });
    await assert.rejects(training.step(), /recorded/);
    const weights = training.initial.reduce((sum, { length }) => sum + length, 0);
    const batches = { queries: batch, queryTokens: 16, passages: batch, passageTokens };
    const size = {
      weights,
      shape: { layers, dimensions, heads: Math.max(2, dimensions / 64), intermediate: 4 * dimensions },
      ...batches,
      precision,
    };
    const estimate = trainingBytes(size, null) - stateBytes(size);
    const ratio = estimate / held;
    assert.ok(
      ratio > 0.95 && ratio < 1.34,
      `${layers} layers, D=${dimensions}, ${passageTokens} tokens, ${precision}: ${ratio}`,
    );
  }
  await cpu.dispose();
});

test('the largest chunk that fits is taken, the whole batch where that fits, and what does not fit is refused', () => {
  const usable = (mebibytes: number) => mebibytes * 2 ** 20 * 0.75;
  for (const there of [8192, 16_384, 81_920]) {
    const chunk = chunkFor('fitting', there, bertBase)!;
    assert.ok(trainingBytes(bertBase, chunk) <= usable(there), `${there}: ${chunk}`);
    assert.ok(trainingBytes(bertBase, chunk + 1) > usable(there), `${there}: ${chunk}`);
  }
  assert.equal(chunkFor('fitting', 2 ** 20, bertBase), null);
  // Where nothing is known of a device, and on the processor.
  assert.equal(chunkFor('fitting', null, bertBase), 32);
  assert.equal(chunkFor('fitting', null, { ...bertBase, passages: 32 }), null);
  assert.equal(chunkFor(16, null, bertBase), 16);
  assert.equal(chunkFor(16, 16_384, bertBase), 16);
  const refusal = (message: RegExp, hint: RegExp) => (error: BenchError) => {
    assert.equal(error.code, 'OUT_OF_MEMORY');
    assert.match(error.message, message);
    assert.match(error.hint!, hint);
    return true;
  };
  assert.throws(
    () => chunkFor(null, 16_384, bertBase),
    refusal(
      /a whole batch at once would take about [\d,]+ MiB .* of the 16,384 MiB .* 12,288 MiB can be used/,
      /train\.chunkSize smaller/,
    ),
  );
  assert.throws(
    () => chunkFor(200, 16_384, bertBase),
    refusal(/chunks of 200 texts/, /train\.chunkSize smaller/),
  );
  assert.throws(() => chunkFor('fitting', 4096, bertBase), refusal(/chunks of 1 text /, /model\.tied=true/));
  assert.ok(stateBytes(bertBase) > usable(4096));
});

test('a device decides the chunk of a training, the processor does not', async () => {
  const { retriever } = await madeRetriever('dual-encoder');
  const cpu = await openEngine('onnx', { threads: 1 });
  const parameters = cpu.variables([1000]);
  const batch = { queries: 8, queryTokens: 16, passages: 16, passageTokens: 64 };
  const computerOn = (engine: typeof cpu, deviceMemoryMiB: number) => {
    const context = { engine, retriever, parameters, gradients: parameters, seed: 1, dropout: false };
    return stepComputer(context, 'fitting', deviceMemoryMiB, batch);
  };
  const device = { ...cpu, largestArrayBytes: 2 ** 27 };
  const computer = computerOn(device, 1);
  assert.ok(computer instanceof GradientCache);
  assert.ok(computer.chunkSize >= 1 && computer.chunkSize < 16, `${computer.chunkSize}`);
  assert.ok(computerOn(device, 1000) instanceof DirectStep);
  assert.ok(computerOn(cpu, 1) instanceof DirectStep);
  await cpu.dispose();
});

const paper = (...set: string[]) => loadConfig({ cwd: tmpdir(), flags: { preset: 'paper' }, set });

test('deviceMemoryMiB chooses the chunk where nobody gave one', () => {
  const chunkOf = (...set: string[]) => paper(...set).train.chunkSize;
  assert.equal(chunkOf(), 32);
  assert.equal(chunkOf('deviceMemoryMiB=8192'), 'fitting');
  assert.equal(chunkOf('deviceMemoryMiB=8192', 'device=cpu'), 32);
  assert.equal(chunkOf('deviceMemoryMiB=8192', 'train.chunkSize=16'), 16);
  assert.equal(chunkOf('deviceMemoryMiB=8192', 'train.chunkSize=null'), null);
  assert.equal(chunkOf('train.chunkSize=fitting'), 'fitting');
});

test('a dry run says what the device must hold, and of what', () => {
  const lineOf = (device: 'cpu' | 'webgpu', ...set: string[]) => {
    const means = {
      engine: { name: 'onnx', device, threads: 2 } as const,
      vectors: { dimensions: 768, perPassage: 1, atMost: false },
      trained: bertBase,
    };
    return deviceLine({ config: paper(...set) }, means, 1_000_000, () => undefined);
  };
  assert.equal(lineOf('cpu'), undefined);
  const unknown = lineOf('webgpu')!;
  assert.match(
    unknown,
    /^training about [\d.]+ GiB \(weights, gradients and moments 4\.1 GiB, activations of a chunk of 32 texts [\d.]+ GiB\)/,
  );
  assert.match(
    unknown,
    /blocks of the index, searched by exact, 1\.0 GiB, sent again for every batch of queries; .*not known/,
  );
  const known = lineOf('webgpu', 'deviceMemoryMiB=16384', 'search.deviceMemoryMiB=4096')!;
  assert.match(known, /activations of a chunk of \d+ texts, chosen to fit [\d.]+ GiB/);
  assert.match(known, /exact, 2\.9 GiB, kept there; it has 16\.0 GiB by deviceMemoryMiB/);
  assert.throws(() => lineOf('webgpu', 'deviceMemoryMiB=1024'), { code: 'OUT_OF_MEMORY' });
});

test('in float16 there are the halves of weights and of what they are multiplied with beside', () => {
  const rounded = { ...bertBase, precision: 'f16' };
  const { weights, shape } = bertBase;
  const more = activationBytes(shape, 8, 256, 'f16') - activationBytes(shape, 8, 256);
  assert.equal(more, 4 * 8 * 256 * 12 * 768 * 4);
  assert.equal(trainingBytes(rounded, 8), trainingBytes(bertBase, 8) + 2 * weights + more);
  assert.equal(trainingBytes({ ...bertBase, precision: 'float32' }, 8), trainingBytes(bertBase, 8));
  assert.ok(chunkFor('fitting', 16_384, rounded)! < chunkFor('fitting', 16_384, bertBase)!);
});

test('what a training takes of a device, counted on paper', () => {
  const small = { weights: 1000, shape: { layers: 2, dimensions: 64, heads: 2, intermediate: 256 } };
  assert.equal(stateBytes(small), 20_000);
  // 4 bytes, 3 texts of 32 tokens, 2 layers, D = 64: 17 numbers each, and 4.5 for each pair of tokens in each of 2 heads.
  assert.equal(activationBytes(small.shape, 3, 32), 4 * 3 * 32 * 2 * 64 * (17 + 4.5));
  const size = { ...small, queries: 5, queryTokens: 64, passages: 7, passageTokens: 32 };
  const [query, passage] = [4 * 64 * 2 * 64 * (17 + 9), 4 * 32 * 2 * 64 * (17 + 4.5)];
  assert.equal(trainingBytes(size, null), 20_000 + 5 * query + 7 * passage);
  // A chunk may be of either side: the longer texts count.
  assert.equal(trainingBytes(size, 3), 20_000 + 3 * query);
  assert.equal(trainingBytes({ ...size, queryTokens: 16 }, 3), 20_000 + 3 * passage);
  // On the processor each length has memory of its own: chunks of 3 texts of 64 and of 16 tokens, and of 2 of 32.
  const half = 4 * 32 * 2 * 64 * (17 + 4.5);
  const quarter = 4 * 16 * 2 * 64 * (17 + 2.25);
  assert.equal(trainingBytes(size, 3, 'own'), 20_000 + 3 * query + 2 * half + 3 * quarter);
  assert.equal(trainingBytes(size, null, 'own'), trainingBytes(size, null));
  // Exactly what there is, of which a quarter is left to others; and a byte more.
  const there = (bytes: number) => bytes / 0.75 / 2 ** 20;
  const fitting = (bytes: number) => chunkFor('fitting', there(bytes), size);
  assert.equal(fitting(trainingBytes(size, null) + 1), null);
  assert.equal(fitting(trainingBytes(size, 4) + 1), 4);
  assert.equal(fitting(trainingBytes(size, 4) - 1), 3);
  assert.equal(fitting(trainingBytes(size, 1) + 1), 1);
  assert.throws(() => fitting(trainingBytes(size, 1) - 1), { code: 'OUT_OF_MEMORY' });
  assert.equal(chunkFor(4, there(trainingBytes(size, 4) + 1), size), 4);
  assert.throws(() => chunkFor(4, there(trainingBytes(size, 4) - 1), size), { code: 'OUT_OF_MEMORY' });
  // No chunk is larger than the batch's passages, nor made of as many as are usual.
  const many = { ...size, queries: 500 };
  assert.equal(chunkFor('fitting', there(trainingBytes(many, null) - 1), many), 7);
  assert.deepEqual(
    [32, 33].map((passages) => chunkFor('fitting', null, { ...size, passages })),
    [null, 32],
  );
});
