/** What becomes of queries, positives and negatives on their way into training: nothing is left out in silence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, Passage } from '../harness/contracts.js';
import { remarks } from '../harness/stages/train.js';
import { makeBatch } from '../harness/train/batches.js';
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

const madeDataset = (changes: Partial<Dataset> = {}): Dataset => ({
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

const batching = {
  batchSize: 4,
  missingNegative: 'left-out',
  maxQueryTokens: 4,
  maxPassageTokens: 4,
  paddingId: 0,
} as const;

const tokens = {
  query: (text: string) => Int32Array.of(Number(text)),
  passage: ({ text }: Passage) => Int32Array.of(Number(text)),
};

const source = (name: string, negatives: Record<string, string[]>): NegativeSource => ({
  name,
  negatives: new Map(Object.entries(negatives)),
});

async function examplesOf(
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

const noDev = {
  examples: 0,
  withoutPositive: 0,
  positivesAmongNegatives: 0,
  tooFewNegatives: 0,
  shortPools: 0,
};

const mined = source('mined.tsv', { a: ['p9', 'p8', 'p7', 'p6'], b: ['p2', 'p3'], d: ['p6', 'p1', 'p5'] });

test('queries without a positive and positives among negatives are dropped, counted and told', async () => {
  const { taken, counts } = await examplesOf([mined]);
  assert.deepEqual(taken, [
    // The pool is three: p6 is never drawn.
    ['a', 1, [9, 8, 7]],
    ['b', 2, [3]],
    ['d', 5, [1]],
  ]);
  assert.deepEqual(counts, {
    examples: 3,
    withoutPositive: 1,
    positivesAmongNegatives: 3,
    tooFewNegatives: 2,
    shortPools: 2,
  });
  assert.deepEqual(remarks(counts, noDev, 3, { named: true }), [
    '1 training queries have no positive and are left out',
    '3 negatives are judged relevant to their query and are left out',
    '2 of 3 training queries have fewer hard negatives than asked for',
    '2 training queries have fewer than 3 negatives in a source',
  ]);
  assert.equal(remarks(counts, noDev, 3, { named: false }).length, 3, 'nobody asked for a pool of that size');
  assert.deepEqual(
    remarks({ ...counts, withoutPositive: 0, positivesAmongNegatives: 0 }, noDev, 3, { named: false }),
    ['2 of 3 training queries have fewer hard negatives than asked for'],
  );
});

test('dev queries without hard negatives are told too: a file mined for training has none of them', async () => {
  const onlyTrain = source('mined.tsv', {});
  const options = { negatives: 1, negativePool: 3 };
  const { counts: dev } = await trainingExamples(madeDataset(), 'dev', tokens, options, [onlyTrain]);
  const none = { ...noDev, examples: 3 };
  assert.deepEqual(remarks(none, dev, 3, { named: true }), [
    '3 of 3 dev queries have fewer hard negatives than asked for',
  ]);
});

test('a pool smaller than asked for is used as it is; of several sources each gives its share', async () => {
  const bm25 = source('bm25', { a: ['p2', 'p9', 'p3', 'p4'], b: ['p1'] });
  const { taken, counts } = await examplesOf([bm25, mined], { negatives: 1, negativePool: 2 });
  assert.deepEqual(taken, [
    // p9 is in both and is drawn no more often for it.
    ['a', 1, [2, 9, 8]],
    ['b', 2, [1, 3]],
    ['d', 5, [1]],
  ]);
  assert.equal(counts.tooFewNegatives, 0);
  assert.equal(counts.shortPools, 2);
});

test('dev queries bring their first others to the pool of average rank, none twice, and who brings fewer is told', async () => {
  const others = { a: ['p9', 'p1', 'p2', 'p3', 'p4'], b: ['p5'] };
  const dataset = madeDataset({ otherNegatives: async () => new Map(Object.entries(others)) });
  const asked = { negatives: 0, negativePool: 3, rankPool: { hard: 2, other: 2 } };
  const { examples, counts } = await trainingExamples(dataset, 'dev', tokens, asked, [mined]);
  assert.deepEqual(
    examples.map((each) => [each.queryId, each.negatives.map(([n]) => n), each.others!.map(([n]) => n)]),
    [
      // p9 is one of its hard ones already, and p1 is its positive.
      ['a', [9, 8, 7], [2, 3]],
      ['b', [3], [5]],
      ['d', [1], []],
    ],
  );
  assert.deepEqual([counts.tooFewHardForRank, counts.tooFewOthersForRank, counts.tooFewNegatives], [2, 2, 0]);
  const told = remarks({ ...noDev, examples: 3 }, counts, 3, { named: false });
  const toPool = 'negatives to the pool of average rank than';
  assert.deepEqual(told, [
    `2 of 3 dev queries bring fewer hard ${toPool} train.averageRankHardNegatives asks for`,
    `2 of 3 dev queries bring fewer other ${toPool} train.averageRankOtherNegatives asks for`,
  ]);
  // Where there is no such pool none are read, and nothing is said.
  const without = await trainingExamples(dataset, 'dev', tokens, { negatives: 1, negativePool: 3 }, [mined]);
  assert.deepEqual(without.examples[0]!.others, []);
  assert.ok(!('tooFewHardForRank' in without.counts));
  const strange = madeDataset({ otherNegatives: async () => new Map([['a', ['x9']]]) });
  await assert.rejects(trainingExamples(strange, 'dev', tokens, asked, [mined]), {
    message: /'x9', other negative of query 'a'$/,
  });
});

test('what a track grades as relevant is a matter of measures: training takes every positive grade', async () => {
  const { taken } = await examplesOf([mined], undefined, madeDataset({ relevantFrom: 2 }));
  assert.deepEqual(taken, (await examplesOf([mined])).taken);
});

test('a dataset may train on each positive of a query: none of them is a negative of another', async () => {
  const dataset = madeDataset({ trainsOn: 'each-positive' });
  const options = { negatives: 1, negativePool: 3 };
  const asked = [dataset, 'train', tokens, options, [mined]] as const;
  const { examples, counts } = await trainingExamples(...asked);
  assert.deepEqual(
    examples.map(({ queryId, positive }) => [queryId, positive[0]]),
    [
      ['a', 1],
      ['b', 2],
      ['d', 5],
      ['d', 6],
    ],
  );
  assert.deepEqual([counts.examples, counts.queries, counts.withoutPositive], [4, 3, 1]);
  assert.equal(counts.positivesAmongNegatives, 3, 'told once per query');
  const { candidates, positive } = makeBatch(examples, 1, 0, { ...batching, negatives: 1 });
  const rows = (values: Float32Array) => [0, 1, 2, 3].map((i) => [...values.subarray(8 * i, 8 * i + 8)]);
  // Positives are at 0, 2, 4 and 6, each with its negative.
  assert.deepEqual(rows(candidates), [
    [1, 1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1, 0, 1],
    [1, 1, 1, 1, 0, 1, 1, 1],
  ]);
  assert.deepEqual(rows(positive)[3], [0, 0, 0, 0, 0, 0, 1, 0]);
  // Dev asks for the first alone, and a dataset that says nothing trains as DPR does.
  const dev = await trainingExamples(dataset, 'dev', tokens, options, [mined]);
  assert.deepEqual([dev.examples.length, dev.counts.queries], [3, undefined]);
  const usual = await trainingExamples(madeDataset(), 'train', tokens, options, [mined]);
  assert.equal(makeBatch(usual.examples, 1, 0, { ...batching, negatives: 1 }).candidates.length, 6);
});

test('negatives and positives that name unknown passages are refused, each with its query and origin', async () => {
  const strange = source('strange.tsv', { a: ['p9', 'x1'], c: ['x2'], d: ['x3'] });
  await assert.rejects(examplesOf([mined, strange]), {
    code: 'DATA_INVALID',
    message:
      "The train queries train on passages that made does not have:\n  'x1', negative of query 'a' (strange.tsv)\n  'x3', negative of query 'd' (strange.tsv)",
  });
  const unknownPositive = madeDataset({
    qrels: async () => [{ queryId: 'a', passageId: 'p0', relevance: 1 }],
  });
  await assert.rejects(examplesOf([], undefined, unknownPositive), {
    message: /'p0', positive of query 'a'/,
  });
  const many = source('many', { a: Array.from({ length: 15 }, (_, i) => `x${i}`) });
  await assert.rejects(examplesOf([many], { negatives: 1, negativePool: 15 }), {
    message: /\n {2}and 5 more$/,
  });
});

test('one is asked for as more are: one negative, a pool of one, one other, and none of each', async () => {
  const others = { a: ['p9', 'p2'], b: ['p5'] };
  const changes = { otherNegatives: async () => new Map(Object.entries(others)) };
  const asked = async (options: object, dataset = madeDataset(changes), split: 'train' | 'dev' = 'dev') => {
    const usual = { negatives: 0, negativePool: 1, ...options };
    const { examples, counts } = await trainingExamples(dataset, split, tokens, usual, [mined]);
    const numbers = examples.map(({ negatives, others: beside }) => [
      negatives.map(([n]) => n),
      beside!.map(([n]) => n),
    ]);
    return { numbers, counts };
  };
  // The pools of one are p9, p2 (which is relevant) and p6 (which is, too).
  const one = await asked({ negatives: 1 });
  assert.deepEqual(one.numbers, [
    [[9], []],
    [[], []],
    [[], []],
  ]);
  assert.deepEqual(
    [one.counts.tooFewNegatives, one.counts.shortPools, one.counts.positivesAmongNegatives],
    [2, 2, 2],
  );
  const ranked = await asked({ rankPool: { hard: 1, other: 1 } });
  assert.deepEqual(ranked.numbers, [
    [[9], [2]],
    [[], [5]],
    [[], []],
  ]);
  assert.deepEqual([ranked.counts.tooFewHardForRank, ranked.counts.tooFewOthersForRank], [2, 1]);
  const noHard = await asked({ rankPool: { hard: 0, other: 1 } });
  assert.deepEqual(
    noHard.numbers.map(([hard, other]) => [hard!.length, other]),
    [
      [0, [9]],
      [0, [5]],
      [0, []],
    ],
  );
  assert.deepEqual([noHard.counts.tooFewHardForRank, noHard.counts.positivesAmongNegatives], [0, 0]);
  const none = await asked({ negatives: 1, rankPool: { hard: null, other: 0 } });
  assert.deepEqual(none.numbers, one.numbers);
  assert.deepEqual([none.counts.tooFewHardForRank, none.counts.tooFewOthersForRank], [0, 0]);
  // A dataset of pairs leaves out who has none of the one, and nobody where none are asked for.
  const pairs = madeDataset({ trainsOn: 'each-positive' });
  const left = (options: object) =>
    asked(options, pairs, 'train').then(({ counts: { examples, withoutNegatives } }) => [
      examples,
      withoutNegatives,
    ]);
  assert.deepEqual(await left({ negatives: 1 }), [1, 2]);
  assert.deepEqual(await left({ negatives: 1, negativePool: 2 }), [4, 0]);
  assert.deepEqual(await left({}), [4, 0]);
});

test('copies that mining left out are told of, summed over the sources, from the first on', async () => {
  const copies = async (...counts: (number | undefined)[]) => {
    const sources = counts.map((count) => ({ ...mined, ...(count !== undefined && { copies: count }) }));
    return (await examplesOf(sources)).counts.copiesOfPositives;
  };
  assert.deepEqual(
    [await copies(undefined), await copies(0), await copies(1), await copies(2, undefined, 3)],
    [undefined, undefined, 1, 5],
  );
});

test('the collection is read until all that is trained on is found, the passages of the queries first', async () => {
  const read: string[] = [];
  async function* passages(from: string, ids: readonly string[]): AsyncGenerator<Passage> {
    for (const passageId of ids) {
      read.push(`${from} ${passageId}`);
      yield { passageId, title: '', text: passageId.slice(1) };
    }
  }
  const dataset = madeDataset({
    qrels: async () => [
      { queryId: 'a', passageId: 'p1', relevance: 1 },
      { queryId: 'b', passageId: 'p2', relevance: 1 },
    ],
    trainingPassages: () => passages('own', ['p7', 'p1']),
    passages: () => passages('collection', ['p3', 'p1', 'p9', 'p2', 'p4', 'p5']),
  });
  const negatives = source('mined', { a: ['p9'] });
  const { taken } = await examplesOf([negatives], { negatives: 1, negativePool: 1 }, dataset);
  assert.deepEqual(taken, [
    ['a', 1, [9]],
    ['b', 2, []],
  ]);
  assert.deepEqual(read, [
    ...['own p7', 'own p1'],
    ...['collection p3', 'collection p1', 'collection p9', 'collection p2'],
  ]);
  read.length = 0;
  await examplesOf([], { negatives: 0, negativePool: 1 }, { ...dataset, queries: async () => [] });
  assert.deepEqual(read, [], 'nothing is sought');
});

test('ten unknown passages are all named, of more the number', async () => {
  const named = async (count: number) => {
    const many = source('many', { a: Array.from({ length: count }, (_, i) => `x${i}`) });
    const error = await examplesOf([many], { negatives: 1, negativePool: 20 }).catch((reason) => reason);
    return (error as Error).message.split('\n').slice(1);
  };
  const line = (i: number) => `  'x${i}', negative of query 'a' (many)`;
  const ten = Array.from({ length: 10 }, (_, i) => line(i));
  assert.deepEqual(await named(10), ten);
  assert.deepEqual(await named(11), [...ten, '  and 1 more']);
});

test('what is unknown is named in the order of the queries: a positive, its negatives, its others', async () => {
  const strange = source('strange', { a: ['x2', 'x3'], b: ['x6'] });
  const dataset = madeDataset({
    qrels: async () => [
      { queryId: 'a', passageId: 'x1', relevance: 1 },
      { queryId: 'b', passageId: 'x5', relevance: 1 },
    ],
    otherNegatives: async () => new Map([['a', ['x4']]]),
  });
  const asked = { negatives: 2, negativePool: 3, rankPool: { hard: 2, other: 1 } };
  const error = await trainingExamples(dataset, 'dev', tokens, asked, [strange]).catch((reason) => reason);
  assert.deepEqual((error as Error).message.split('\n').slice(1), [
    "  'x1', positive of query 'a'",
    "  'x2', negative of query 'a' (strange)",
    "  'x3', negative of query 'a' (strange)",
    "  'x4', other negative of query 'a'",
    "  'x5', positive of query 'b'",
    "  'x6', negative of query 'b' (strange)",
  ]);
});
