/** `npm run perf -- engine`: forward and backward of a BERT encoder, recorded and run by ONNX Runtime, beside tfjs's wasm. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { scratchEncoder } from '../model/scratch.js';
import { stream } from '../random.js';
import { median } from '../statistics/summary.js';
import { eagerEngine } from '../tensor/eager.js';
import type { ArraySpec, Engine, NumericArray } from '../tensor/engine.js';
import { openEngine } from '../tensor/engines.js';
import * as tf from '../tensor/operations.js';

const [layers, dimensions, batch, tokens] = [12, 128, 16, 128];

/**
 * A weighted sum of the last layer's [CLS] and its gradient for every weight but the word embeddings: tfjs's wasm backend
 * has no kernel for a look-up's gradient, so neither side computes it.
 */
function program() {
  const { encoder, weights } = scratchEncoder(
    {
      layers,
      dimensions,
      heads: 2,
      intermediate: 4 * dimensions,
      vocabularySize: 8000,
      maxTokens: 128,
      dropout: 0,
    },
    1,
  );
  const random = stream(1, 'perf');
  const ids = Int32Array.from({ length: batch * tokens }, () => random.integer(8000));
  const specs: ArraySpec[] = [
    ...encoder.parameters.map(({ shape }): ArraySpec => ({ shape, dtype: 'float32' })),
    { shape: [batch, tokens], dtype: 'int32' },
    { shape: [batch, tokens], dtype: 'float32' },
  ];
  const build = (inputs: tf.Tensor[]): tf.Tensor[] => {
    const [idTensor, mask] = inputs.slice(-2) as [tf.Tensor2D, tf.Tensor2D];
    const direction = tf.tensor(Float32Array.from({ length: dimensions }, (_, i) => Math.sin(i + 1)));
    const [words, ...others] = inputs.slice(0, -2);
    const { value, grads } = tf.valueAndGrads((...trained: tf.Tensor[]) => {
      const states = encoder.states([words!, ...trained], { ids: idTensor, mask });
      // Not a sum of squares: normalization keeps that constant, and its gradient is rounding noise.
      return tf.sum(tf.mul(states.summary(layers), direction)) as tf.Scalar;
    })(others);
    return [value, ...grads];
  };
  const feeds: NumericArray[] = [...weights, ids, new Float32Array(batch * tokens).fill(1)];
  return { build, specs, feeds };
}

async function wasmEngine(): Promise<Engine> {
  // The package has no usable ES module for Node; its CommonJS build finds its .wasm files where it is told to.
  const require = createRequire(import.meta.url);
  const wasm = require('@tensorflow/tfjs-backend-wasm') as {
    setWasmPaths(folder: string): void;
    version_wasm: string;
  };
  wasm.setWasmPaths(`${path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  await tf.setBackend('wasm');
  return eagerEngine('tfjs-cpu', 'wasm', {
    device: 'cpu',
    threads: 1,
    versions: { wasm: wasm.version_wasm },
  });
}

export default async function perfEngine(): Promise<void> {
  const { build, specs, feeds } = program();
  const engines: [string, Engine, number][] = [
    ['recorded, onnxruntime', await openEngine('onnx'), 10],
    ['tfjs wasm', await wasmEngine(), 2],
  ];
  const results = [];
  for (const [name, engine, repetitions] of engines) {
    const compiled = await engine.compile(build, specs);
    let outputs = await compiled.run(feeds);
    const times: number[] = [];
    for (let i = 0; i < repetitions; i++) {
      const started = performance.now();
      outputs = await compiled.run(feeds);
      times.push(performance.now() - started);
    }
    results.push({ name, milliseconds: median(times), times, outputs: outputs as NumericArray[] });
  }
  const [onnx, wasm] = results;
  console.log(`forward + backward, ${layers} layers, D=${dimensions}, ${batch} x ${tokens} tokens`);
  for (const { name, milliseconds, times } of results) {
    console.log(
      `  ${name.padEnd(24)} median ${milliseconds.toFixed(0)} ms of ${times.length} (${times.map((t) => t.toFixed(0)).join(' ')})`,
    );
  }
  console.log(`  ratio ${(wasm!.milliseconds / onnx!.milliseconds).toFixed(1)}`);
  console.log(
    `  gradients: largest relative difference ${largestDifference(onnx!.outputs, wasm!.outputs).toExponential(1)}`,
  );
}

/** Over tensors: the norm of the difference by the norm of the second; tensors that are 0 in both count as equal. */
export function largestDifference(a: readonly NumericArray[], b: readonly NumericArray[]): number {
  const norms = b.map(normOf);
  const floor = 1e-6 * Math.max(...norms);
  return Math.max(
    ...a.map((values, i) => {
      const difference = Float32Array.from(values, (value, j) => value - b[i]![j]!);
      return normOf(difference) / Math.max(norms[i]!, floor);
    }),
  );
}

function normOf(values: NumericArray): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
