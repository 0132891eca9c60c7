/** The two best systems of a section query by query. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryDifferences } from '../harness/comparison/queries.js';
import type { TextSource } from '../harness/comparison.js';
import type { StoredRecord } from '../harness/record.js';
import { given, ones } from './given-records.js';
import { prepare } from './made-reports.js';

const sectionOf = async (records: readonly StoredRecord[], request: Parameters<typeof prepare>[1]) =>
  (await prepare(records, request)).sections[0]!;

const systemOf = (...runs: StoredRecord[]) => ({ name: runs[0]!.record.arch.name, runs });

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

test('only the same queries are compared, whatever order either has them in', async () => {
  const of = (arch: string, values: Readonly<Record<string, number>>) => {
    const { file, record } = given({ arch, measures: { 'answer@20': Object.values(values) } });
    return { file, record: { ...record, queryIds: Object.keys(values) } };
  };
  const first = of('mlr', { a: 1, b: 0.5, c: 0.75, d: 0.5 });
  const [run, other] = [systemOf(first), of('dual-encoder', { d: 0.25, c: 1, b: 0, a: 0.5 })];
  const shown = await queryDifferences([run, systemOf(other)], 'answer@20', silent);
  assert.deepEqual(
    shown!.queries.map(({ queryId, values }) => [queryId, ...values]),
    [
      ['a', 1, 0.5],
      ['b', 0.5, 0],
      ['d', 0.5, 0.25],
      ['c', 0.75, 1],
    ],
  );
  for (const [why, values] of Object.entries<Record<string, number>>({
    'one of them is another': { a: 0, b: 0, c: 0, e: 0 },
    'one is missing': { a: 0, b: 0, c: 0 },
    'there is one more': { a: 0, b: 0, c: 0, d: 0, e: 0 },
    'all are others': { e: 0, f: 0, g: 0, h: 0 },
  })) {
    const found = await queryDifferences([run, systemOf(of('dual-encoder', values))], 'answer@20', silent);
    assert.equal(found, undefined, why);
  }
});

test('more than five on either side are cut to five, and among equals in everything the first by name', async () => {
  const ids = ['k', 'j', 'i', 'h', 'g', 'f', 'e', 'd', 'c', 'b', 'a'];
  const of = (arch: string, value: number) => {
    const { file, record } = given({ arch, measures: { 'answer@20': ids.map(() => value) } });
    return systemOf({ file, record: { ...record, queryIds: ids } });
  };
  const shown = async (a: number, b: number) =>
    (await queryDifferences([of('mlr', a), of('bm25', b)], 'answer@20', silent))!.queries.map(
      ({ queryId }) => queryId,
    );
  assert.deepEqual(await shown(1, 0), ['a', 'b', 'c', 'd', 'e']);
  assert.deepEqual(await shown(0, 1), ['k', 'j', 'i', 'h', 'g']);
  assert.deepEqual(await shown(1, 1), []);
});

test('runs of one seed are compared, the first that both have; what has no seed goes with any', async () => {
  const of = (arch: string, seed: number | null, value: number) =>
    given({ arch, seed, measures: { 'answer@20': [value, 0] } });
  const shown = async (a: StoredRecord[], b: StoredRecord[]) => {
    const found = await queryDifferences([systemOf(...a), systemOf(...b)], 'answer@20', silent);
    return found && [found.seed, found.queries[0]!.values];
  };
  const trained = [of('mlr', 1, 0.875), of('mlr', 2, 0.75), of('mlr', 3, 0.625)];
  const other = [of('bm25', 4, 0.125), of('bm25', 3, 0.25), of('bm25', 2, 0.375)];
  assert.deepEqual(await shown(trained, other), [2, [0.75, 0.375]]);
  assert.deepEqual(await shown(trained, [of('bm25', null, 0.5)]), [1, [0.875, 0.5]]);
  assert.deepEqual(await shown([of('bm25', null, 0.5)], other), [null, [0.5, 0.125]]);
  assert.equal(await shown(trained, [of('bm25', 4, 0.5)]), undefined);
});

test('notes are said once, a missing measure or run shows nothing, and texts stand beside their queries', async () => {
  const [a, b] = ['mlr', 'bm25'].map((arch, i) =>
    systemOf(given({ arch, measures: { 'answer@20': [1 - i, 0] } })),
  ) as [ReturnType<typeof systemOf>, ReturnType<typeof systemOf>];
  const [queryId] = a.runs[0]!.record.queryIds as [string];
  const asked: unknown[] = [];
  const source: TextSource = {
    run: async ({ record }) =>
      record.arch.name === 'mlr'
        ? { run: new Map([[queryId, { passageIds: ['p', 'q'] }]]), note: 'same' }
        : { note: 'same' },
    texts: async (stored, queries, passages) => {
      asked.push(stored.record.arch.name, [...queries], [...passages]);
      return {
        queries: new Map([[queryId, { queryId, text: 'who', answers: ['me'] }]]),
        passages: new Map([['q', { title: 'Q', text: 'it is me' }]]),
        note: 'other',
      };
    },
  };
  const found = await queryDifferences([a, b], 'answer@20', source);
  assert.deepEqual(asked, ['mlr', [queryId], ['p', 'q']]);
  assert.deepEqual(found!.notes, ['same', 'other']);
  assert.deepEqual(found!.queries, [
    {
      ...{ queryId, text: 'who', answers: ['me'], values: [1, 0] },
      hits: [
        [
          { passageId: 'p', rank: 1 },
          { passageId: 'q', rank: 2, title: 'Q', text: 'it is me' },
        ],
        [],
      ],
    },
  ]);
  assert.equal(await queryDifferences([a, b], 'mrr@10', source), undefined);
});
