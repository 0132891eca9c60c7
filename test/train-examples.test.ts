/** What becomes of queries, positives and negatives on their way into training: nothing is left out in silence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remarks } from '../harness/stages/train.js';
import { makeBatch } from '../harness/train/batches.js';
import { trainingExamples } from '../harness/train/examples.js';
import { examplesOf, madeDataset, mined, source, tokens } from './made-examples.js';

const batching = {
  batchSize: 4,
  missingNegative: 'left-out',
  maxQueryTokens: 4,
  maxPassageTokens: 4,
  paddingId: 0,
} as const;

const noDev = {
  examples: 0,
  withoutPositive: 0,
  positivesAmongNegatives: 0,
  tooFewNegatives: 0,
  shortPools: 0,
};

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
    '1 training query has no positive and is left out',
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
