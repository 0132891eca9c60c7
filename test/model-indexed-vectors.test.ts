/** How many vectors of a passage the index keeps, by architecture. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeRetriever } from './made-training.js';

test('one where vectors are pooled, M where they are not, and a varying number where a short passage has fewer', async () => {
  for (const [arch, expected] of [
    ['dual-encoder', 1],
    ['mlr-sc', 1],
    ['mlr-avg', 1],
    ['mlr', 2],
    ['colbert-cls', 'varies'],
  ] as const)
    assert.equal((await madeRetriever(arch)).retriever.indexedVectors, expected, arch);
});
