/** What measures see of a query: ranks, gains and judgements, each worked out by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Qrels, Run } from '../harness/contracts.js';
import { type EvaluateOptions, evaluate } from '../harness/metrics/evaluate.js';
import { type JudgeOptions, judge } from '../harness/metrics/judge.js';
import { relevantAmong } from '../harness/metrics/measure.js';
import { parseMeasures } from '../harness/plugins/measures.js';

const ranking = { passageIds: ['x', 'two', 'q', 'bad', 'one', 'zero'] };
const qrels = new Map([
  ['zero', 0],
  ['one', 1],
  ['bad', -2],
  ['lost', 1],
  ['two', 2],
]);
const seen = (options: Partial<JudgeOptions> = {}) => {
  const asked: JudgeOptions = { ties: 'as-ranked', relevance: 1, depth: 6, ...options };
  const { gains, relevant, judged, idealGains, ...rest } = judge('q', ranking, qrels, 3, asked);
  const lists = { gains: [...gains], relevant: [...relevant], judged: [...judged] };
  return { ...rest, ...lists, idealGains: [...idealGains] };
};

test('gains are relevances by rank, and what is not judged or below 0 gains nothing', () => {
  assert.deepEqual(seen(), {
    hitCount: 6,
    gains: [0, 2, 0, 0, 1, 0],
    relevant: [0, 1, 0, 0, 1, 0],
    judged: [0, 1, 0, 0, 1, 1],
    relevantCount: 3,
    notRelevantCount: 1,
    idealGains: [2, 1, 1],
    firstAnswerRank: 3,
  });
});

test('the threshold decides what is relevant, and not what it gains', () => {
  const { gains, relevant, relevantCount, notRelevantCount, idealGains } = seen({ relevance: 2 });
  assert.deepEqual([relevant, relevantCount, notRelevantCount], [[0, 1, 0, 0, 0, 0], 1, 3]);
  assert.deepEqual([gains, idealGains], [seen().gains, [2, 1, 1]]);
});

test('the query itself goes before the depth is counted, what is not judged after it', () => {
  const at = (depth: number, options: Partial<JudgeOptions>) => seen({ depth, ...options }).gains;
  assert.deepEqual(at(4, {}), [0, 2, 0, 0]);
  assert.deepEqual(at(4, { identicalIds: 'dropped' }), [0, 2, 0, 1]);
  assert.deepEqual(at(4, { unjudged: 'dropped' }), [2]);
  assert.deepEqual(at(5, { unjudged: 'dropped' }), [2, 1]);
  assert.deepEqual(at(6, { unjudged: 'dropped' }), [2, 1, 0]);
  assert.deepEqual(at(6, { unjudged: 'kept', identicalIds: 'kept' }), seen().gains);
});

test('relevant hits are counted up to the cut, and no further than there are hits', () => {
  const judged = judge('q', ranking, qrels, undefined, { ties: 'as-ranked', relevance: 1, depth: 6 });
  assert.deepEqual(
    [1, 2, 4, 5, 6, 100, Infinity].map((cut) => relevantAmong(judged, cut)),
    [0, 1, 1, 2, 2, 2, 2],
  );
});

const evaluated = (run: Run, judgements: Qrels, options: Partial<EvaluateOptions> = {}) =>
  evaluate(run, judgements, parseMeasures(['mrr', 'map', 'ndcg', 'recall@5', 'p@5']), {
    ties: 'as-ranked',
    ...options,
  });

test('a query that nothing is relevant to scores 0 by every measure', () => {
  const { measures } = evaluated(new Map([['q', ranking]]), new Map([['q', new Map([['x', 0]])]]));
  assert.deepEqual(
    [...measures.values()].map(({ perQuery }) => [...perQuery]),
    [[0], [0], [0], [0], [0]],
  );
});

test('one query is enough to be evaluated, and one query of another dataset enough to be refused', () => {
  const one: Run = new Map([['q', ranking]]);
  assert.deepEqual(evaluated(one, new Map([['q', qrels]]), { queries: ['q'] }).queryIds, ['q']);
  const foreign = { code: 'DATA_INVALID', message: /no query in common/ };
  assert.throws(() => evaluated(one, new Map([['other', qrels]])), foreign);
  assert.throws(() => evaluated(new Map(), new Map([['q', qrels]]), { queries: 'judged-and-run' }), foreign);
  assert.throws(() => evaluated(one, new Map([['q', qrels]]), { queries: ['q', 'q'] }), /listed twice/);
});

test('depth and relevance are whole numbers from 1, and the depth may be all', () => {
  const one: Run = new Map([['q', ranking]]);
  const given = new Map([['q', qrels]]);
  for (const value of [0, -1, 0.5, 1.5, Number.NaN, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => evaluated(one, given, { depth: value }), { code: 'CONFIG_INVALID' });
    assert.throws(() => evaluated(one, given, { relevance: value }), { code: 'CONFIG_INVALID' });
  }
  const mrr = (depth: number) => evaluated(one, given, { depth }).measures.get('mrr')!.mean;
  assert.deepEqual([1, 2, Infinity].map(mrr), [0, 0.5, 0.5]);
});

test('answers and judgements are measured side by side', () => {
  const { measures } = evaluate(
    new Map([['q', ranking]]),
    new Map([['q', qrels]]),
    parseMeasures(['mrr', 'answer@2', 'answer@3']),
    { ties: 'as-ranked', firstAnswerRank: new Map([['q', 3]]) },
  );
  assert.deepEqual(
    [...measures.values()].map(({ mean }) => mean),
    [0.5, 0, 1],
  );
  const unknown = () =>
    evaluate(new Map([['q', ranking]]), new Map([['q', qrels]]), parseMeasures(['mrr', 'answer@2']), {
      ties: 'as-ranked',
    });
  assert.throws(unknown, /needs firstAnswerRank/);
});

test('a name that is near to none is not taken for one, with a cut-off or without', () => {
  const suggested = (id: string) => {
    try {
      parseMeasures([id]);
    } catch (error) {
      return /Did you mean '(.*)'/.exec((error as Error).message)?.[1];
    }
    return assert.fail(`${id} was taken`);
  };
  const meant: [string, string | undefined][] = [
    ['xyz', undefined],
    ['@10', undefined],
    ['@', undefined],
    ['10', undefined],
    ['recll', 'recall@10'],
    ['recll@5', 'recall@5'],
    ['recll5', 'recall@5'],
    ['mr', 'mrr'],
    ['mr@3', 'mrr@3'],
    ['hit@20', 'hit-rate@20'],
  ];
  for (const [id, expected] of meant) assert.equal(suggested(id), expected, id);
  assert.throws(() => parseMeasures(['P']), /needs a cut-off. Did you mean 'P@10'/);
});
