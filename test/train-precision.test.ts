/** A training step with products in float16: gradients near to those in float32, for every architecture and encoder, on every device. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encoders } from '../harness/model/known-encoders.js';
import { Retriever } from '../harness/model/retriever.js';
import { architectureNames, loadArchitecture } from '../harness/plugins.js';
import { stream } from '../harness/random.js';
import { type Engine, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { prune, type Value } from '../harness/tensor/onnx/graph.js';
import '../harness/tensor/onnx/kernels.js';
import { loadPrecision, rewriteTraining } from '../harness/tensor/onnx/precision.js';
import { record } from '../harness/tensor/onnx/recorder.js';
import { assertPrecision } from '../harness/tensor/precision.js';
import { makeBatch } from '../harness/train/batches.js';
import { GradientCache } from '../harness/train/gradient-cache.js';
import { DirectStep } from '../harness/train/step.js';
import { cudaDevices } from './cuda-devices.js';
import { madeExamples, madeRetriever } from './made-training.js';
import { withoutWebGpu } from './webgpu-driver.js';

const engine = await openEngine('onnx', { threads: 1 });

const norm = (values: Iterable<number>) =>
  Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0));
/** The length of the difference over the length. */
const distance = (found: Float32Array, exact: Float32Array) =>
  norm(found.map((value, i) => value - exact[i]!)) / norm(exact);

interface Asked {
  precision?: string;
  chunkSize?: number;
  lossScale?: number;
  temperature?: number;
  on?: Engine;
}
type Made = Awaited<ReturnType<typeof madeRetriever>>;

/** With dropout. Gradients are without the scale of the loss, one after another. */
async function stepOf(
  { retriever, initial }: Made,
  { precision = 'f16', chunkSize, lossScale = 1, temperature = 1, on = engine }: Asked,
) {
  const sizes = initial.map((values) => values.length);
  const [parameters, gradients] = [on.variables(sizes), on.variables(sizes)];
  for (const [i, variable] of parameters.variables.entries()) variable.write(initial[i]!);
  const objective = { temperature };
  const context = {
    engine: on,
    retriever,
    parameters,
    gradients,
    seed: 5,
    dropout: true,
    precision,
    objective,
  };
  const computer = chunkSize === undefined ? new DirectStep(context) : new GradientCache(context, chunkSize);
  // Words of every encoder's vocabulary, some of them often.
  const few = (ids: Int32Array) => ids.map((id) => id % 40);
  const examples = madeExamples(7).map(({ queryId, query, positive, negatives }) => ({
    ...{ queryId, query: few(query), positive: few(positive), negatives: negatives.map(few) },
  }));
  const batch = makeBatch(examples, 1, 0, {
    ...{ batchSize: 7, negatives: 1, missingNegative: 'left-out', paddingId: 0 },
    ...{ maxQueryTokens: 16, maxPassageTokens: 16 },
  });
  try {
    const result = await computer.compute(batch, 3, lossScale);
    const arrays = await Promise.all(gradients.variables.map((variable) => variable.read()));
    return {
      ...result,
      gradient: Float32Array.from(arrays.flatMap((a) => [...a].map((g) => g / lossScale))),
    };
  } finally {
    await computer.dispose();
    for (const set of [parameters, gradients]) set.dispose();
  }
}

/** What float16 may change of a step: a number has 11 bits. */
function assertNear(found: Awaited<ReturnType<typeof stepOf>>, exact: typeof found, least = 1e-6): void {
  const { loss, gradient, gradientNorm } = found;
  const error = distance(gradient, exact.gradient);
  assert.ok(error > least && error < 5e-3, `gradients: ${error}`);
  assert.ok(Math.abs(loss / exact.loss - 1) < 2e-3, `a loss of ${loss}, not ${exact.loss}`);
  assert.ok(Math.abs(gradientNorm / norm(gradient) - 1) < 1e-4, `a norm of ${gradientNorm}`);
}

