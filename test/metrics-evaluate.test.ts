/** Which queries and hits count, in which order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Qrels, Run } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { type EvaluateOptions, evaluate } from '../harness/metrics/evaluate.js';
import { compareBytes } from '../harness/metrics/judge.js';
import { parseMeasures } from '../harness/plugins/measures.js';

const relevantA = new Map([['a', 1]]);
const qrels: Qrels = new Map([
  ['found', relevantA],
  ['missed', relevantA],
  ['empty', relevantA],
  ['irrelevant', new Map([['a', 0]])],
]);
const run: Run = new Map([
  ['other', { passageIds: ['a'], scores: [1] }],
  ['irrelevant', { passageIds: ['a'], scores: [1] }],
  ['empty', { passageIds: [], scores: [] }],
  ['found', { passageIds: ['b', 'a'], scores: [2, 1] }],
]);

function mrr(given: Run, judged: Qrels, options: EvaluateOptions) {
  const evaluation = evaluate(given, judged, parseMeasures(['mrr']), options);
  const { mean, perQuery } = evaluation.measures.get('mrr')!;
  return { ...evaluation, mean, perQuery: Array.from(perQuery) };
}

test('a query without hits scores 0 and is not dropped', () => {
  const { mean, perQuery, queryIds, withoutHits, leftOut } = mrr(run, qrels, { ties: 'as-ranked' });
  assert.deepEqual(queryIds, ['found', 'missed', 'empty', 'irrelevant']);
  assert.deepEqual(perQuery, [0.5, 0, 0, 0]);
  assert.equal(mean, 0.125);
  assert.equal(withoutHits, 2);
  assert.equal(leftOut, 1);
});

test('trec_eval without -c averages over the queries of both', () => {
  const { mean, queryIds } = mrr(run, qrels, { ties: 'trec_eval', queries: 'judged-and-run' });
  assert.deepEqual(queryIds, ['found', 'empty', 'irrelevant']);
  assert.equal(mean, 0.5 / 3);
});

test('a list of queries counts as it stands, judged or not', () => {
  const { mean, queryIds } = mrr(run, qrels, { ties: 'as-ranked', queries: ['other', 'found'] });
  assert.deepEqual(queryIds, ['other', 'found']);
  assert.equal(mean, 0.25);
});

test('a run without any hits scores 0 everywhere', () => {
  assert.equal(mrr(new Map(), qrels, { ties: 'as-ranked' }).mean, 0);
});

test('run and qrels of different datasets are refused with a look at their ids', () => {
  const foreign: Qrels = new Map([['Q1', relevantA]]);
  assert.throws(
    () => mrr(run, foreign, { ties: 'as-ranked' }),
    (error) =>
      error instanceof BenchError && error.code === 'DATA_INVALID' && /'other'.*'Q1'/.test(error.hint ?? ''),
  );
  assert.throws(() => mrr(run, new Map(), { ties: 'as-ranked' }), { code: 'DATA_INVALID' });
  assert.throws(() => mrr(run, qrels, { ties: 'as-ranked', queries: [] }), { code: 'DATA_INVALID' });
});

test('the tie rule decides: ranks as given, or scores and then ids descending', () => {
  const tied: Run = new Map([['q', { passageIds: ['a', 'c', 'b'], scores: [1, 1, 1], ranks: [1, 3, 2] }]]);
  const judged = (relevant: string): Qrels => new Map([['q', new Map([[relevant, 1]])]]);
  const ranksOf = (ties: EvaluateOptions['ties']) =>
    ['a', 'b', 'c'].map((id) => Math.round(1 / mrr(tied, judged(id), { ties }).mean));
  assert.deepEqual(ranksOf('as-ranked'), [1, 2, 3]);
  assert.deepEqual(ranksOf('trec_eval'), [3, 2, 1]);
});

test('as-ranked does not look at scores, trec_eval not at ranks', () => {
  const contrary: Run = new Map([['q', { passageIds: ['a', 'b'], scores: [1, 2], ranks: [1, 2] }]]);
  const judged: Qrels = new Map([['q', relevantA]]);
  assert.equal(mrr(contrary, judged, { ties: 'as-ranked' }).mean, 1);
  assert.equal(mrr(contrary, judged, { ties: 'trec_eval' }).mean, 0.5);
  const scoreless: Run = new Map([['q', { passageIds: ['a', 'b'] }]]);
  assert.throws(() => mrr(scoreless, judged, { ties: 'trec_eval' }), /need scores/);
});

test('ids are compared by their UTF-8 bytes', () => {
  const ids = ['', 'B', 'a', 'aa', 'é', '\ud7ff', '\ue000', '\uffee', '\u{10000}', '\u{1f600}'];
  for (const [i, a] of ids.entries()) {
    for (const [j, b] of ids.entries()) {
      assert.equal(Math.sign(compareBytes(a, b)), Math.sign(i - j), `${a} ${b}`);
      assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }
  }
});

test('a hit that is the query itself is dropped on request, before ranks are counted', () => {
  const own: Run = new Map([['q', { passageIds: ['q', 'a'], scores: [2, 1] }]]);
  const judged: Qrels = new Map([['q', relevantA]]);
  assert.equal(mrr(own, judged, { ties: 'as-ranked' }).mean, 0.5);
  assert.equal(mrr(own, judged, { ties: 'as-ranked', identicalIds: 'dropped' }).mean, 1);
  assert.equal(mrr(own, judged, { ties: 'as-ranked', identicalIds: 'dropped', depth: 1 }).mean, 1);
});

test('hits that nobody judged are dropped on request, after the depth and with the ties of the whole ranking', () => {
  const given: Run = new Map([['q', { passageIds: ['x', 'n', 'y', 'a'], scores: [4, 3, 2, 1] }]]);
  const judged: Qrels = new Map([
    [
      'q',
      new Map([
        ['a', 1],
        ['n', -1],
        ['y', 0],
      ]),
    ],
  ]);
  const options = { ties: 'trec_eval', unjudged: 'dropped' } as const;
  // x is not in the pool, n is in it and was not judged: a is second after y, which was.
  assert.equal(mrr(given, judged, options).mean, 1 / 2);
  assert.equal(mrr(given, judged, { ties: 'trec_eval' }).mean, 1 / 4);
  assert.equal(mrr(given, judged, { ...options, depth: 3 }).mean, 0);
});

test('hits below the depth do not count, answers neither', () => {
  const judged: Qrels = new Map([['found', relevantA]]);
  assert.equal(mrr(run, judged, { ties: 'as-ranked', depth: 1 }).mean, 0);
  const at = (depth: number) =>
    evaluate(run, judged, parseMeasures(['answer@5']), {
      ties: 'as-ranked',
      depth,
      firstAnswerRank: new Map([['found', 2]]),
    }).measures.get('answer@5')!.mean;
  assert.deepEqual([at(1), at(2)], [0, 1]);
  assert.throws(() => mrr(run, judged, { ties: 'as-ranked', depth: 0 }), { code: 'CONFIG_INVALID' });
  assert.throws(() => mrr(run, judged, { ties: 'as-ranked', relevance: 0.5 }), { code: 'CONFIG_INVALID' });
});

test('answer@k needs no qrels, and must know every query that has hits', () => {
  const options = { ties: 'as-ranked', queries: ['found', 'missed', 'other'] } as const;
  const measures = parseMeasures(['answer@1', 'answer@2']);
  const firstAnswerRank = new Map([
    ['found', 2],
    ['other', undefined],
  ]);
  const { measures: results } = evaluate(run, new Map(), measures, { ...options, firstAnswerRank });
  assert.deepEqual(Array.from(results.get('answer@1')!.perQuery), [0, 0, 0]);
  assert.deepEqual(Array.from(results.get('answer@2')!.perQuery), [1, 0, 0]);
  assert.throws(() => evaluate(run, new Map(), measures, options), /firstAnswerRank/);
  firstAnswerRank.delete('other');
  assert.throws(() => evaluate(run, new Map(), measures, { ...options, firstAnswerRank }), /'other'/);
});

test('ranks that the source states decide, not the order in which the hits were given', () => {
  const stated: Run = new Map([['q', { passageIds: ['b', 'a'], scores: [2, 1], ranks: [2, 1] }]]);
  const judged: Qrels = new Map([['q', new Map([['a', 1]])]]);
  assert.equal(mrr(stated, judged, { ties: 'as-ranked' }).mean, 1);
});

test('what is left out is counted, of the run and of the qrels', () => {
  const counted = (queries: NonNullable<EvaluateOptions['queries']>) => {
    const { leftOut, judgedLeftOut, queryIds } = mrr(run, qrels, { ties: 'as-ranked', queries });
    return [queryIds.length, leftOut, judgedLeftOut];
  };
  // Both have 4 queries, 3 of them in common.
  assert.deepEqual(counted('judged'), [4, 1, 0]);
  assert.deepEqual(counted('judged-and-run'), [3, 1, 1]);
  assert.deepEqual(counted(['found', 'other']), [2, 2, 3]);
});

test('passages of one stated rank stay in the order in which they were given', () => {
  const hits = { passageIds: ['a', 'b', 'c', 'd', 'e'], scores: [1, 2, 3, 4, 5], ranks: [2, 1, 1, 2, 1] };
  const rankOf = (id: string) =>
    Math.round(
      1 / mrr(new Map([['q', hits]]), new Map([['q', new Map([[id, 1]])]]), { ties: 'as-ranked' }).mean,
    );
  assert.deepEqual(['b', 'c', 'e', 'a', 'd'].map(rankOf), [1, 2, 3, 4, 5]);
});
