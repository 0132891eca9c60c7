/** Runs encoders for tests: their states, and the gradients of a sum over these. */
import assert from 'node:assert/strict';
import type { LoadedEncoder } from '../harness/model/checkpoint.js';
import type { ArraySpec, Engine } from '../harness/tensor/engine.js';
import { sizeOf } from '../harness/tensor/engine.js';
import { lookUpPlan } from '../harness/tensor/look-up.js';
import * as tf from '../harness/tensor/operations.js';

export interface Batch {
  ids: number[][];
  mask: number[][];
}

/**
 * Runs an encoder once: the hidden states, then the summary of every layer.
 * @param keep masks of dropout
 * @param lastSummaryAlone nothing but the summary of the last layer is asked for
 */
export async function forward(
  engine: Engine,
  { encoder, weights }: LoadedEncoder,
  { ids, mask }: Batch,
  { keep, lastSummaryAlone = false }: { keep?: Uint8Array[]; lastSummaryAlone?: boolean } = {},
) {
  const shape = [ids.length, ids[0]!.length];
  const sites = keep === undefined ? [] : encoder.dropoutSites(shape[0]!, shape[1]!);
  const specs: ArraySpec[] = [
    { shape, dtype: 'int32' },
    { shape, dtype: 'float32' },
    ...encoder.parameters.map((parameter) => ({ shape: parameter.shape, dtype: 'float32' as const })),
    ...sites.map((site) => ({ shape: site.shape, dtype: 'bool' as const })),
  ];
  const { layers } = encoder.shape;
  const program = await engine.compile((inputs) => {
    const [tokens, present, ...rest] = inputs;
    const states = encoder.states(
      rest.slice(0, weights.length),
      { ids: tokens as tf.Tensor2D, mask: present as tf.Tensor2D },
      keep === undefined ? undefined : rest.slice(weights.length),
    );
    if (lastSummaryAlone) return [states.summary(layers)];
    return [...states.hidden, ...states.hidden.map((_, layer) => states.summary(layer))];
  }, specs);
  const feeds = [Int32Array.from(ids.flat()), Float32Array.from(mask.flat()), ...weights, ...(keep ?? [])];
  const outputs = (await program.run(feeds)) as Float32Array[];
  await program.dispose();
  if (lastSummaryAlone) return { hidden: [], summaries: outputs };
  return { hidden: outputs.slice(0, layers + 1), summaries: outputs.slice(layers + 1) };
}

export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const allowed = tolerance * Math.max(1, Math.abs(expected[i]!));
    if (!(Math.abs(actual[i]! - expected[i]!) <= allowed)) {
      assert.fail(`${what}: element ${i} is ${actual[i]}, expected ${expected[i]}`);
    }
  }
}

/** Different numbers for every element, which the script of the fixtures works out as well. */
function probe(layer: number, shape: readonly number[]): tf.Tensor {
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.cos(1 + layer + 0.7 * i));
  return tf.tensor(values, [...shape]);
}

/**
 * The gradients of a weighted sum over all layers and the tokens that are no padding, one array a parameter.
 * @param keep masks of dropout
 */
export async function gradients(
  engine: Engine,
  { encoder, weights }: LoadedEncoder,
  { ids, mask }: Batch,
  keep: readonly Uint8Array[] = [],
): Promise<Float32Array[]> {
  const shape = [ids.length, ids[0]!.length];
  const flat = Int32Array.from(ids.flat());
  const specs: ArraySpec[] = [
    { shape, dtype: 'int32' },
    { shape, dtype: 'float32' },
    ...encoder.parameters.map((parameter) => ({ shape: parameter.shape, dtype: 'float32' as const })),
    ...(keep.length === 0 ? [] : encoder.dropoutSites(shape[0]!, shape[1]!)).map((site) => ({
      shape: site.shape,
      dtype: 'bool' as const,
    })),
  ];
  const program = await engine.compile(([tokens, present, ...rest]) => {
    const masks = keep.length === 0 ? undefined : rest.slice(weights.length);
    const loss = (...variables: tf.Tensor[]) => {
      const untrained = encoder.trainsPadding ? undefined : encoder.paddingId;
      const plan = tf.tensor1d(lookUpPlan(flat, encoder.vocabularySize, untrained), 'int32');
      const input = { ids: tokens as tf.Tensor2D, mask: present as tf.Tensor2D, plan };
      const { hidden } = encoder.states(variables, input, masks);
      const sums: tf.Tensor[] = hidden.map((layer, l) =>
        tf.sum(tf.mul(tf.mul(layer, probe(l, layer.shape)), tf.expandDims(present!, 2))),
      );
      return sums.reduce((a, b) => tf.add(a, b)) as tf.Scalar;
    };
    return tf.grads(loss)(rest.slice(0, weights.length));
  }, specs);
  const outputs = await program.run([flat, Float32Array.from(mask.flat()), ...weights, ...keep]);
  await program.dispose();
  return outputs as Float32Array[];
}
