/** Queries with several examples: each positive of MS MARCO, or an original and a mined one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, Passage } from '../harness/contracts.js';
import { remarks } from '../harness/stages/train.js';
import { type BatchOptions, drawNegatives, makeBatch } from '../harness/train/batches.js';
import { type NegativeSource, trainingExamples } from '../harness/train/examples.js';

/** Query a has two positives, b and c one each. Passage pN is the token N. */
const qrels = [
  ['a', 'p1'],
  ['a', 'p2'],
  ['b', 'p3'],
  ['c', 'p4'],
] as const;

const madeDataset = (trainsOn: 'first-positive' | 'each-positive'): Dataset => ({
  name: 'made',
  version: '1',
  licence: '',
  files: [],
  passageCount: 9,
  trainsOn,
  async *passages(): AsyncGenerator<Passage> {
    for (let i = 1; i <= 9; i++) yield { passageId: `p${i}`, title: '', text: String(i) };
  },
  queries: async () => ['a', 'b', 'c'].map((queryId) => ({ queryId, text: `what ${queryId}` })),
  qrels: async () => qrels.map(([queryId, passageId]) => ({ queryId, passageId, relevance: 1 })),
});

const tokens = {
  query: (text: string) => Int32Array.of(text.length),
  passage: ({ text }: Passage) => Int32Array.of(Number(text)),
};

const source = (
  name: string,
  negatives: Record<string, string[]>,
  positives?: Record<string, string[]>,
): NegativeSource => ({
  name,
  negatives: new Map(Object.entries(negatives)),
  ...(positives && { positives: new Map(Object.entries(positives)) }),
});

const examplesOf = (
  dataset: Dataset,
  split: 'train' | 'dev',
  negatives: number,
  ...sources: NegativeSource[]
) => trainingExamples(dataset, split, tokens, { negatives, negativePool: 5 }, sources);

const batching = (negatives: number, more: Partial<BatchOptions> = {}): BatchOptions => ({
  batchSize: 8,
  negatives,
  missingNegative: 'left-out',
  maxQueryTokens: 8,
  maxPassageTokens: 4,
  paddingId: 0,
  ...more,
});

const bm25 = source('bm25', { a: ['p8', 'p9'], b: ['p1', 'p3', 'p5'], c: [] });

test('pairs whose query has no negatives are left out of training, and told; on dev it stays', async () => {
  const pairs = madeDataset('each-positive');
  const { examples, counts } = await examplesOf(pairs, 'train', 3, bm25);
  assert.deepEqual(
    examples.map(({ queryId, positive }) => [queryId, positive[0]]),
    [
      ['a', 1],
      ['a', 2],
      ['b', 3],
    ],
  );
  assert.deepEqual(
    [counts.examples, counts.queries, counts.withoutNegatives, counts.tooFewNegatives],
    [3, 2, 1, 2],
  );
  const told = remarks(counts, { ...counts, examples: 0, tooFewNegatives: 0 }, 5, { named: false });
  assert.ok(told.includes('1 training query has no negatives and is left out'), told.join());
  assert.equal((await examplesOf(pairs, 'dev', 3, bm25)).examples.length, 3);
  // Nobody misses negatives where none are asked for; a query of DPR's trains against the batch.
  assert.equal((await examplesOf(pairs, 'train', 0)).examples.length, 4);
  const first = await examplesOf(madeDataset('first-positive'), 'train', 3, bm25);
  assert.equal(first.examples.length, 3);
  assert.ok(!('withoutNegatives' in first.counts));
});

