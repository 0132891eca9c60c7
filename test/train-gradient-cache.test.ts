import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encoders } from '../harness/model/known-encoders.js';
import { Retriever } from '../harness/model/retriever.js';
import { initialWeights } from '../harness/model/retriever-files.js';
import { architectureNames, loadArchitecture } from '../harness/plugins.js';
import { stream } from '../harness/random.js';
import { sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { type Batch, makeBatch } from '../harness/train/batches.js';
import { chunksOf } from '../harness/train/chunks.js';
import { GradientCache } from '../harness/train/gradient-cache.js';
import { pieceGroups } from '../harness/train/piece-groups.js';
import { DirectStep, type StepContext } from '../harness/train/step.js';
import { madeExamples, madeRetriever, mixedExamples } from './made-training.js';
import { batching, contextOf, gradientsOf } from './step-gradients.js';

const norm = (values: Iterable<number>) =>
  Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0));

/** Loss, norm and every gradient, in chunks of 3: the last one of 7 queries has 1 text, that of 14 passages 2. */
async function assertAsWhole(context: StepContext, batch: Batch): Promise<void> {
  const direct = await gradientsOf(new DirectStep(context), context, batch);
  const cached = await gradientsOf(new GradientCache(context, 3), context, batch);
  assert.ok(Math.abs(cached.result.loss - direct.result.loss) <= 1e-5 * direct.result.loss);
  const scale = norm(direct.arrays.flatMap((values) => [...values]));
  assert.ok(Math.abs(cached.result.gradientNorm - scale) <= 1e-5 * scale);
  for (const [i, expected] of direct.arrays.entries()) {
    const difference = norm(cached.arrays[i]!.map((value, j) => value - expected[j]!));
    // A key's bias has a true gradient of 0: rounding is all there is, hence the floor.
    const limit = 1e-5 * Math.max(norm(expected), 1e-2 * scale);
    const { name } = context.retriever.parameters[i]!;
    assert.ok(difference <= limit, `${name}: ${difference} of ${norm(expected)}`);
  }
}

/** Passages of 3 to 64 tokens, of which chunks of 3 are padded to 64, 32 and 16. */
const mixed = { ...batching, maxQueryTokens: 24, maxPassageTokens: 64 };
const examples = mixedExamples(7, 64);

