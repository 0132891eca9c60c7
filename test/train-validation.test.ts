/** Dev while training: the same loss as a training batch, and the pools in which positives are ranked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import { VectorEncoder } from '../harness/model/vector-encoder.js';
import { presets } from '../harness/presets.js';
import { makeBatch } from '../harness/train/batches.js';
import { devScore } from '../harness/train/dev-score.js';
import type { EncodedDev } from '../harness/train/encoded-dev.js';
import { rankPool } from '../harness/train/rank-pool.js';
import { DirectStep } from '../harness/train/step.js';
import { madeExamples } from './made-training.js';
import { engine, validationOf } from './made-validation.js';

/**
 * Five examples of which the second has one negative and the fourth none. The first positive is long, so that padding as
 * long as the batch is longer than the least there is.
 */
const uneven = madeExamples(5, 4, 2).map((example, i) => ({
  ...example,
  positive: Int32Array.from([...example.positive, ...(i === 0 ? [9, 8, 7, 6, 9] : [])]),
  negatives: example.negatives.slice(0, [2, 1, 2, 0, 2][i]),
}));

/** The loss that a training step gives the same examples. */
async function trainingLoss({ retriever, parameters, validation }: Awaited<ReturnType<typeof validationOf>>) {
  const gradients = engine.variables(parameters.variables.map(({ size }) => size));
  const context = { engine, retriever, parameters, gradients, seed: 3, dropout: false };
  const { options } = validation;
  const step = new DirectStep(context);
  const batch = makeBatch(options.examples, options.seed, 'dev', { ...options, paddingId: 0 });
  const { contrastive } = await step.compute(batch, 1);
  await step.dispose();
  return contrastive;
}

const models = [
  { name: 'dual-encoder', pads: true },
  { name: 'mlr', options: { layers: [1, 2] }, pads: true },
  { name: 'me-bert', options: { vectors: 4, maskShort: false }, pads: true },
  // A passage without tokens has no vectors there, so it takes no part.
  { name: 'me-bert', options: { vectors: 4, maskShort: true }, pads: false },
  { name: 'colbert-cls', pads: false },
];
for (const { name, options = {}, pads } of models) {
  test(`${name} ${JSON.stringify(options)}: dev takes a missing negative for what training does`, async () => {
    const losses: number[] = [];
    for (const missingNegative of ['left-out', 'padded'] as const) {
      const made = await validationOf({ name, options, examples: uneven, negatives: 2, missingNegative });
      const dev = await made.validation.encode('dev');
      assert.equal(dev.padding, missingNegative === 'padded' ? 3 : 0);
      const [own, training] = [await made.validation.crossEntropy(dev), await trainingLoss(made)];
      assert.ok(
        Math.abs(own - training) <= 1e-5 * training,
        `${missingNegative}: ${own}, training ${training}`,
      );
      losses.push(own);
      await made.validation.dispose();
    }
    assert.equal(Math.abs(losses[1]! - losses[0]!) > 1e-2 * losses[0]!, pads, String(losses));
  });
}

test('padding fills a batch up to the query that has most, and no further', async () => {
  const none = uneven.map((example) => ({ ...example, negatives: [] }));
  const asked = { negatives: 2, missingNegative: 'padded' } as const;
  const { validation } = await validationOf({ ...asked, examples: [...none, ...uneven], batchSize: 5 });
  const dev = await validation.encode('dev');
  assert.deepEqual([...dev.passageStarts], [0, 1, 2, 3, 4, 5, 8, 11, 14, 17, 20]);
  assert.equal(dev.padding, 3);
  // The whole dev set as DPR ranks it has none.
  const pool = await validation.pool(dev, 'dev');
  assert.deepEqual([...pool.passageStarts], [0, 1, 2, 3, 4, 5, 8, 10, 13, 14, 17]);
  await validation.dispose();
  const batching = { ...asked, batchSize: 5, maxQueryTokens: 16, maxPassageTokens: 16, paddingId: 0 };
  assert.equal(makeBatch(none, 1, 0, batching).passages, 5);
  const padded = makeBatch(uneven, 1, 0, batching);
  assert.equal(padded.passages, 15);
  assert.deepEqual(new Set(padded.candidates), new Set([1]));
  const { candidates } = makeBatch(uneven, 1, 0, { ...batching, missingNegative: 'left-out' });
  assert.deepEqual([...candidates], [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1]);
});

/** Mean rank by the definition: how many passages of the range beat the own positive. */
function rankIn({ dimensions, queries, rows, passageStarts }: EncodedDev, batchSize: number): number {
  const score = (q: number, p: number) => {
    let sum = 0;
    for (let d = 0; d < dimensions; d++) sum += queries[q * dimensions + d]! * rows[p * dimensions + d]!;
    return sum;
  };
  const count = passageStarts.length - 1;
  let better = 0;
  for (let q = 0; q < count; q++) {
    const first = batchSize * Math.floor(q / batchSize);
    const own = score(q, passageStarts[q]!);
    for (let p = passageStarts[first]!; p < passageStarts[Math.min(first + batchSize, count)]!; p++)
      if (score(q, p) > own) better++;
  }
  return better / count;
}

