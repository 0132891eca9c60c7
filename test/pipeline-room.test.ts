/** What a run needs beside what this machine has, in words, and what settings come to with a model of a shape. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import type { Dataset, EncoderShape } from '../harness/contracts.js';
import { deviceLine, trainingSize } from '../harness/pipeline/memory-needs.js';
import { describeRoom, diskLine, freeBytes, memoryLine, passagesAsked } from '../harness/pipeline/needs.js';
import { normalizeRows } from '../harness/pipeline/row-lengths.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { refuseLongCuts, settle } from '../harness/pipeline/starting-model.js';
import { loadArchitecture } from '../harness/plugins.js';
import { byteSize } from '../harness/progress.js';
import { stateBytes, trainingBytes } from '../harness/train/training-memory.js';
import { passingFolder } from './places.js';

const folder = passingFolder('room');
const requestOf = (...set: string[]): RunRequest => ({
  ...{ architecture: 'mlr', dataset: 'beir/nq', seed: 1, offline: true },
  config: loadConfig({ cwd: folder, set }),
});
const vectors = { dimensions: 768, perPassage: 2, atMost: false };

test('distractors of its own are added to what the test queries need, those of another to the whole', async () => {
  const dataset = {
    passageCount: 50,
    qrels: async () =>
      [1, 1, 0, 2].map((relevance, i) => ({ queryId: `q${i}`, passageId: `p${i}`, relevance })),
  } as unknown as Dataset;
  const asked = (count: number, from?: { dataset: string }) =>
    passagesAsked(dataset, { distractors: { count, largest: 20, ...(from && { from }) } });
  assert.deepEqual(await passagesAsked(dataset, {}), { searched: 50, encoded: 50 });
  assert.deepEqual(await asked(7), { searched: 10, encoded: 23 });
  assert.deepEqual(await asked(0), { searched: 3, encoded: 3 });
  assert.deepEqual(await asked(7, { dataset: 'other' }), { searched: 57, encoded: 70 });
  assert.deepEqual(await asked(0, { dataset: 'other' }), { searched: 50, encoded: 50 });
});

test('the disk that an index takes stands beside what is free, and is too little where it is more', async () => {
  const cache = `cache=${folder}/not/there/yet`;
  const line = (means: Parameters<typeof diskLine>[1], passages: number | null) =>
    diskLine(requestOf(cache), means, passages);
  assert.match(
    await line({ vectors }, 1000),
    /^vectors of 5\.9 MiB \(1,000 passages x 2 x 768 numbers\); .* free at .*\/not\/there\/yet$/,
  );
  assert.match(
    await line({ vectors: { ...vectors, atMost: true } }, 1000),
    /^vectors of at most 5\.9 MiB \(1,000 passages x at most 2 x/,
  );
  assert.match(await line({ vectors }, 1e15), /; TOO LITTLE$/);
  assert.match(
    await line({ vectors }, null),
    /^the index is not known \(passages are not counted before the download\); /,
  );
  assert.match(await line({}, 1000), /^the index is not known \(the model is not here\); /);
  // Where a folder is not there yet, what counts is the disk that it would be made on.
  for (const place of [folder, `${folder}/not/there`, '/'])
    assert.ok((await freeBytes(place)) >= 4096, place);
  assert.match(await describeRoom(folder), /^\d+ cores, .* free of .* of memory, .* free at /);
});

const shape: EncoderShape = {
  ...{ kind: 'bert', layers: 12, dimensions: 768, maxTokens: 512, summary: 'first-token' },
};
const trained = { weights: 1e6, shape: { layers: 12, dimensions: 768, heads: 12, intermediate: 3072 } };

test("the machine's memory: vectors, and on the processor the training", () => {
  const request = requestOf('encode.memoryMiB=11', 'search.memoryMiB=33', 'train.chunkSize=32');
  const vectors = 'vectors take at most 11 MiB while encoding and 33 MiB in search, .*; .* free of ';
  assert.match(memoryLine(request, {}), new RegExp(`^${vectors}`));
  const on = (device: 'cpu' | 'webgpu') =>
    memoryLine(request, { trained, engine: { name: 'onnx', device, threads: 1 } });
  assert.match(
    on('cpu'),
    new RegExp(
      `^training about .* GiB \\(.*, activations of a chunk of 32 texts, and of shorter ones 3\\.9 GiB\\); ${vectors}`,
    ),
  );
  assert.match(on('webgpu'), new RegExp(`^${vectors}`));
});

test("a device's memory: training, blocks of the index, and what is known of it", () => {
  const engine = { name: 'onnx', device: 'webgpu', threads: 1 } as const;
  const said = (means: Parameters<typeof deviceLine>[1], passages: number | null, ...set: string[]) =>
    deviceLine(
      ...([
        requestOf('train.chunkSize=8', 'train.epochs=2', ...set),
        { engine, ...means },
        passages,
      ] as const),
      () => undefined,
    );
  const size = trainingSize(requestOf().config, trained);
  const { batchSize, negatives } = requestOf().config.train;
  assert.deepEqual([size.queries, size.passages], [batchSize, batchSize * (1 + negatives)]);
  const all = trainingBytes(size, 8);
  const unknown = 'what it has is not known (ONNX Runtime does not tell; deviceMemoryMiB says it)';
  assert.equal(
    said({ trained }, null),
    `training about ${byteSize(all)} (weights, gradients and moments ${byteSize(stateBytes(size))}, activations of a chunk of 8 texts ${byteSize(all - stateBytes(size))}); ${unknown}`,
  );
  assert.match(said({ trained }, null, 'train.chunkSize=null')!, /activations of a whole batch /);
  assert.match(
    said({ trained }, null, 'train.chunkSize=fitting', 'deviceMemoryMiB=100000')!,
    /it has 97\.7 GiB by deviceMemoryMiB/,
  );
  assert.equal(said({ trained }, null, 'train.epochs=0'), unknown);
  // 2 x 768 x 4 bytes of 1,000 passages are 5.9 MiB.
  const blocks = (...set: string[]) => said({ vectors }, 1000, ...set);
  assert.equal(
    blocks('search.deviceMemoryMiB=6'),
    `blocks of the index, searched by exact, 5.9 MiB, kept there; ${unknown}`,
  );
  assert.equal(
    blocks('search.deviceMemoryMiB=5'),
    `blocks of the index, searched by exact, 5.0 MiB, sent again for every batch of queries; ${unknown}`,
  );
  assert.match(blocks('search.memoryMiB=4')!, /exact, 4\.0 MiB, sent again/);
  assert.equal(said({ vectors }, null), unknown);
  assert.equal(said({ trained, engine: { ...engine, device: 'cuda' } }, null), said({ trained }, null));
  // TensorFlow's CUDA asks for memory as it goes.
  for (const other of [{ device: 'cpu' }, { name: 'tensorflow', device: 'cuda' }] as const)
    assert.equal(said({ trained, vectors, engine: { ...engine, ...other } }, 1000), undefined);
  assert.equal(deviceLine(requestOf(), { trained, vectors }, 1000), undefined);
  // On the processor nothing is started to find out.
  const means = { trained, vectors, engine: { ...engine, device: 'cpu' } as const };
  assert.equal(
    deviceLine(requestOf(), means, 1000, () => assert.fail('asked')),
    undefined,
  );
});

test('texts are as long as is asked for or as the model takes, and the rate is the kind of model', async () => {
  const loaded = await loadArchitecture('mlr-sc');
  const settled = (short: Partial<EncoderShape>, lambda: number | undefined, ...set: string[]) =>
    settle(
      loaded,
      { ...shape, ...short },
      requestOf('arch.layers=[10,12]', 'train.learningRate=null', ...set).config,
      lambda,
    );
  const lengths = ({ text }: ReturnType<typeof settle>) => [text.maxQueryTokens, text.maxPassageTokens];
  const asked = ['text.queryTokens=32', 'text.passageTokens=180'];
  assert.deepEqual(lengths(settled({}, undefined, ...asked)), [32, 180]);
  assert.deepEqual(lengths(settled({ maxTokens: 100 }, undefined, ...asked)), [32, 100]);
  assert.deepEqual(lengths(settled({ maxTokens: 20 }, undefined, ...asked)), [20, 20]);
  assert.equal(settled({}, undefined).learningRate, 2e-5);
  assert.equal(settled({ kind: 't5' } as never, undefined).learningRate, 5e-4);
  assert.equal(settled({}, undefined, 'train.learningRate=0.25').learningRate, 0.25);
  const lambda = (chosen: number | undefined, ...set: string[]) =>
    settled({}, chosen, ...set).resolved.lambda;
  assert.deepEqual(
    [
      lambda(undefined),
      lambda(undefined, 'arch.lambda=0.5'),
      lambda(undefined, 'arch.lambda=0.3,2'),
      lambda(7, 'arch.lambda=0.3,2'),
    ],
    [1, 0.5, 0.3, 7],
  );
  assert.equal(settled({}, undefined, 'arch.similarity=cosine').resolved.similarity, 'cosine');
  assert.equal(settled({}, undefined).resolved.similarity ?? 'dot', 'dot');
});

test('vectors are cut to lengths below their own alone, and those that are not are named', () => {
  const cut = (...lengths: number[]) =>
    refuseLongCuts(shape, loadConfig({ cwd: folder, set: [`train.matryoshka=[${lengths.join()}]`] }));
  cut(64, 767);
  refuseLongCuts(shape, loadConfig({ cwd: folder }));
  assert.throws(() => cut(64, 768), {
    code: 'CONFIG_INVALID',
    message: /: 768 cannot be cut from vectors of 768/,
  });
  assert.throws(() => cut(64, 768, 900), { code: 'CONFIG_INVALID', message: /: 768 and 900 cannot/ });
});

test('each row is divided by its own length, and a row of zeros stays one', () => {
  const rows = Float32Array.of(3, 4, 0, 0, -5, 12);
  normalizeRows(rows, 2);
  const expected = [0.6, 0.8, 0, 0, -5 / 13, 12 / 13];
  assert.deepEqual(
    [...rows].map((value) => Number(value.toFixed(6))),
    expected.map((value) => Number(value.toFixed(6))),
  );
});
