/** Copies of a positive in average rank, and which epoch is the best. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import { devScore, isBest } from '../harness/train/dev-score.js';
import { ranksBefore } from '../harness/train/rank-pool.js';
import { emptyRunning } from '../harness/train/running-epoch.js';
import { madeExamples } from './made-training.js';
import { validationOf } from './made-validation.js';

/** Twenty examples about four paragraphs: in a batch many have the positive of another, as in SQuAD. */
const shared = madeExamples(20, 6, 3).map((example, i, all) => ({
  ...example,
  positive: all[i % 4]!.positive,
  // Some have a copy of their positive among their negatives, which stands after it.
  negatives: i % 3 === 0 ? [all[i % 4]!.positive] : example.negatives,
}));

test('copies of the positive: behind it, or where a stable sort leaves them', async () => {
  for (const batchSize of [8, 20]) {
    const ranks: number[] = [];
    for (const ties of ['behind', 'listed'] as const) {
      const { validation } = await validationOf({ examples: shared, batchSize, ties });
      const dev = await validation.encode('dev');
      let [expected, inPool] = [0, 0];
      for (let first = 0; first < shared.length; first += batchSize) {
        const end = Math.min(first + batchSize, shared.length);
        const [from, to] = [dev.passageStarts[first]!, dev.passageStarts[end]!];
        const batch = await validation.similarity(dev, first, end, from, to);
        const all = await validation.similarity(dev, first, end, 0, 2 * shared.length);
        for (let q = first; q < end; q++) {
          const row = batch.slice((q - first) * (to - from), (q - first + 1) * (to - from));
          expected += placeIn(row, dev.passageStarts[q]! - from, ties);
          const whole = all.slice((q - first) * 2 * shared.length, (q - first + 1) * 2 * shared.length);
          inPool += placeIn(whole, dev.passageStarts[q]!, ties);
        }
      }
      const rules = { ...defaultConfig().train, averageRankFrom: 0, averageRank: 'batch' } as const;
      const { averageRank } = await devScore(validation, rules, 0);
      assert.equal(averageRank, expected / shared.length);
      assert.equal(await validation.rankInPool(dev, 'dev'), inPool / shared.length);
      ranks.push(averageRank!);
      await validation.dispose();
    }
    assert.ok(ranks[1]! >= ranks[0]! + 0.5, `${ranks}: copies that are listed first count`);
  }
});

/** The place of the positive among scores: sorted as torch.argsort sorts, or with the positive before its equals. */
function placeIn(scores: Float32Array, positive: number, ties: 'behind' | 'listed'): number {
  const order = Array.from(scores, (_, p) => p);
  const first = (p: number) => (ties === 'behind' && p === positive ? 0 : 1);
  // Array.sort is stable.
  order.sort((a, b) => scores[b]! - scores[a]! || first(a) - first(b));
  return order.indexOf(positive);
}

test('a part of the pool before the positive, or after it, has its copies before or after it', () => {
  const scores = Float32Array.of(3, 2, 1, 2, 2);
  assert.deepEqual(
    [-1, 1, 3, 5].map((positive) => ranksBefore(scores, positive, 2, 'listed')),
    [1, 1, 2, 4],
  );
  assert.deepEqual(
    [-1, 1, 3, 5].map((positive) => ranksBefore(scores, positive, 2)),
    [1, 1, 1, 1],
  );
});

test('the positive itself never stands before itself, however its own score was rounded', () => {
  const scores = Float32Array.of(1, 2.5, 3);
  assert.equal(ranksBefore(scores, 1, 2), 1);
  assert.equal(ranksBefore(scores, 1, 2, 'listed'), 1);
  assert.equal(ranksBefore(scores, 2, 2), 1);
});

test('an epoch as good as the best before it replaces it; the first by average rank forgets the best', () => {
  const rules = { ...defaultConfig().train, averageRankFrom: 3 };
  const score = (value: number) => ({ measure: 'cross-entropy', value, crossEntropy: value }) as const;
  const state = { step: 0, epochs: [], running: emptyRunning(), bestEpoch: 0, bestScore: 1 };
  assert.deepEqual(
    [0.9, 1, 1.1].map((value) => isBest(score(value), 1, state, rules)),
    [true, true, false],
  );
  assert.equal(isBest(score(9), 3, state, rules), true);
  assert.equal(isBest(score(9), 3, state, { ...rules, resetBestAtSwitch: false }), false);
});
