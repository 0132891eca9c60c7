/** What a batch holds, place by place, against its description; what an epoch comes to; chunks, and draws that are permutations. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import {
  type BatchOptions,
  drawNegatives,
  epochOrder,
  makeBatch,
  type TrainingExample,
} from '../harness/train/batches.js';
import { concatenate } from '../harness/train/concatenate.js';
import { addStep, emptyRunning, epochFacts } from '../harness/train/running-epoch.js';
import type { TrainingState } from '../harness/train/training-state.js';

const random = stream(7, 'batch rules');
const text = () => Int32Array.from({ length: random.integer(12) }, () => 2 + random.integer(50));

/** @param rich whether examples have judged passages and a teacher */
function drawnExamples(count: number, rich: boolean): TrainingExample[] {
  return Array.from({ length: count }, (_, i) => {
    const negatives = Array.from({ length: random.integer(5) }, text);
    const score = () => (random.integer(3) === 0 ? Number.NaN : random.integer(9) - 4);
    return {
      ...{ queryId: `q${i}`, query: text(), positive: text(), negatives },
      ...(rich && {
        judged: { positive: i % 3, relevant: new Set([i % 3, random.integer(4)]) },
        taught: { positive: score(), negatives: Float32Array.from(negatives, score) },
      }),
    };
  });
}

test('every place of a batch is what the description says', () => {
  for (let round = 0; round < 60; round++) {
    const rich = round % 2 === 1;
    const examples = drawnExamples(1 + random.integer(5), rich);
    const options: BatchOptions = {
      ...{ batchSize: 5, negatives: random.integer(4), paddingId: 1 },
      ...{ maxQueryTokens: 12, maxPassageTokens: 14 },
      missingNegative: random.choose(['left-out', 'padded', 'cycled'] as const),
      otherPositives: random.choose(['left-out', 'negatives'] as const),
    };
    const what = JSON.stringify([round, options]);
    const batch = makeBatch(examples, 3, 'epoch', options);
    const given = examples.map((example) => drawNegatives(example, options, 3, 'epoch'));
    const most = Math.max(0, ...given.map(({ length }) => length));
    const perQuery = 1 + (options.missingNegative === 'padded' ? most : options.negatives);
    const passages = perQuery * examples.length;
    assert.deepEqual([batch.queries, batch.passages], [examples.length, passages], what);
    const width = (texts: readonly Int32Array[], longest: number) =>
      Math.min(Math.max(1, ...texts.map(({ length }) => length)) <= 8 ? 8 : 16, longest);
    const queries = examples.map(({ query }) => query);
    assert.equal(batch.queryTokens, width(queries, 12));
    const all = examples.flatMap(({ positive }, e) =>
      Array.from({ length: perQuery }, (_, i) => (i === 0 ? positive : given[e]![i - 1])),
    );
    assert.equal(
      batch.passageTokens,
      width(
        all.map((each) => each ?? new Int32Array(0)),
        14,
      ),
    );
    const tokens = (
      texts: readonly (Int32Array | undefined)[],
      length: number,
      filler: number,
      one?: number,
    ) =>
      texts.flatMap((own) =>
        Array.from({ length }, (_, t) => (own?.[t] === undefined ? filler : (one ?? own[t]!))),
      );
    assert.deepEqual([...batch.queryIds], tokens(queries, batch.queryTokens, 1), what);
    assert.deepEqual([...batch.queryMask], tokens(queries, batch.queryTokens, 0, 1), what);
    assert.deepEqual([...batch.passageIds], tokens(all, batch.passageTokens, 1), what);
    assert.deepEqual([...batch.passageMask], tokens(all, batch.passageTokens, 0, 1), what);
    const hasOwnCandidates = rich && options.otherPositives === 'left-out';
    assert.equal(batch.candidates.length, passages * (hasOwnCandidates ? examples.length : 1), what);
    assert.equal(batch.teacher !== undefined, rich);
    for (const [q, { judged, taught }] of examples.entries())
      for (let p = 0; p < passages; p++) {
        const [owner, i] = [Math.floor(p / perQuery), p % perQuery];
        const place = `passage ${p} of query ${q}, ${what}`;
        assert.equal(batch.positive[q * passages + p], owner === q && i === 0 ? 1 : 0, place);
        const isMissing = all[p] === undefined && options.missingNegative !== 'padded';
        const isOther =
          hasOwnCandidates &&
          owner !== q &&
          i === 0 &&
          judged!.relevant.has(examples[owner]!.judged!.positive);
        assert.equal(
          batch.candidates[hasOwnCandidates ? q * passages + p : p],
          isMissing || isOther ? 0 : 1,
          place,
        );
        if (!rich) continue;
        const at = i === 0 ? -1 : examples[q]!.negatives.indexOf(given[q]![i - 1]!);
        const score =
          owner !== q ? Number.NaN : i === 0 ? taught!.positive : (taught!.negatives[at] ?? Number.NaN);
        assert.equal(batch.teacher!.scored[q * passages + p], Number.isNaN(score) ? 0 : 1, place);
        assert.equal(batch.teacher!.scores[q * passages + p], Number.isNaN(score) ? 0 : score, place);
      }
  }
});