test('negatives of which there are too few are cycled: all of them, again and again', async () => {
  const { examples } = await examplesOf(madeDataset('each-positive'), 'train', 5, bm25);
  const drawn = (i: number, epoch: number) =>
    drawNegatives(examples[i]!, { negatives: 5, missingNegative: 'cycled' }, 1, epoch).map(([n]) => n!);
  for (let epoch = 0; epoch < 10; epoch++) {
    for (const i of [0, 1, 2]) {
      const own = drawn(i, epoch);
      const [x, y] = own;
      assert.deepEqual(own, [x, y, x, y, x], 'every pool here has two');
      assert.deepEqual(new Set(own), new Set(i < 2 ? [8, 9] : [1, 5]));
    }
  }
  assert.ok(Array.from({ length: 10 }, (_, epoch) => drawn(0, epoch)[0]).some((n) => n !== drawn(0, 0)[0]));
  const { passages, candidates, passageMask, passageTokens } = makeBatch(
    examples,
    1,
    0,
    batching(5, { missingNegative: 'cycled', otherPositives: 'negatives' }),
  );
  assert.equal(passages, 3 * 6);
  assert.ok(candidates.every((part) => part === 1));
  for (let p = 0; p < passages; p++)
    assert.equal(passageMask[p * passageTokens], 1, `passage ${p} is padding`);
});

test('another positive of the same query is left out of the softmax, or counts as a negative', async () => {
  const { examples } = await examplesOf(madeDataset('each-positive'), 'train', 1, bm25);
  const candidates = (otherPositives?: 'left-out' | 'negatives') =>
    makeBatch(examples, 1, 0, batching(1, otherPositives && { otherPositives })).candidates;
  assert.deepEqual([...candidates('negatives')], [1, 1, 1, 1, 1, 1]);
  const leftOut = [...candidates('left-out')];
  // Rows: the two pairs of a, then b; columns: each positive and its negative.
  assert.deepEqual(leftOut, [...[1, 1, 0, 1, 1, 1], ...[0, 1, 1, 1, 1, 1], ...[1, 1, 1, 1, 1, 1]]);
  assert.deepEqual([...candidates()], leftOut);
});

test('a mined set stands behind the original one, each example with its own draw', async () => {
  const dataset = madeDataset('first-positive');
  const found = source(
    'mined.tsv',
    { a: ['p5', 'p6', 'p7'], b: ['p6', 'p9', 'p3'], c: ['p7'] },
    { a: ['p2'], b: ['p3'], c: [] },
  );
  const { examples, counts } = await examplesOf(dataset, 'train', 1, bm25, found);
  assert.deepEqual(
    examples.map(({ queryId, positive, negatives, set }) => [
      queryId,
      positive[0],
      negatives.map(([n]) => n),
      set,
    ]),
    [
      ['a', 1, [8, 9], undefined],
      ['b', 3, [1, 5], undefined],
      ['c', 4, [], undefined],
      ['a', 2, [5, 6, 7], 1],
      // p3 is relevant.
      ['b', 3, [6, 9], 1],
    ],
  );
  assert.deepEqual(
    { ...counts },
    {
      ...{ examples: 5, queries: 3, added: 2, withoutAddedPositive: 1, withoutPositive: 0 },
      ...{ positivesAmongNegatives: 2, tooFewNegatives: 1, shortPools: 3 },
    },
  );
  // b stands twice with one positive: neither copy is a negative of the other.
  const { candidates, passages } = makeBatch(examples, 1, 0, batching(1));
  const leftOut = Array.from({ length: 5 }, (_, i) =>
    [0, 1, 2, 3, 4].filter((j) => candidates[i * passages + 2 * j] === 0),
  );
  assert.deepEqual(leftOut, [[3], [4], [], [0], [1]]);
  // Where two examples have one positive and pools of one size, their draws differ in some epoch.
  const same = examples.map((each) => ({ ...each, negatives: examples[3]!.negatives }));
  const draws = (i: number) =>
    Array.from({ length: 20 }, (_, epoch) => drawNegatives(same[i]!, batching(1), 1, epoch)[0]![0]);
  assert.notDeepEqual(draws(1), draws(4));
  // Dev takes no example of it.
  const dev = await examplesOf(dataset, 'dev', 1, bm25, source('mined.tsv', {}));
  assert.equal(dev.examples.length, 3);
});

test('a positive that no passage stands for is refused with the file that names it', async () => {
  const strange = source('strange.tsv', { a: ['p5'] }, { a: ['x1'] });
  await assert.rejects(examplesOf(madeDataset('first-positive'), 'train', 1, bm25, strange), {
    code: 'DATA_INVALID',
    message: /'x1', positive of query 'a' \(strange.tsv\)$/,
  });
});
