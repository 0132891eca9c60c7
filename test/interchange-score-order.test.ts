/** Runs whose scores alone tell their order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '../harness/contracts.js';
import { withOrderInScores } from '../harness/interchange/score-order.js';
import { evaluate } from '../harness/metrics/evaluate.js';
import { parseMeasures } from '../harness/plugins/measures.js';
import { stream } from '../harness/random.js';

const one = (...scores: number[]): Run =>
  new Map([['q', { passageIds: scores.map((_, i) => `p${i}`), scores: Float32Array.from(scores) }]]);
const scoresOf = (run: Run) => Array.from(run.get('q')!.scores!);

test('equal scores go down by one 32-bit number each, and what differs stays', () => {
  assert.deepEqual(scoresOf(withOrderInScores(one(3, 2, 1))), [3, 2, 1]);
  const step = 2 ** -23;
  assert.deepEqual(scoresOf(withOrderInScores(one(2, 1.5, 1.5, 1.5, 1))), [
    2,
    1.5,
    1.5 - step,
    1.5 - 2 * step,
    1,
  ]);
  // One that lies where another went goes further.
  assert.deepEqual(scoresOf(withOrderInScores(one(1.5, 1.5, 1.5 - step, 1))), [
    1.5,
    1.5 - step,
    1.5 - 2 * step,
    1,
  ]);
  const least = 2 ** -149;
  assert.deepEqual(scoresOf(withOrderInScores(one(least, least, 0, -0))), [least, 0, -least, -2 * least]);
  assert.deepEqual(scoresOf(withOrderInScores(one(-1, -1))), [-1, -1 - step]);
  // Powers of two: below them numbers lie twice as near.
  assert.deepEqual(scoresOf(withOrderInScores(one(1, 1))), [1, 1 - step / 2]);
  const lowest = -(2 - step) * 2 ** 127;
  assert.deepEqual(scoresOf(withOrderInScores(one(lowest, lowest, lowest))), [lowest, -Infinity, -Infinity]);
  assert.deepEqual(scoresOf(withOrderInScores(one())), []);
  const bare: Run = new Map([['q', { passageIds: ['a'] }]]);
  assert.deepEqual(withOrderInScores(bare), bare);
});

test("trec_eval's order of what is written is the order of the search, with many ties", () => {
  const random = stream(1, 'ties');
  const run: Run = new Map(
    Array.from({ length: 50 }, (_, q) => {
      const scores = Float32Array.from({ length: 100 }, () => (random.integer(9) - 4) / 61)
        .sort()
        .reverse();
      const passageIds = random.shuffle(Array.from({ length: 100 }, (_, i) => `p${i}`));
      return [`q${q}`, { passageIds, scores }];
    }),
  );
  const qrels = new Map(
    Array.from(run.keys(), (queryId) => [queryId, new Map([[`p${random.integer(100)}`, 1]])] as const),
  );
  const measures = parseMeasures(['mrr@10', 'ndcg@10', 'map']);
  const of = (which: Run, ties: 'as-ranked' | 'trec_eval') =>
    Array.from(evaluate(which, qrels, measures, { ties }).measures.values(), ({ perQuery }) =>
      Array.from(perQuery),
    );
  const searched = of(run, 'as-ranked');
  assert.notDeepEqual(of(run, 'trec_eval'), searched);
  assert.deepEqual(of(withOrderInScores(run), 'trec_eval'), searched);
});
