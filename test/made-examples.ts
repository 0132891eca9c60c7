/** A dataset that a test can count by hand, and what its queries train on. */
import type { Dataset, Passage } from '../harness/contracts.js';
import { type NegativeSource, trainingExamples } from '../harness/train/examples.js';

/** Four queries: c has no positive; of d's two the first is trained on. Passage pN is the token N. */
const qrels = [
  ['a', 'p1', 1],
  ['b', 'p2', 1],
  ['b', 'p3', 0],
  ['c', 'p4', 0],
  ['d', 'p5', 1],
  ['d', 'p6', 2],
] as const;

export const madeDataset = (changes: Partial<Dataset> = {}): Dataset => ({
  name: 'made',
  version: '1',
  licence: '',
  files: [],
  passageCount: 9,
  async *passages(): AsyncGenerator<Passage> {
    for (let i = 1; i <= 9; i++) yield { passageId: `p${i}`, title: '', text: String(i) };
  },
  queries: async () => ['a', 'b', 'c', 'd'].map((queryId) => ({ queryId, text: '0' })),
  qrels: async () => qrels.map(([queryId, passageId, relevance]) => ({ queryId, passageId, relevance })),
  ...changes,
});

export const tokens = {
  query: (text: string) => Int32Array.of(Number(text)),
  passage: ({ text }: Passage) => Int32Array.of(Number(text)),
};

export const source = (name: string, negatives: Record<string, string[]>): NegativeSource => ({
  name,
  negatives: new Map(Object.entries(negatives)),
});

export async function examplesOf(
  sources: readonly NegativeSource[],
  options = { negatives: 2, negativePool: 3 },
  dataset = madeDataset(),
) {
  const { examples, counts } = await trainingExamples(dataset, 'train', tokens, options, sources);
  const taken = examples.map(({ queryId, positive, negatives }) => [
    queryId,
    positive[0],
    negatives.map(([token]) => token),
  ]);
  return { taken, counts };
}

export const mined = source('mined.tsv', {
  a: ['p9', 'p8', 'p7', 'p6'],
  b: ['p2', 'p3'],
  d: ['p6', 'p1', 'p5'],
});
