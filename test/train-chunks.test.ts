/** How a batch is cut into chunks: by length, each padded to its own longest text, to few lengths; and back into the places of the batch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { chunkBucketOf } from '../harness/text/padding.js';
import { type Batch, type BatchOptions, makeBatch, type TrainingExample } from '../harness/train/batches.js';
import { chunksOf, inPlaces, ofChunk } from '../harness/train/chunks.js';
import { textsOfChunk } from '../harness/train/training-memory.js';
import { madeRetriever, mixedExamples } from './made-training.js';

const { encoder } = (await madeRetriever('dual-encoder', { maxTokens: 256 })).retriever;
const options: BatchOptions = {
  ...{ batchSize: 9, negatives: 1, missingNegative: 'padded', paddingId: 0 },
  ...{ maxQueryTokens: 32, maxPassageTokens: 256 },
};
const without = mixedExamples(9, 200).map((each, i) => (i === 4 ? { ...each, negatives: [] } : each));
const batch = makeBatch(without, 1, 0, options);
/** Texts of a chunk: 5 of the longest, 3 of others. */
const most = (tokens: number) => (tokens === 224 ? 5 : 3);
const lengthOf = ({ passageMask, passageTokens }: Batch, place: number) =>
  passageMask.subarray(place * passageTokens, (place + 1) * passageTokens).reduce((sum, x) => sum + x, 0);

test('every text is in one chunk, the longest first, with its tokens and no more padding than its chunk needs', () => {
  assert.equal(batch.passageTokens, 224);
  const chunks = chunksOf('passage', batch, most, encoder);
  assert.deepEqual(
    chunks.map(({ places }) => places.length),
    [5, 3, 3, 3, 3, 1],
  );
  const order = chunks.flatMap(({ places }) => [...places]);
  assert.deepEqual(
    order.toSorted((a, b) => a - b),
    Array.from({ length: 18 }, (_, i) => i),
  );
  // The one without any token, the negative of the fifth query, is as long as the batch.
  assert.equal(order[0], 9);
  const lengths = order.slice(1).map((place) => lengthOf(batch, place));
  assert.deepEqual(
    lengths,
    lengths.toSorted((a, b) => b - a),
  );
  for (const { places, tokens, feeds } of chunks) {
    const [ids, mask] = feeds as [Int32Array, Float32Array];
    assert.equal(ids.length, places.length * tokens);
    assert.equal(mask.length, places.length * tokens);
    for (const [i, place] of places.entries()) {
      const from: number = place * batch.passageTokens;
      assert.ok(lengthOf(batch, place) <= tokens);
      assert.deepEqual(
        ids.subarray(i * tokens, (i + 1) * tokens),
        batch.passageIds.subarray(from, from + tokens),
      );
      assert.deepEqual(
        mask.subarray(i * tokens, (i + 1) * tokens),
        batch.passageMask.subarray(from, from + tokens),
      );
    }
  }
  assert.equal(chunks[0]!.tokens, 224);
  assert.equal(chunks.at(-1)!.tokens, 16);
});

test('where vectors depend on padding, all chunks are as long as the batch, in its order', () => {
  const chunks = chunksOf('passage', batch, most, encoder, true);
  assert.ok(chunks.every(({ tokens }) => tokens === 224));
  assert.deepEqual(
    chunks.flatMap(({ places }) => [...places]),
    Array.from({ length: 18 }, (_, i) => i),
  );
});

test('numbers go to the places of the batch and back, those that short texts lack as 0', () => {
  const feeds = [] as const;
  const chunks = [
    { side: 'passage' as const, places: Int32Array.of(2, 0), tokens: 3, feeds },
    { side: 'passage' as const, places: Int32Array.of(1), tokens: 1, feeds },
  ];
  const parts = [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(7)];
  const whole = inPlaces(chunks, parts);
  assert.deepEqual(whole, Float32Array.of(4, 5, 6, 7, 0, 0, 1, 2, 3));
  assert.deepEqual(ofChunk(chunks[0]!, whole, 3, 3), parts[0]);
  assert.deepEqual(ofChunk(chunks[1]!, whole, 3, 1), parts[1]);
});

test('a chunk is never longer than its batch, and an epoch of real lengths makes programs for few lengths', () => {
  assert.equal(chunkBucketOf(1, 256), 16);
  assert.equal(chunkBucketOf(65, 256), 128);
  assert.equal(chunkBucketOf(65, 80), 80);
  assert.equal(chunkBucketOf(600, 700), 700);
  // Where the chunk does not divide the batch, a last one has fewer texts, of few numbers too.
  for (const [chunk, shapesAtMost] of [
    [16, 6],
    [15, 12],
  ] as const) {
    const random = stream(1, 'lengths');
    const shapes = new Set<string>();
    for (let step = 0; step < 50; step++) {
      const examples = Array.from({ length: 64 }, (_, i): TrainingExample => {
        const text = () => new Int32Array(20 + random.integer(237)).fill(7);
        return { queryId: `q${i}`, query: Int32Array.of(7, 7), positive: text(), negatives: [text()] };
      });
      const made = makeBatch(examples, 1, 0, { ...options, batchSize: 64 });
      const texts = (tokens: number) => textsOfChunk(chunk, tokens, 256, 'own');
      for (const { places, tokens } of chunksOf('passage', made, texts, encoder))
        shapes.add(`${places.length}x${tokens}`);
    }
    assert.ok(shapes.size <= shapesAtMost, [...shapes].join());
  }
});
