/** Measures by hand: each definition on a ranking small enough to work out on paper, and the ids they go by. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Qrels, Run } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { evaluate } from '../harness/metrics/evaluate.js';
import { judge } from '../harness/metrics/judge.js';
import type { JudgedQuery } from '../harness/metrics/measure.js';
import { measureFamilies, measureForms, measureId, parseMeasures } from '../harness/plugins/measures.js';
import { type Stream, stream } from '../harness/random.js';

// Ranks 1 to 5: not judged, relevance 1, judged 0, relevance 3, relevance 1; one of relevance 2 is not found.
const run: Run = new Map([['q', { passageIds: ['x', 'a', 'zero', 'b', 'c'] }]]);
const qrels: Qrels = new Map([
  [
    'q',
    new Map([
      ['a', 1],
      ['zero', 0],
      ['b', 3],
      ['c', 1],
      ['lost', 2],
    ]),
  ],
]);
const byHand = Object.assign({}, ...measureFamilies.map((family) => family.byHand)) as Record<string, number>;

for (const [id, value] of Object.entries(byHand)) {
  test(`${id} by hand`, () => {
    const { measures } = evaluate(run, qrels, parseMeasures([id]), {
      ties: 'as-ranked',
      firstAnswerRank: new Map([['q', 3]]),
    });
    assert.ok(
      Math.abs(measures.get(id)!.mean - value) < 1e-15,
      `${measures.get(id)!.mean}, by hand ${value}`,
    );
  });
}

test('every measure has values worked out by hand, with and without a cut-off where both are possible', () => {
  for (const { name, byHand: own } of measureFamilies)
    for (const id of Object.keys(own)) assert.equal(id.replace(/@.*/, ''), name);
  const covered = new Set(Object.keys(byHand).map((id) => id.replace(/@.*/, '@k')));
  assert.deepEqual([...covered].sort(), measureForms().sort());
  assert.ok(Object.values(byHand).some((value) => value > 0 && value < 1));
});

/** A query with any number of hits and of judgements, none among them; grades below 0 too. */
function drawn(random: Stream): JudgedQuery {
  const below = (count: number) => Math.floor(random.uniform() * count);
  const passageIds = Array.from({ length: below(12) }, (_, i) => `d${i}`);
  const judged = new Map<string, number>();
  for (let i = 0; i < 16; i++) if (random.uniform() < 0.4) judged.set(`d${i}`, below(6) - 2);
  const firstAnswerRank = random.uniform() < 0.3 ? undefined : 1 + below(12);
  return judge('q', { passageIds }, judged, firstAnswerRank, {
    ties: 'as-ranked',
    relevance: 1 + below(2),
    depth: Infinity,
  });
}

/** The same query where the search had found the first hits alone. */
const firstOf = (query: JudgedQuery, cut: number): JudgedQuery => ({
  ...query,
  hitCount: Math.min(query.hitCount, cut),
  gains: query.gains.slice(0, cut),
  relevant: query.relevant.slice(0, cut),
  judged: query.judged.slice(0, cut),
  firstAnswerRank: query.firstAnswerRank! <= cut ? query.firstAnswerRank : undefined,
});

for (const { name, cut, unit, score } of measureFamilies) {
  test(`${name} of any query is what its unit allows, looks at no hit behind its cut-off, and changes nothing`, () => {
    const random = stream(5, 'measures');
    for (let i = 0; i < 500; i++) {
      const query = drawn(random);
      const before = structuredClone(query);
      for (const k of cut === 'optional' ? [1, 3, 10, Infinity] : [1, 3, 10]) {
        const value = score(query, k);
        const what = `${value} at ${k} of ${JSON.stringify(query)}`;
        assert.ok(Number.isFinite(value), what);
        if (unit === 'share') assert.ok(value >= 0 && value <= 1 + 1e-9, what);
        assert.equal(score(firstOf(query, k), k), value, what);
        assert.deepEqual(query, before);
      }
    }
  });
}

test('what a measure cannot be is no figure: the plug-in is named, and the query', () => {
  const [measure] = parseMeasures(['p@5']);
  const given = (value: number, unit: 'share' | 'count') =>
    evaluate(run, qrels, [{ ...measure!, unit, score: () => value }], { ties: 'as-ranked' });
  for (const [value, unit] of [
    [1.5, 'share'],
    [-0.1, 'share'],
    [Number.NaN, 'share'],
    [Number.NaN, 'count'],
    [Infinity, 'count'],
  ] as const)
    assert.throws(() => given(value, unit), {
      code: 'PLUGIN_FAILED',
      message: `The plug-in harness/metrics/measures/p.ts gave ${value} as p@5 of query 'q'.`,
    });
  assert.equal(given(1.5, 'count').measures.get('p@5')!.mean, 1.5);
});