test('negatives are drawn without repetition, cycled only where that is asked for, and anew for each draw', () => {
  const negatives = Array.from({ length: 4 }, (_, i) => Int32Array.of(i));
  const example = { queryId: 'q', query: new Int32Array(0), positive: new Int32Array(0), negatives };
  const drawn = (
    count: number,
    missingNegative: BatchOptions['missingNegative'],
    draw: string | number,
    own = example,
  ) => drawNegatives(own, { negatives: count, missingNegative }, 1, draw).map(([value]) => value!);
  for (const how of ['left-out', 'padded', 'cycled'] as const) {
    for (const count of [0, 1, 3, 4]) {
      const found = drawn(count, how, 0);
      assert.equal(found.length, count);
      assert.equal(new Set(found).size, count);
    }
    const many = drawn(10, how, 0);
    assert.equal(many.length, how === 'cycled' ? 10 : 4);
    assert.deepEqual(many.slice(0, 4).toSorted(), [0, 1, 2, 3]);
    if (how === 'cycled')
      assert.deepEqual(
        many,
        Array.from({ length: 10 }, (_, i) => many[i % 4]),
      );
    assert.deepEqual(drawn(3, how, 0, { ...example, negatives: [] }), []);
  }
  // Of the draw, the query, its positive and its set: each changes what comes.
  const draws = (own: TrainingExample, draw = 'dev') =>
    Array.from(
      { length: 30 },
      (_, i) => drawNegatives(own, { negatives: 1, missingNegative: 'cycled' }, i, draw)[0]![0],
    ).join();
  const usual = draws(example);
  assert.equal(draws({ ...example }), usual);
  for (const other of [
    { ...example, queryId: 'r' },
    { ...example, set: 1 },
    { ...example, judged: { positive: 0, relevant: new Set<number>() } },
  ])
    assert.notEqual(draws(other), usual);
  assert.notEqual(draws(example, 'other'), usual);
});

test('an epoch goes through all examples once, in an order of its own', () => {
  const orders = [0, 1, 2].map((epoch) => [...epochOrder(20, 5, epoch)]);
  for (const order of orders)
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i),
    );
  assert.equal(new Set(orders.map(String)).size, 3);
  assert.notDeepEqual([...epochOrder(20, 6, 0)], orders[0]);
  assert.equal(epochOrder(0, 5, 0).length, 0);
});

test('an epoch comes to the means of its steps; what no step had is absent', () => {
  const state: TrainingState = { step: 7, epochs: [], running: emptyRunning() };
  addStep(state, { loss: 3, contrastive: 2, regularizer: 4, taught: 5, gradientNorm: 9 }, 1500);
  addStep(state, { loss: 1, contrastive: 1, gradientNorm: 9 }, 500);
  assert.equal(state.step, 9);
  const dev = { measure: 'cross-entropy', value: 1, crossEntropy: 1 } as const;
  assert.deepEqual(epochFacts(4, state, { score: dev, milliseconds: 750 }), {
    ...{ epoch: 4, steps: 2, loss: 2, contrastive: 1.5, regularizer: 2, taught: 2.5, dev, seconds: 2 },
    devSeconds: 0.75,
  });
  const bare: TrainingState = { step: 0, epochs: [], running: emptyRunning() };
  addStep(bare, { loss: 1, contrastive: 1, gradientNorm: 0 }, 250);
  assert.deepEqual(epochFacts(0, bare, undefined), {
    ...{ epoch: 0, steps: 1, loss: 1, contrastive: 1, seconds: 0.25 },
  });
  assert.deepEqual(
    concatenate(Float32Array, [Float32Array.of(1, 2), new Float32Array(0), Float32Array.of(3)]),
    Float32Array.of(1, 2, 3),
  );
  assert.equal(concatenate(Float32Array, []).length, 0);
});