/** Forty examples with many negatives and others; the third has two of the one and the fourth one of the other. */
const rich = madeExamples(40, 5, 9).map(({ negatives, ...example }, i) => ({
  ...example,
  negatives: negatives.slice(0, i === 2 ? 2 : 5),
  others: negatives.slice(5, i === 3 ? 6 : 9),
}));

test('the pool of average rank: the first hard negatives and the first others, whatever a batch has', async () => {
  const pool = { hard: 4, other: 3 };
  const { validation, retriever, parameters } = await validationOf({ examples: rich, pool, batchSize: 4 });
  const dev = await validation.encode('dev');
  assert.equal(dev.rowStarts.length - 1, 80, 'a batch has one each');
  const ranked = await validation.pool(dev, 'dev');
  const lists = rich.map(({ positive, negatives, others }) => [
    positive,
    ...negatives.slice(0, 4),
    ...others.slice(0, 3),
  ]);
  assert.deepEqual(
    lists.map(({ length }) => length),
    rich.map((_, i) => (i === 2 || i === 3 ? 6 : 8)),
  );
  const weights = parameters.variables;
  const encoder = new VectorEncoder({
    ...{ engine, retriever, weights, side: 'passage', maxTokens: 16, batchTokens: 64 },
  });
  const { vectors } = await encoder.encode(lists.flat());
  assert.deepEqual(ranked.rows, vectors);
  assert.deepEqual(ranked.queries, dev.queries);
  const rank = await validation.rankInPool(dev, 'dev');
  assert.equal(rank, rankIn(ranked, rich.length));
  assert.ok(rank > (await validation.averageRank(dev, 'dpr')), 'more passages, more that beat the positive');

  // By the rules of training: in the pool from its epoch on; the paper's way stays within the batches.
  const rules = { ...defaultConfig().train, averageRankFrom: 1 };
  assert.equal((await devScore(validation, rules, 0)).averageRank, undefined);
  assert.equal((await devScore(validation, rules, 1)).averageRank, rank);
  const batch = await devScore(validation, { ...rules, averageRank: 'batch' }, 1);
  assert.equal(batch.averageRank, rankIn(dev, 4));
  await Promise.all([encoder.dispose(), validation.dispose()]);
});

test('a pool is gone through in parts of 32 examples, which nobody sees', async () => {
  for (const count of [31, 32, 33, 40]) {
    const examples = rich.slice(0, count);
    const { validation } = await validationOf({ examples, pool: { hard: 1, other: 1 }, batchSize: 7 });
    const dev = await validation.encode('dev');
    const whole = await validation.pool(dev, 'dev');
    assert.equal(await validation.rankInPool(dev, 'dev'), rankIn(whole, count), `${count} examples`);
    await validation.dispose();
  }
});

test('without a pool of its own average rank takes the passages of the batches', async () => {
  const { validation } = await validationOf({ examples: rich });
  const dev = await validation.encode('dev');
  assert.equal(await validation.rankInPool(dev, 'dev'), rankIn(dev, rich.length));
  await validation.dispose();
  const others = await validationOf({ examples: rich, pool: { hard: null, other: 1 } });
  const encoded = await others.validation.encode('dev');
  const { passageStarts, rows, dimensions } = await others.validation.pool(encoded, 'dev');
  assert.deepEqual(
    [...passageStarts],
    Array.from({ length: 41 }, (_, i) => 3 * i),
  );
  const own = (all: Float32Array, passage: number) =>
    all.slice(passage * dimensions, (passage + 2) * dimensions).map((value) => Math.round(value * 1e4));
  for (let i = 0; i < 40; i++) assert.deepEqual(own(rows, 3 * i), own(encoded.rows, 2 * i), `example ${i}`);
  await others.validation.dispose();
});

test('a configuration has a pool only where some epoch is ranked in it', () => {
  const usual = defaultConfig().train;
  assert.equal(rankPool(usual), undefined, 'the passages of the batches are all there is');
  assert.equal(rankPool({ ...usual, ...presets.paper!.settings.train }), undefined, 'ranked in batches');
  const train = {
    ...usual,
    ...presets.paper!.settings.train,
    averageRank: 'dpr',
    averageRankFrom: 30,
  } as const;
  assert.deepEqual(rankPool(train), { hard: 30, other: 30 });
  assert.equal(rankPool({ ...train, averageRankFrom: null }), undefined);
  assert.equal(rankPool({ ...train, epochs: 30 }), undefined, 'the epochs are numbered 0 to 29');
  assert.deepEqual(rankPool({ ...train, epochs: 31 }), { hard: 30, other: 30 });
  assert.deepEqual(rankPool({ ...train, averageRankOtherNegatives: 0 }), { hard: 30, other: 0 });
});
