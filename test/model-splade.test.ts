/** Learned sparse models: the weights of sentence-transformers' SparseEncoder, by what files or a user say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNearWeights,
  routedFolder,
  splade,
  spladeFolder,
  textsOf,
  weightsOf,
  withoutSetting,
} from './splade-folder.js';

for (const [name, expected] of Object.entries(splade.variants)) {
  test(`${name}: the weights of SparseEncoder, and the order of its similarity`, async () => {
    const found = await weightsOf(spladeFolder(name));
    assertNearWeights(found.queries, expected.queries, 'query');
    assertNearWeights(found.passages, expected.passages, 'passage');
    const passages = textsOf(found.passages).map(
      ([tokens, weights]) => new Map(tokens.map((t, i) => [t, weights[i]!])),
    );
    for (const [q, [tokens, weights]] of textsOf(found.queries).entries()) {
      const products = passages.map((passage) =>
        tokens.reduce((sum, token, i) => sum + weights[i]! * (passage.get(token) ?? 0), 0),
      );
      for (const [p, product] of products.entries()) {
        const theirs = expected.similarity[q]![p]!;
        assert.ok(
          Math.abs(product - theirs) <= 1e-4 * Math.max(1, theirs),
          `${q}, ${p}: ${product}, not ${theirs}`,
        );
      }
    }
  });
}

test('queries without an encoder have the weights of their tokens', async () => {
  const found = await weightsOf(await routedFolder());
  assertNearWeights(found.passages, splade.routed.passages, 'passage');
  // A text of unknown words alone has no weight.
  const theirs = splade.routed.queries;
  assert.ok(theirs.some(([tokens]) => tokens.length > 0));
  assert.deepEqual(
    textsOf(found.queries).map(([tokens]) => tokens),
    theirs.map(([tokens]) => tokens),
  );
  for (const [i, [, weights]] of textsOf(found.queries).entries())
    for (const [j, weight] of weights.entries()) assert.ok(Math.abs(weight - theirs[i]![1][j]!) < 1e-6);
});

test('a text has the same weights, whatever stands beside it and however many logits are held at once', async () => {
  for (const name of ['bert', 'sum', 'roberta']) {
    const folder = spladeFolder(name);
    const [whole, little] = [
      await weightsOf(folder, withoutSetting, { batchTokens: 4096 }),
      await weightsOf(folder, withoutSetting, { batchTokens: 1 }),
    ];
    assertNearWeights(whole.passages, textsOf(little.passages), name);
  }
});

test('in integers the weights are nearly those of float32', async () => {
  for (const name of ['bert', 'distilbert', 'sum']) {
    const { passages } = await weightsOf(spladeFolder(name), withoutSetting, { precision: 'int8' });
    const own = textsOf(passages).map(([tokens, weights]) => new Map(tokens.map((t, i) => [t, weights[i]!])));
    let [product, theirs] = [0, 0];
    for (const [i, [tokens, weights]] of splade.variants[name]!.passages.entries())
      for (const [j, token] of tokens.entries()) {
        product += weights[j]! * (own[i]!.get(token) ?? 0);
        theirs += weights[j]! ** 2;
      }
    const ours = own.flatMap((text) => [...text.values()]).reduce((sum, weight) => sum + weight ** 2, 0);
    const cosine = product / Math.sqrt(ours * theirs);
    assert.ok(cosine > 0.99 && cosine < 1 - 1e-7, `${name}: ${cosine}`);
  }
});

test('what a user sets holds instead of the files', async () => {
  const prompted = await weightsOf(spladeFolder('bert'), {
    ...{ ...withoutSetting, queryPrompt: 'who: ', passagePrompt: 'lamp ' },
  });
  assertNearWeights(prompted.queries, splade.variants.prompts!.queries, 'query');
  assertNearWeights(prompted.passages, splade.variants.prompts!.passages, 'passage');
  const short = await weightsOf(spladeFolder('bert'), { ...withoutSetting, maxTokens: 9 });
  assertNearWeights(short.passages, splade.variants.max!.passages, 'passage');
  const few = await weightsOf(spladeFolder('bert'), {
    ...withoutSetting,
    queryWeights: 5,
    passageWeights: 5,
  });
  assertNearWeights(few.passages, splade.variants['five weights']!.passages, 'passage');
  const own = await weightsOf(spladeFolder('five weights'), { ...withoutSetting, queryWeights: 2 });
  assert.ok(own.queries.counts.every((count) => count <= 2));
  assert.ok(own.passages.counts.every((count) => count <= 5) && own.passages.counts.includes(5));
});
