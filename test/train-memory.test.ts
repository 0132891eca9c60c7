/** What no memory could hold is refused before it is taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Retriever } from '../harness/model/retriever.js';
import type { Engine } from '../harness/tensor/engine.js';
import { makeBatch, type TrainingExample } from '../harness/train/batches.js';
import { refuseTexts } from '../harness/train/step.js';
import type { TrainRequest } from '../harness/train/train-request.js';
import { train } from '../harness/train/trainer.js';

test('a batch', () => {
  const text = Int32Array.of(1, 2);
  const example = { queryId: 'q', query: text, positive: text, negatives: [text] };
  const options = {
    batchSize: 200_000,
    negatives: 4096,
    missingNegative: 'left-out',
    maxQueryTokens: 8,
    maxPassageTokens: 8,
    paddingId: 0,
  } as const;
  assert.throws(() => makeBatch(Array(200_000).fill(example), 1, 0, options), {
    code: 'OUT_OF_MEMORY',
    message: /^A batch of 200000 queries with 4097 passages each would take [\d,.]+ GiB of memory or more/,
  });
  assert.equal(makeBatch([example, example], 1, 0, { ...options, negatives: 1 }).passages, 4);
});

test('a batch of more passages than a call takes arguments', () => {
  const text = Int32Array.of(1);
  const example = { queryId: 'q', query: text, positive: text, negatives: [] };
  const options = { batchSize: 2, negatives: 70_000, missingNegative: 'left-out', paddingId: 0 } as const;
  const lengths = { maxQueryTokens: 1, maxPassageTokens: 1 };
  assert.equal(makeBatch([example, example], 1, 0, { ...options, ...lengths }).passages, 140_002);
});

test('the texts of one step', () => {
  const retriever = {
    encoder: { heads: 12, intermediate: 3072, shape: { layers: 12, dimensions: 768 } },
  } as Retriever;
  const context = { engine: {} as Engine, retriever };
  refuseTexts(context, 1, 256);
  assert.throws(() => refuseTexts(context, 2 ** 20, 512), {
    code: 'OUT_OF_MEMORY',
    message: /^Training on 1048576 texts of 512 tokens at once would take 976,896 GiB of memory or more/,
  });
  // There the memory is another one.
  refuseTexts({ retriever, engine: { largestArrayBytes: 1 } as Engine }, 2 ** 20, 512);
});

test('a training: each weight with its gradient and two moments', async () => {
  const initial = [{ length: 2 ** 40 }, { length: 2 ** 39 }] as unknown as Float32Array[];
  const options = { patience: null, epochs: 1 };
  await assert.rejects(train({ initial, options, dev: [] } as unknown as TrainRequest), {
    code: 'OUT_OF_MEMORY',
    message: /^Training 1,649,267,441,664 weights, .* would take 24,576 GiB of memory or more/,
  });
});

test('how much a batch and its texts would take, by hand', () => {
  const example = (tokens: number): TrainingExample => ({
    queryId: 'q',
    query: Int32Array.of(1),
    positive: new Int32Array(tokens),
    negatives: [],
  });
  const gibibytes = (queries: number, negatives: number, longest: number) => {
    // All but the last are one object.
    const examples = [...Array<TrainingExample>(queries - 1).fill(example(1)), example(longest)];
    const limits = { maxQueryTokens: 8, maxPassageTokens: 8, paddingId: 0 };
    const batching = { batchSize: queries, negatives, missingNegative: 'left-out', ...limits } as const;
    try {
      makeBatch(examples, 1, 0, batching);
    } catch (error) {
      return Number(/take ([\d,.]+) GiB/.exec((error as Error).message)?.[1]?.replaceAll(',', ''));
    }
    return assert.fail('it was not refused');
  };
  // For each passage 4 + 4 bytes a token of the longest, and 4 for each query.
  const near = (actual: number, bytes: number) =>
    assert.ok(Math.abs(actual - bytes / 2 ** 30) < 0.06, `${actual}`);
  near(gibibytes(1024, 2 ** 24 - 1, 1), 2 ** 34 * (8 + 4096));
  near(gibibytes(1024, 2 ** 24 - 1, 512), 2 ** 34 * (4096 + 4096));
  near(gibibytes(2048, 2 ** 22 - 1, 3), 2 ** 33 * (24 + 8192));
});
