/** What becomes of a model's hits when negatives are mined from them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, Passage } from '../harness/contracts.js';
import { examplesIn } from '../harness/stages/mine.js';

const texts = ['red fish', 'red  fish\n', 'Red fish', 'old fish', 'bird'];
const passages = texts.map((text, i): Passage => ({ passageId: `p${i}`, title: `title ${i}`, text }));
const dataset: Dataset = {
  name: 'beir:made',
  version: '1',
  licence: '',
  files: [],
  passageCount: passages.length,
  answerMatching: 'string',
  async *passages() {
    yield* passages;
  },
  queries: async () => [{ queryId: 'q', text: 'fish', answers: ['old'] }],
  qrels: async () => [{ queryId: 'q', passageId: 'p0', relevance: 1 }],
};

test('relevant, a copy of what is, holding an answer: no negatives, and each is counted', async () => {
  const depth = passages.length;
  const hits = {
    depth,
    ordinals: Int32Array.from([1, 0, 3, 2, 4]),
    scores: Float32Array.from([5, 4, 3, 2, 1]),
    winners: new Int32Array(depth),
    counts: Int32Array.of(depth),
  };
  const index = { identifiers: async () => ({ at: (ordinal: number) => `p${ordinal}` }) };
  const asked = { split: 'train', identicalIds: 'dropped', negatives: null } as const;
  const { negatives, facts } = await examplesIn(dataset, index, hits, asked);
  assert.deepEqual([...negatives], [['q', ['p2', 'p4']]]);
  const counts = {
    ...{ relevant: 1, copies: 1, answering: 1, identical: 0 },
    ...{ negatives: 2, positives: 1, queries: 1, without: 0 },
  };
  assert.deepEqual({ ...facts }, counts);
});
