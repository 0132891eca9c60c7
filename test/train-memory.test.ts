/** What no memory could hold is refused before it is taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Retriever } from '../harness/model/retriever.js';
import { makeBatch } from '../harness/train/batches.js';
import { refuseTexts } from '../harness/train/step.js';

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
  const retriever = { encoder: { shape: { layers: 12, dimensions: 768 } } } as Retriever;
  refuseTexts(retriever, 32, 256);
  assert.throws(() => refuseTexts(retriever, 2 ** 20, 512), {
    code: 'OUT_OF_MEMORY',
    message: /^Training on 1048576 texts of 512 tokens at once would take 18,432 GiB of memory or more/,
  });
});
