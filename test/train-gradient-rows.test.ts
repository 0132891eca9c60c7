/** Gradients of an embedding table by rows: the bits of adding up the whole table, in every encoder. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { encoders } from '../harness/model/known-encoders.js';
import { Retriever } from '../harness/model/retriever.js';
import { initialWeights } from '../harness/model/retriever-files.js';
import { loadArchitecture } from '../harness/plugins.js';
import { stream } from '../harness/random.js';
import { type Engine, type Program, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { makeBatch } from '../harness/train/batches.js';
import { GradientCache } from '../harness/train/gradient-cache.js';
import { mixedExamples } from './made-training.js';
import { batching, contextOf, gradientsOf } from './step-gradients.js';

const engine = await openEngine('onnx');

for (const { name, examples: forms, make } of encoders)
  for (const [form, example] of Object.entries(forms))
    it(`${name}, ${form}: the sums of a chunk's rows are added to the table's gradient, to the bits of adding all of it`, async () => {
      const encoder = make(example);
      const loaded = await loadArchitecture('me-bert');
      const resolved = loaded.family.resolve({}, encoder.shape);
      const retriever = new Retriever(encoder, form.length % 2 === 0, { ...loaded, resolved });
      const weights = encoder.parameters.map(({ name: of, shape }) => {
        const draws = stream(2, 'weights', of);
        return Float32Array.from({ length: sizeOf(shape) }, () => 0.3 * draws.normal());
      });
      const summed = new Set<number>();
      const watching = new Proxy(engine, {
        get(target, key) {
          if (key !== 'compile') return Reflect.get(target, key, target);
          return async (...given: Parameters<Engine['compile']>) => {
            const program = await engine.compile(...given);
            if (!given[2]!.name!.startsWith('backward')) return program;
            const run: Program['run'] = async (...fed) => {
              const outputs = await program.run(...fed);
              summed.add(outputs.filter((output) => output !== undefined).length);
              return outputs;
            };
            return { run, dispose: () => program.dispose() };
          };
        },
      });
      const context = await contextOf(watching, { retriever, initial: initialWeights(retriever, weights) });
      const longest = Math.min(20, encoder.shape.maxTokens);
      const lengths = { maxQueryTokens: longest, maxPassageTokens: longest };
      const short = mixedExamples(7, longest).map((each) => ({
        ...each,
        query: each.query.slice(0, longest),
      }));
      const batch = makeBatch(short, 1, 0, { ...batching, ...lengths, paddingId: encoder.paddingId });
      const rows = await gradientsOf(new GradientCache(context, 3), context, batch);
      assert.deepEqual([...summed], [1]);
      // Gradients of which it is not known where they lie are added up by the program, the whole table too.
      summed.clear();
      const { memory: _, ...elsewhere } = context.gradients;
      const whole = { ...context, gradients: elsewhere };
      const expected = await gradientsOf(new GradientCache(whole, 3), whole, batch);
      assert.deepEqual([...summed], [0]);
      assert.deepEqual(rows.result, expected.result);
      for (const [i, values] of expected.arrays.entries())
        assert.ok(
          Buffer.from(values.buffer).equals(Buffer.from(rows.arrays[i]!.buffer)),
          retriever.parameters[i]!.name,
        );
    });
