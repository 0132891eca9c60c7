/** The two best systems of a section query by query. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextSource } from '../harness/comparison.js';
import type { StoredRecord } from '../harness/record.js';
import { given, ones } from './given-records.js';
import { prepare } from './made-reports.js';

const sectionOf = async (records: readonly StoredRecord[], request: Parameters<typeof prepare>[1]) =>
  (await prepare(records, request)).sections[0]!;

const silent: TextSource = {
  run: ({ record }) =>
    Promise.resolve({
      run: new Map(
        record.queryIds.map((id) => [
          id,
          { passageIds: ['a', 'b', 'c', 'd', 'e', 'f'], scores: [6, 5, 4, 3, 2, 1] },
        ]),
      ),
    }),
  texts: (_, queryIds) =>
    Promise.resolve({ qrels: new Map([...queryIds].map((id) => [id, new Map([['b', 2]])])) }),
};

test('the two best query by query: five that gain most and five that lose most, others deciding among equals', async () => {
  const queries = 14;
  // q0 to q6 are won, q7 to q12 lost, q13 is the same; of those mrr says which by more.
  const answers = (arch: string, of: (q: number) => number, reciprocal: (q: number) => number, rank = 0) =>
    given({
      arch,
      measures: {
        'answer@20': Array.from({ length: queries }, (_, q) => of(q)),
        'mrr@10': Array.from({ length: queries }, (_, q) => reciprocal(q)),
        'average-rank': Array.from({ length: queries }, () => rank),
      },
      lower: ['average-rank'],
    });
  const better = answers(
    'mlr',
    (q) => (q < 7 ? 1 : 0),
    (q) => (q < 7 ? q / 10 : 0),
  );
  const other = answers(
    'dual-encoder',
    (q) => (q >= 7 && q < 13 ? 1 : 0),
    (q) => (q >= 7 ? (q - 6) / 10 : 0),
  );
  const third = answers(
    'me-bert',
    () => 0,
    () => 0,
  );
  const { queries: shown } = await sectionOf([third, other, better], { texts: silent });
  assert.deepEqual([shown!.measure, shown!.systems, shown!.seed], ['answer@20', ['mlr', 'dual-encoder'], 1]);
  assert.deepEqual(shown!.differences, [...ones(7, 7), 0, ...ones(6, 6).map((value) => -value)]);
  assert.deepEqual(
    shown!.queries.map(({ queryId, values }) => [queryId, ...values]),
    [
      ...['q6', 'q5', 'q4', 'q3', 'q2'].map((id) => [id, 1, 0]),
      ...['q12', 'q11', 'q10', 'q9', 'q8'].map((id) => [id, 0, 1]),
    ],
  );
  assert.deepEqual(shown!.queries[0]!.hits[0], [
    { passageId: 'a', rank: 1, score: 6 },
    { passageId: 'b', rank: 2, score: 5, relevance: 2 },
    { passageId: 'c', rank: 3, score: 4 },
    { passageId: 'd', rank: 4, score: 3 },
    { passageId: 'e', rank: 5, score: 2 },
  ]);
  // Of a measure that is better when lower the two best are those with the least.
  const ranked = [
    answers(
      'a',
      () => 1,
      () => 1,
      9,
    ),
    answers(
      'b',
      () => 1,
      () => 1,
      2,
    ),
    answers(
      'c',
      () => 1,
      () => 1,
      5,
    ),
  ];
  const byRank = await sectionOf(ranked, { texts: silent, measures: ['average-rank'] });
  assert.deepEqual([byRank.queries!.systems, byRank.queries!.differences[0]], [['b', 'c'], -3]);
});

test('of two systems both are the best, of one there is nothing to show', async () => {
  const answering = (arch: string, value: number) =>
    given({ arch, measures: { 'answer@20': [value, 0, 1] } });
  const [better, other] = [answering('mlr', 1), answering('dual-encoder', 0)];
  const { queries: shown } = await sectionOf([other, better], { texts: silent });
  assert.deepEqual(shown?.systems, ['mlr', 'dual-encoder']);
  assert.equal((await sectionOf([better], { texts: silent })).queries, undefined);
});
