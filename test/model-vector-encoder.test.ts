/** Many texts become vectors in batches: as many at a time as the tokens allow, and each as if it were alone. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { VectorEncoder, type VectorModel } from '../harness/model/vector-encoder.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { madeRetriever } from './made-training.js';

const engine = await openEngine('onnx');
const { retriever, initial } = await madeRetriever('dual-encoder', { dropout: 0 });
const text = (length: number, i: number) => Int32Array.from({ length }, (_, t) => 5 + ((7 * i + 3 * t) % 50));
// Every fifth is longer than 8 tokens.
const texts = Array.from({ length: 25 }, (_, i) => text(i % 5 === 2 ? 12 : 4 + (i % 3), i));
const encoderOf = (batchTokens: number, side: 'query' | 'passage' = 'passage') =>
  new VectorEncoder({ engine, retriever, weights: initial, side, maxTokens: 16, batchTokens });

test('batches hold a power of two of texts, the longest first, and no more tokens than asked for', async () => {
  const expected: [number, number[]][] = [
    // 4 of 16 tokens; the fifth with three short ones; 8 of 8 tokens, twice; the last.
    [64, [4, 8, 16, 24, 25]],
    [100, [4, 8, 16, 24, 25]],
    [63, [2, 4, 6, 10, 14, 18, 22, 25]],
    // One text at least.
    [7, Array.from({ length: 25 }, (_, i) => i + 1)],
  ];
  for (const [batchTokens, batches] of expected) {
    const encoder = encoderOf(batchTokens);
    const done: number[] = [];
    await encoder.encode(texts, (count) => done.push(count));
    assert.deepEqual(done, batches, `${batchTokens} tokens`);
    await encoder.dispose();
  }
});

test('each text has the vector that it has alone, in the order they were given', async () => {
  for (const side of ['query', 'passage'] as const) {
    const encoder = encoderOf(64, side);
    const { vectors, counts } = await encoder.encode(texts);
    const dimensions = retriever.encoder.shape.dimensions;
    assert.deepEqual([...counts], new Array(25).fill(1));
    assert.equal(vectors.length, 25 * dimensions);
    for (const [i, each] of texts.entries()) {
      const alone = (await encoder.encode([each])).vectors;
      for (const [d, value] of alone.entries())
        assert.ok(Math.abs(vectors[i * dimensions + d]! - value) < 1e-5, `text ${i}, ${d}`);
    }
    assert.deepEqual(await encoder.encode([]), { vectors: new Float32Array(0), counts: new Int32Array(0) });
    await encoder.dispose();
  }
});

test('of several vectors a text keeps those that exist, one after another', async () => {
  const slots = [0, 1, 2];
  const model: VectorModel = {
    ...{ parameters: [], dimensions: 2, paddingId: 0, encoder: { parameters: [] }, indexedVectors: 'varies' },
    queries: () => assert.fail(),
    // Of a text that begins with the id i: [10 i + s, -i - s] in each place s, but for place i.
    searched(_, { ids }) {
      const first = tf.cast(tf.slice(ids, [0, 0], [ids.shape[0], 1]), 'float32');
      const places = tf.tensor2d(slots, [1, 3]);
      const numbers = [tf.add(tf.mul(first, 10), places), tf.neg(tf.add(first, places))];
      return {
        vectors: tf.stack(numbers, 2) as tf.Tensor3D,
        present: tf.notEqual(first, places) as tf.Tensor2D,
      };
    },
  };
  const options = { engine, retriever: model, weights: [], maxTokens: 8, batchTokens: 32 };
  const encoder = new VectorEncoder({ ...options, side: 'passage' });
  const ids = [1, 3, 0, 2, 3, 0, 1];
  const { vectors, counts } = await encoder.encode(
    ids.map((id, i) => Int32Array.from({ length: 1 + (i % 3) }, () => id)),
  );
  await encoder.dispose();
  const kept = ids.map((id) => slots.filter((slot) => slot !== id));
  assert.deepEqual(
    [...counts],
    kept.map(({ length }) => length),
  );
  assert.deepEqual(
    [...vectors],
    kept.flatMap((own, i) => own.flatMap((slot) => [10 * ids[i]! + slot, -ids[i]! - slot])),
  );
});

test('weights are uploaded once to an engine that keeps its own memory, for both sides and all batches', async () => {
  const eager = await openEngine('tfjs-cpu');
  const write = mock.method(tf.backend(), 'write');
  const encoders = (['query', 'passage'] as const).map(
    (side) =>
      new VectorEncoder({ engine: eager, retriever, weights: initial, side, maxTokens: 16, batchTokens: 64 }),
  );
  try {
    for (const encoder of encoders) await encoder.encode(texts);
    const uploaded = write.mock.calls.map(
      ({ arguments: [values] }) => values as unknown as ArrayLike<number>,
    );
    const largest = initial.reduce((a, b) => (b.length > a.length ? b : a));
    assert.equal(uploaded.filter(({ length }) => length === largest.length).length, 1);
    const before = tf.memory().numTensors;
    await encoders[1]!.encode(texts);
    assert.equal(tf.memory().numTensors, before);
    await eager.dispose();
    assert.equal(tf.memory().numTensors, before - initial.length);
  } finally {
    mock.restoreAll();
    for (const encoder of encoders) await encoder.dispose();
  }
});

test('weights are part of the programs up to 64 MiB, in fewer bits always, and else lie with the engine once', () => {
  const residents: unknown[] = [];
  const keeping = Object.create(engine, { resident: { value: (values: unknown) => residents.push(values) } });
  const kept = (sizes: number[], precision?: 'int8' | 'f16') => {
    residents.length = 0;
    const weights = sizes.map((size) => new Float32Array(size));
    const parameters = { value: sizes.map((size) => ({ shape: [size] })) };
    const model = Object.create(retriever, { parameters }) as typeof retriever;
    const options = { engine: keeping, retriever: model, weights, side: 'passage', maxTokens: 16 } as const;
    new VectorEncoder({ ...options, batchTokens: 64, ...(precision && { precision }) });
    assert.ok(residents.every((values, i) => values === weights[i]));
    return residents.length;
  };
  assert.equal(kept([2 ** 24 - 5, 5]), 0);
  assert.equal(kept([2 ** 24 - 5, 6]), 2);
  for (const precision of ['int8', 'f16'] as const) assert.equal(kept([2 ** 24 - 5, 6], precision), 0);
});

test('in int8 vectors are near to those of float32, and the same on 1, 2 and 3 threads', async () => {
  const options = { retriever, weights: initial, side: 'passage', maxTokens: 16, batchTokens: 64 } as const;
  const exact = (await encoderOf(64).encode(texts)).vectors;
  let first: Float32Array | undefined;
  for (const threads of [1, 2, 3]) {
    const counted = await openEngine('onnx', { threads });
    const encoder = new VectorEncoder({ ...options, engine: counted, precision: 'int8' });
    const { vectors } = await encoder.encode(texts);
    first ??= vectors;
    assert.deepEqual(vectors, first, `${threads} threads`);
    await encoder.dispose();
    await counted.dispose();
  }
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const cosine = dot(first!, exact) / Math.sqrt(dot(first!, first!) * dot(exact, exact));
  assert.ok(cosine > 0.999 && cosine < 1 - 1e-9, String(cosine));
});

test('in f16 vectors are nearer to those of float32, and an overflow is an error by name', async () => {
  const options = { retriever, side: 'passage', maxTokens: 16, batchTokens: 64 } as const;
  const exact = (await encoderOf(64).encode(texts)).vectors;
  const half = new VectorEncoder({ ...options, engine, weights: initial, precision: 'f16' });
  const { vectors } = await half.encode(texts);
  await half.dispose();
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const cosine = dot(vectors, exact) / Math.sqrt(dot(vectors, vectors) * dot(exact, exact));
  assert.ok(cosine > 0.9999 && cosine < 1 - 1e-12, String(cosine));
  // Each number fits, and what a product makes of them does not.
  const large = initial.map((values, i) =>
    retriever.parameters[i]!.shape.length > 1 ? values.map((value) => 60_000 * Math.sign(value)) : values,
  );
  const beyond = new VectorEncoder({ ...options, engine, weights: large, precision: 'f16' });
  await assert.rejects(beyond.encode(texts), {
    code: 'CONFIG_INVALID',
    message: /encode.precision=f16: the passage encoder gave (NaN|-?Infinity) in a vector.*65,504/,
    hint: /encode.precision=float32/,
  });
  await beyond.dispose();
});

test('in int8 weights that change, and an engine that has no integers, are refused', async () => {
  const options = { retriever, side: 'passage', maxTokens: 16, batchTokens: 64, precision: 'int8' } as const;
  const { variables } = engine.variables(initial.map(({ length }) => length));
  assert.throws(() => new VectorEncoder({ ...options, engine, weights: variables }), TypeError);
  const eager = await openEngine('tfjs-cpu');
  await assert.rejects(
    new VectorEncoder({ ...options, engine: eager, weights: initial }).encode(texts),
    /'tfjs-cpu' on cpu/,
  );
  await eager.dispose();
});

test('a batch whose layers alone are more than the memory is refused before it begins', async (context) => {
  const { dimensions } = retriever.encoder.shape;
  // Of four texts of 16 tokens what one layer takes and what it gives, in 4 bytes each.
  const needed = 2 * 4 * (4 * 16 * dimensions);
  const memory = context.mock.method(process, 'constrainedMemory', () => needed);
  const long = Array.from({ length: 4 }, (_, i) => text(12, i));
  const encoder = encoderOf(64);
  assert.equal((await encoder.encode(long)).counts.length, 4);
  memory.mock.mockImplementation(() => needed - 1);
  await assert.rejects(encoder.encode(long), {
    code: 'OUT_OF_MEMORY',
    message: /^Encoding 4 texts of 16 tokens at once would take/,
    hint: 'Make encode.batchTokens smaller.',
  });
  await encoder.dispose();
});
