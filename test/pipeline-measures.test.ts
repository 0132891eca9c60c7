/** From a run to its figures and to what must be said of them, on a dataset small enough to work everything out on paper. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import type { Dataset, Qrel, Query, Run } from '../harness/contracts.js';
import { type MeasureRequest, measureStage } from '../harness/pipeline/measure-stage.js';

const texts = { a: 'the red fish', b: 'an old bird', q1: 'a red fish again', c: 'nothing' };
const qrels: Qrel[] = [
  { queryId: 'q1', passageId: 'a', relevance: 1 },
  { queryId: 'q1', passageId: 'b', relevance: 2 },
  { queryId: 'q2', passageId: 'c', relevance: 1 },
  // Nobody has its text.
  { queryId: 'lost', passageId: 'a', relevance: 1 },
];
const queries: Query[] = [
  { queryId: 'q1', text: '', answers: ['Red Fish'] },
  { queryId: 'q2', text: '', answers: ['bird'] },
];
const run: Run = new Map([
  ['q1', { passageIds: ['q1', 'a', 'b'], scores: [3, 2, 1] }],
  ['q2', { passageIds: ['a', 'b', 'c'], scores: [3, 2, 1] }],
]);

async function measured(
  measures: readonly string[],
  changes: Partial<Dataset> = {},
  more: Partial<MeasureRequest> = {},
) {
  const dataset: Dataset = {
    ...{ name: 'made', version: '1', licence: '', files: [], passageCount: 4 },
    async *passages() {
      for (const [passageId, text] of Object.entries(texts)) yield { passageId, title: 'bird fish', text };
    },
    queries: async (split) => (split === 'test' ? queries : []),
    qrels: async (split) => (split === 'test' ? qrels : []),
    ...changes,
  };
  const asked = { dataset, split: 'test', run, measures, identicalIds: 'kept', ...more } as const;
  const { evaluation, warnings, answerFlags } = await measureStage(asked);
  const figures = Object.fromEntries(
    [...evaluation.measures].map(([id, { perQuery }]) => [id, [...perQuery]]),
  );
  return { figures, warnings, queryIds: evaluation.queryIds, answerFlags };
}

test('queries in their order, then those that are judged and have no text, which score 0', async () => {
  const { queryIds, figures, warnings } = await measured(['mrr@10', 'recall@2']);
  assert.deepEqual(queryIds, ['q1', 'q2', 'lost']);
  assert.deepEqual(figures, { 'mrr@10': [1 / 2, 1 / 3, 0], 'recall@2': [1 / 2, 0, 0] });
  assert.deepEqual(warnings, []);
  const dropped = await measured(['mrr@10'], {}, { identicalIds: 'dropped' });
  assert.deepEqual(dropped.figures, { 'mrr@10': [1, 1 / 3, 0] });
});

test('a judged query without a text that has hits is answered by none of them, and that is said', async () => {
  const hits: Run = new Map([...run, ['lost', { passageIds: ['a'], scores: [1] }]]);
  const measures = ['answer@1', 'mrr@10'];
  const { figures, warnings } = await measured(measures, { answerMatching: 'string' }, { run: hits });
  assert.deepEqual(figures, { 'answer@1': [1, 0, 0], 'mrr@10': [1 / 2, 1 / 3, 1] });
  assert.deepEqual(warnings, [
    "1 judged query has hits, and made has no text and no answers of it: it counts as answered by no hit ('lost').",
  ]);
  // Nothing else looks for answers.
  assert.deepEqual((await measured(['mrr@10'], { answerMatching: 'string' }, { run: hits })).warnings, []);
});

test('answers are sought in texts alone, and their ranks counted as those of the hits', async () => {
  const answering = { answerMatching: 'string' } as const;
  const kept = await measured(['answer@1', 'answer@2'], answering);
  assert.deepEqual(kept.figures, { 'answer@1': [1, 0, 0], 'answer@2': [1, 1, 0] });
  assert.deepEqual(
    [...kept.answerFlags!].map(([id, flags]) => [id, ...flags]),
    [
      ['q1', 1, 1, 0],
      ['q2', 0, 1, 0],
    ],
  );
  const other = {
    ...answering,
    queries: async () => [{ ...queries[0]!, answers: ['old'] }],
    qrels: async () => qrels.slice(0, 2),
  };
  const counted = await measured(['answer@2', 'answer@3'], other, { identicalIds: 'dropped' });
  assert.deepEqual(counted.figures['answer@2'], [1]);
  const whole = await measured(['answer@2', 'answer@3'], other);
  assert.deepEqual(whole.figures, { 'answer@2': [0], 'answer@3': [1] });
  assert.equal((await measured(['mrr@10'], answering)).answerFlags, undefined);
});

test('what a grade counts from, patterns that cannot be run, answers that every passage holds: each is said', async () => {
  const { figures, warnings } = await measured(['mrr@10'], { relevantFrom: 2, remarks: ['a remark'] });
  assert.deepEqual(figures, { 'mrr@10': [1 / 3, 0, 0] });
  assert.deepEqual(warnings, [
    'a remark',
    'Measures without grades take a relevance of 2 or more for relevant.',
  ]);
  const answers = async (answerMatching: 'string' | 'regex', ...lists: string[][]) => {
    const asking = lists.map((own, i) => ({ queryId: `q${i + 1}`, text: '', answers: own }));
    return (await measured(['answer@1'], { answerMatching, queries: async () => asking })).warnings;
  };
  assert.deepEqual(await answers('regex', ['(', 'red', '['], ['b(']), [
    '3 answer patterns cannot be run and match nothing.',
  ]);
  assert.deepEqual(await answers('string', [''], ['fish']), [
    '1 of 2 queries have an answer that is empty or without a word: every passage holds it, as DPR counts.',
  ]);
  assert.deepEqual(await answers('string', ['red'], ['fish']), []);
});

test('a measure that was named and cannot be had is left out with the reason, of the usual ones in silence', async () => {
  const usual = defaultConfig().measures;
  const without = async (measures: readonly string[], changes: Partial<Dataset>) => {
    const { figures, warnings } = await measured(measures, changes);
    return [Object.keys(figures), warnings];
  };
  const [kept, said] = await without(usual, {});
  assert.deepEqual([kept, said], [usual.filter((id) => !id.startsWith('answer')), []]);
  assert.deepEqual(await without(['answer@5', 'mrr@10'], {}), [
    ['mrr@10'],
    ['answer@5 is left out: made has no answers for its test queries.'],
  ]);
  assert.deepEqual(await without(['answer@5', 'answer@20', 'mrr@10'], {}), [
    ['mrr@10'],
    ['answer@5, answer@20 are left out: made has no answers for its test queries.'],
  ]);
  const unjudged = { qrels: async () => [], answerMatching: 'string' } as const;
  assert.deepEqual(await without(['answer@5', 'mrr@10'], unjudged), [
    ['answer@5'],
    ['mrr@10 is left out: made has no qrels for its test queries.'],
  ]);
  // The same in another order, or one fewer, is no longer the usual list.
  const [, turned] = await without(usual.toReversed(), {});
  assert.equal(turned!.length, 1);
  const [, fewer] = await without(usual.slice(0, -1), {});
  assert.equal(fewer!.length, usual.slice(0, -1).some((id) => id.startsWith('answer')) ? 1 : 0);
});

test('answers by scores alone are a fault: the ranks of a search are theirs', async () => {
  await assert.rejects(measured(['answer@1'], { answerMatching: 'string', tieRule: 'trec_eval' }), TypeError);
  const tied: Run = new Map([['q1', { passageIds: ['b', 'a'], scores: [1, 1] }]]);
  const [first, second] = [
    await measured(['p@1'], { qrels: async () => [qrels[1]!] }, { run: tied }),
    await measured(['p@1'], { qrels: async () => [qrels[1]!], tieRule: 'trec_eval' }, { run: tied }),
  ];
  // Of equal scores trec_eval takes the larger id first, which b is, too; so look at the other.
  assert.deepEqual([first.figures['p@1']![0], second.figures['p@1']![0]], [1, 1]);
  const turned: Run = new Map([['q1', { passageIds: ['a', 'b'], scores: [1, 1] }]]);
  const third = await measured(['p@1'], { qrels: async () => [qrels[1]!] }, { run: turned });
  const fourth = await measured(
    ['p@1'],
    { qrels: async () => [qrels[1]!], tieRule: 'trec_eval' },
    { run: turned },
  );
  assert.deepEqual([third.figures['p@1']![0], fourth.figures['p@1']![0]], [0, 1]);
});