describe('gradient cache against the direct step, with dropout', async () => {
  const engine = await openEngine('onnx');
  for (const name of await architectureNames()) {
    for (const tied of [true, false]) {
      it(`${name}, ${tied ? 'tied' : 'untied'}`, async () => {
        const context = await contextOf(engine, await madeRetriever(name, { tied, maxTokens: 64 }));
        const batch = makeBatch(examples, 1, 0, mixed);
        const lengths = chunksOf('passage', batch, () => 3, context.retriever.encoder).map(
          ({ tokens }) => tokens,
        );
        assert.deepEqual(new Set(lengths), new Set([64, 32, 16]));
        await assertAsWhole(context, batch);
      });
    }
  }
  for (const { name, examples: forms, dropoutRates, make } of encoders) {
    for (const [form, example] of Object.entries(forms)) {
      it(`${name}, ${form}: its vectors are those of texts that are padded further`, async () => {
        const rates = Object.fromEntries(dropoutRates.map((rate) => [rate, 0.2]));
        const encoder = make({ ...example, ...rates });
        const loaded = await loadArchitecture('me-bert');
        const resolved = loaded.family.resolve({}, encoder.shape);
        const retriever = new Retriever(encoder, true, { ...loaded, resolved });
        const weights = encoder.parameters.map((parameter) => {
          const draws = stream(2, 'weights', parameter.name);
          return Float32Array.from({ length: sizeOf(parameter.shape) }, () => 0.3 * draws.normal());
        });
        const context = await contextOf(engine, { retriever, initial: initialWeights(retriever, weights) });
        const { maxTokens } = encoder.shape;
        const longest = Math.min(20, maxTokens);
        assert.ok(longest > 16);
        const lengths = { maxQueryTokens: longest, maxPassageTokens: longest };
        const { paddingId } = encoder;
        const short = mixedExamples(7, longest).map((each) => ({
          ...each,
          query: each.query.slice(0, longest),
        }));
        const batch = makeBatch(short, 1, 0, { ...batching, ...lengths, paddingId });
        const tokens = chunksOf('passage', batch, () => 3, encoder).map((chunk) => chunk.tokens);
        assert.deepEqual(new Set(tokens), new Set([longest, 16]));
        await assertAsWhole(context, batch);
      });
    }
  }
  it('passages that are nothing but padding look at all of it', async () => {
    const context = await contextOf(engine, await madeRetriever('mlr-sc', { maxTokens: 64 }));
    const without = examples.map((each, i) => (i % 2 === 0 ? each : { ...each, negatives: [] }));
    const batch = makeBatch(without, 1, 0, { ...mixed, missingNegative: 'padded' });
    assert.ok(batch.candidates.every((candidate) => candidate === 1));
    await assertAsWhole(context, batch);
  });
  it('so do vectors of padding', async () => {
    const options = { maskShort: false, vectors: 40 };
    const context = await contextOf(engine, await madeRetriever('me-bert', { maxTokens: 64, options }));
    await assertAsWhole(context, makeBatch(examples, 1, 0, mixed));
  });
  for (const name of ['me-bert', 'me-bert-sc'])
    for (const similarity of [undefined, 'cosine'] as const)
      it(`${name}, ${similarity ?? 'dot'}: what texts of a shorter chunk lack of 40 vectors plays no part`, async () => {
        const options = { vectors: 40, maskShort: true };
        const made = { maxTokens: 64, options, ...(similarity && { similarity }) };
        const context = await contextOf(engine, await madeRetriever(name, made));
        await assertAsWhole(context, makeBatch(examples, 1, 0, mixed));
      });
  it('takes no more texts at once where queries have many negatives', async () => {
    const { retriever, initial } = await madeRetriever('mlr-sc', { tied: false });
    const sizes = initial.map((values) => values.length);
    const [parameters, gradients] = [engine.variables(sizes), engine.variables(sizes)];
    for (const [i, variable] of parameters.variables.entries()) variable.write(initial[i]!);
    const texts: number[] = [];
    const watching = new Proxy(engine, {
      get(target, key) {
        const member = Reflect.get(target, key, target);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]) => {
          const inputs = key === 'compile' ? (given[1] as { shape: number[]; dtype: string }[]) : [];
          // Token ids are the integers of two dimensions: [texts, tokens].
          const ids = inputs.filter(({ dtype, shape }) => dtype === 'int32' && shape.length === 2);
          texts.push(...ids.map(({ shape }) => shape[0]!));
          return Reflect.apply(member, target, given);
        };
      },
    });
    const context = { engine, retriever, parameters, gradients, seed: 5, dropout: true };
    const batch = makeBatch(madeExamples(3, 1, 15), 1, 0, { ...batching, negatives: 15 });
    assert.equal(batch.passages, 3 * 16);
    const direct = await gradientsOf(new DirectStep(context), context, batch);
    const cached = await gradientsOf(new GradientCache({ ...context, engine: watching }, 5), context, batch);
    assert.deepEqual(new Set(texts), new Set([3, 5]));
    assert.ok(Math.abs(cached.result.loss - direct.result.loss) <= 1e-5 * direct.result.loss);
    const scale = direct.result.gradientNorm;
    for (const [i, expected] of direct.arrays.entries()) {
      const difference = norm(cached.arrays[i]!.map((value, j) => value - expected[j]!));
      assert.ok(difference <= 1e-5 * Math.max(norm(expected), 1e-2 * scale), retriever.parameters[i]!.name);
    }
  });
  it('compiles nothing in a second step, where the last chunk is shorter too', async () => {
    const { retriever, initial } = await madeRetriever('mlr-sc', { tied: false });
    const sizes = initial.map((values) => values.length);
    const [parameters, gradients] = [engine.variables(sizes), engine.variables(sizes)];
    for (const [i, variable] of parameters.variables.entries()) variable.write(initial[i]!);
    const compiled: string[] = [];
    const counting = new Proxy(engine, {
      get(target, key) {
        const member = Reflect.get(target, key, target);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]) => {
          if (key === 'compile') compiled.push((given[2] as { name: string }).name);
          return Reflect.apply(member, target, given);
        };
      },
    });
    const context = { engine: counting, retriever, parameters, gradients, seed: 5, dropout: true };
    const cached = new GradientCache(context, 3);
    const batch = makeBatch(madeExamples(7), 1, 0, batching);
    await cached.compute(batch, 1);
    // Encoding and backward, of either side, of a whole chunk and of the shorter one; the loss; the norm.
    assert.ok(compiled.length >= 10, compiled.join(', '));
    const first = compiled.length;
    await cached.compute(batch, 2);
    assert.deepEqual(compiled.slice(first), []);
    await cached.dispose();
  });
  it("leaves out of the loss what is another example's positive and relevant to the query too", async () => {
    const context = await contextOf(engine, await madeRetriever('mlr-sc', { dropout: 0 }));
    const plain = madeExamples(7);
    const relevant = new Set([0, 1]);
    const judged = plain.map((example, i) =>
      i < 2
        ? { ...example, judged: { positive: i, relevant } }
        : { ...example, judged: { positive: i, relevant: new Set([i]) } },
    );
    const batch = makeBatch(judged, 1, 0, batching);
    assert.equal(batch.candidates.length, 7 * 14);
    const direct = await gradientsOf(new DirectStep(context), context, batch);
    const cached = await gradientsOf(new GradientCache(context, 3), context, batch);
    assert.ok(Math.abs(cached.result.loss - direct.result.loss) <= 1e-5 * direct.result.loss);
    assert.ok(
      Math.abs(cached.result.gradientNorm - direct.result.gradientNorm) <= 1e-5 * direct.result.gradientNorm,
    );
    // Fewer negatives, lower loss: two shares of the softmax are gone.
    const all = await gradientsOf(new DirectStep(context), context, makeBatch(plain, 1, 0, batching));
    assert.ok(direct.result.contrastive < all.result.contrastive);
  });
  it('sees another mask at another step', async () => {
    const { retriever, initial } = await madeRetriever('dual-encoder', { dropout: 0.5 });
    const sizes = initial.map((values) => values.length);
    const [parameters, gradients] = [engine.variables(sizes), engine.variables(sizes)];
    for (const [i, variable] of parameters.variables.entries()) variable.write(initial[i]!);
    const step = new DirectStep({ engine, retriever, parameters, gradients, seed: 5, dropout: true });
    const batch = makeBatch(madeExamples(7), 1, 0, batching);
    const losses = [];
    for (const at of [1, 2, 1]) losses.push((await step.compute(batch, at)).loss);
    assert.notEqual(losses[0], losses[1]);
    assert.equal(losses[0], losses[2]);
  });
});

it('variables are taken many at a time on a device alone: elsewhere the norm is the sum of each one rounded by itself', async () => {
  const engine = await openEngine('tfjs-cpu');
  const set = engine.variables([3, 2 ** 24, 2 ** 24, 5]);
  const sizes = (of: Parameters<typeof pieceGroups>[0], first: number) =>
    pieceGroups(of, set, first, 4).map((group) => group.map(({ size }) => size));
  assert.deepEqual(sizes(engine, 0), [[3], [2 ** 24], [2 ** 24], [5]]);
  assert.deepEqual(sizes({ largestArrayBytes: 2 ** 27 }, 0), [
    [3, 2 ** 24],
    [2 ** 24, 5],
  ]);
  assert.deepEqual(sizes({ largestArrayBytes: 2 ** 27 }, 1), [[2 ** 24, 2 ** 24], [5]]);
  set.dispose();
});