/** The gradient of a matrix comes out of a product of float16 numbers, but for tables of embeddings and what overflows; scores do not. */
async function assertRounded(made: Made): Promise<void> {
  const { parameters } = made.retriever;
  let found: boolean[] = [];
  const recording: Engine = {
    ...engine,
    async compile(build, inputs, options) {
      const { graph, outputs } = record(build, inputs, new Map(), true);
      const plugin = await loadPrecision(options!.precision!);
      rewriteTraining(plugin, 'cuda', { graph, outputs }, inputs, options!.trained!);
      const isRounded = ({ node }: Value): boolean =>
        node?.op === 'Cast'
          ? node.inputs[0]!.node?.op === 'FusedMatMul' && node.inputs[0]!.dtype === 'float16'
          : ['Reshape', 'Add', 'Pad', 'Concat'].includes(node?.op ?? '') &&
            node!.inputs.some((x) => x?.node && isRounded(x));
      found = outputs.slice(1).map(isRounded);
      const { nodes } = prune(outputs);
      assert.ok(
        nodes.some(({ op, outputs: [product] }) => /MatMul/.test(op) && product!.dtype === 'float32'),
      );
      throw new Error('recorded');
    },
  };
  await assert.rejects(stepOf(made, { on: recording }), /recorded/);
  for (const [i, { name, shape, overflowsHalf }] of parameters.entries()) {
    const isTable = /embed|relative_attention_bias|shared/.test(name);
    assert.equal(found[i], shape.length > 1 && !isTable && overflowsHalf !== true, name);
  }
}

describe('gradients in float16 are near to those in float32, and not equal', () => {
  it('for every architecture, of the whole batch and by chunks', async () => {
    for (const name of await architectureNames()) {
      const made = await madeRetriever(name, { tied: name.startsWith('mlr') });
      const exact = await stepOf(made, { precision: 'float32' });
      for (const how of [{}, { chunkSize: 3 }])
        assertNear(await stepOf(made, { ...how, lossScale: 2 ** 12 }), exact);
    }
  });

  it('where they are too small for float16 too, by the scale of the loss', async () => {
    const made = await madeRetriever('mlr-sc');
    const temperature = 1e5;
    const exact = await stepOf(made, { precision: 'float32', temperature });
    for (const how of [{}, { chunkSize: 3 }]) {
      assertNear(await stepOf(made, { ...how, temperature, lossScale: 2 ** 16 }), exact);
      const { gradient } = await stepOf(made, { ...how, temperature });
      assert.ok(distance(gradient, exact.gradient) > 0.02, 'it would not without');
    }
  });

  for (const { name, examples, make } of encoders)
    it(`for ${name}, weights whose products go beyond float16 among them`, async () => {
      const encoder = make(Object.values(examples)[0]!);
      const draws = stream(2, 'weights');
      const initial = encoder.parameters.map(({ name, shape, overflowsHalf }) => {
        const scale = /norm/i.test(name) && name.endsWith('weight') ? 1 : 0;
        const spread = overflowsHalf === true ? 1e6 : 0.2;
        return Float32Array.from({ length: sizeOf(shape) }, () => scale + spread * draws.normal());
      });
      const loaded = await loadArchitecture('dual-encoder');
      const resolved = loaded.family.resolve({}, encoder.shape);
      const retriever = new Retriever(encoder, true, { ...loaded, resolved });
      const order = retriever.parameters.map(({ name }) =>
        encoder.parameters.findIndex((p) => p.name === name),
      );
      const made = { retriever, initial: order.map((i) => initial[i]!) };
      await assertRounded(made);
      const exact = await stepOf(made, { precision: 'float32' });
      for (const chunkSize of [undefined, 3])
        assertNear(await stepOf(made, { ...(chunkSize && { chunkSize }), lossScale: 2 ** 8 }), exact);
    });

  it('on the way to CUDA, and on WebGPU where every node has a kernel', async (t) => {
    const devices = await cudaDevices();
    const webgpu = { name: 'WebGPU', skip: await withoutWebGpu() };
    const made = await madeRetriever('mlr-sc');
    const exact = await stepOf(made, { precision: 'float32' });
    for (const { name, skip, open } of [
      ...devices,
      { ...webgpu, open: () => openEngine('onnx', { threads: 1, device: 'webgpu' }) },
    ])
      await t.test(name, { skip }, async () => {
        const on = await open();
        const refused = await assertPrecision({ name: 'onnx', device: 'webgpu' }, 'f16').catch(String);
        for (const chunkSize of [undefined, 3]) {
          const step = stepOf(made, { ...(chunkSize && { chunkSize }), lossScale: 2 ** 12, on });
          // The session opens, which it does not where a node has no kernel; then the device says what it lacks.
          if (name === 'WebGPU' && typeof refused === 'string') await assert.rejects(step, /requires f16/);
          // In CUDA's place the processor leaves roundings out.
          else assertNear(await step, exact, -1);
        }
        await on.dispose();
      });
  });
});