test('relevance 2 makes 1 not relevant, and leaves ndcg as it is', () => {
  const { measures } = evaluate(run, qrels, parseMeasures(['mrr', 'recall@5', 'ndcg']), {
    ties: 'as-ranked',
    relevance: 2,
  });
  assert.equal(measures.get('mrr')!.mean, 1 / 4);
  assert.equal(measures.get('recall@5')!.mean, 1 / 2);
  assert.equal(measures.get('ndcg')!.mean, byHand.ndcg);
});

test('measures go by the names of the field, whatever the case', () => {
  const written = ['nDCG@10', 'NDCG@5', 'RR@10', 'RR', 'MRR@5', 'R@100', 'Recall@20', 'AP', 'AP@100', 'P@10'];
  const ids = [
    'ndcg@10',
    'ndcg@5',
    'mrr@10',
    'mrr',
    'mrr@5',
    'recall@100',
    'recall@20',
    'map',
    'map@100',
    'p@10',
  ];
  assert.deepEqual(
    parseMeasures([...written, 'Precision@5']).map(({ id }) => id),
    [...ids, 'p@5'],
  );
  assert.deepEqual(written.map(measureId), ids);
  // Two names of one measure are one.
  assert.deepEqual(
    parseMeasures(['RR@10', 'mrr@10']).map(({ id }) => id),
    ['mrr@10'],
  );
  // What may mean something else is not guessed.
  assert.throws(() => parseMeasures(['Accuracy@20']), /Did you mean 'answer@20'/);
  assert.equal(measureId('average-rank'), 'average-rank');
});

test('every measure says what it is and where it looks', () => {
  for (const family of measureFamilies) {
    const [measure] = parseMeasures([`${family.name}@7`]);
    assert.match(measure!.description, /\b7\b/);
    assert.equal(measure!.cut, 7);
    assert.ok(['qrels', 'answers'].includes(measure!.needs));
    assert.ok(['share', 'count'].includes(measure!.unit));
    const values = Object.values(family.byHand);
    if (measure!.unit === 'share') assert.ok(values.every((value) => value >= 0 && value <= 1));
  }
  assert.doesNotMatch(
    parseMeasures(['mrr', 'map', 'ndcg'])
      .map((each) => each.description)
      .join(),
    /undefined|\bk\b/,
  );
});

test('our own measures are shares of which more is better; all but answer@k go by qrels', () => {
  const own = [
    'answer',
    'bpref',
    'hit-rate',
    'judged',
    'map',
    'mrr',
    'ndcg',
    'p',
    'recall',
    'rprec',
    'success',
  ];
  const facts = (name: string) => {
    const { needs, unit, higherIsBetter, cut } = measureFamilies.find((family) => family.name === name)!;
    return [name, needs, unit, higherIsBetter, cut];
  };
  assert.deepEqual(
    own.map(facts),
    own.map((name) => [
      ...[name, name === 'answer' ? 'answers' : 'qrels', 'share', true],
      ['bpref', 'map', 'mrr', 'ndcg', 'rprec'].includes(name) ? 'optional' : 'required',
    ]),
  );
});

test('an id asked for twice is measured once, in the order of asking', () => {
  const ids = parseMeasures(['ndcg@10', 'mrr', 'ndcg@10', 'ndcg']).map(({ id }) => id);
  assert.deepEqual(ids, ['ndcg@10', 'mrr', 'ndcg']);
});

const meant: Record<string, RegExp> = {
  'ndgc@10': /'ndgc@10'.*'ndcg@10'/,
  ndgc_20: /'ndcg@20'/,
  ndcg_cut_10: /'ndcg@10'/,
  'ndcg_cut.10': /'ndcg@10'/,
  P_10: /'p@10'/,
  recip_rank: /'mrr'/,
  bperf: /'bpref'/,
  map_cut_5: /'map@5'/,
  recall_100: /'recall@100'/,
  succes: /'success@10'/,
  success: /needs a cut-off.*'success@10'/,
  'mrr@0': /'mrr@0'.*whole number from 1, not '0'/,
  'mrr@': /whole number from 1, not ''/,
  'mrr@-5': /not '-5'/,
  'mrr@1.5': /not '1.5'/,
  'mrr@1e2': /not '1e2'/,
  'p@007': /not '007'/,
  'p@99999999999999999999': /not '99999999999999999999'/,
  'mrr@10@10': /not '10@10'/,
};

for (const [id, message] of Object.entries(meant)) {
  test(`${id} is refused with what was meant`, () => {
    assert.throws(
      () => parseMeasures([id]),
      (error) => error instanceof BenchError && error.code === 'UNKNOWN_NAME' && message.test(error.message),
    );
  });
}

test('all bad ids are reported at once, with the ids there are', () => {
  assert.throws(
    () => parseMeasures(['mrr', 'quality', '', 'p@x', 'ndcg@10']),
    (error) => {
      assert.ok(error instanceof BenchError);
      assert.deepEqual(error.message.split('\n'), [
        "There is no measure 'quality'.",
        "There is no measure ''.",
        "The cut-off of measure 'p@x' must be a whole number from 1, not 'x'.",
      ]);
      assert.match(error.hint ?? '', /answer@k, .*mrr, mrr@k, ndcg/);
      return true;
    },
  );
});
