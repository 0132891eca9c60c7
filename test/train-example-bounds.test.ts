/** Examples at the bounds of what is asked for: one of each, none of each, and what is unknown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Passage } from '../harness/contracts.js';
import { trainingExamples } from '../harness/train/examples.js';
import { examplesOf, madeDataset, mined, source, tokens } from './made-examples.js';

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
