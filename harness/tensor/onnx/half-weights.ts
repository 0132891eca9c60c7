/** Weights as float16 numbers in this process's memory, which JavaScript has no array for: ONNX Runtime rounds them. */
import { BenchError } from '../../errors.js';
import { Graph, prune, type Value } from './graph.js';
import { elementType, writeModel } from './model-file.js';
import type { Ort } from './runtime.js';

/** Any number of float32 numbers in, the same as float16 out. */
export function halvesModel(): Uint8Array {
  const graph = new Graph();
  const input = graph.input([], 'float32');
  const output = graph.node('Cast', [input], [], 'float16', { to: elementType.float16 });
  for (const value of [input, output] satisfies Value[]) value.dimensions = ['n'];
  const { nodes, used } = prune([output]);
  return writeModel(graph, nodes, used, [output]);
}

/** Rounded once for all programs, of which there is one for each shape of a batch. */
const made = new WeakMap<Float32Array, Promise<Uint16Array>>();

/** @returns the bits of the nearest float16 numbers @throws BenchError as `assertHalves` */
export function halfWeights(ort: Ort, values: Float32Array): Promise<Uint16Array> {
  const halves = made.get(values) ?? rounded(ort, values);
  made.set(values, halves);
  return halves;
}

async function rounded(ort: Ort, values: Float32Array): Promise<Uint16Array> {
  assertHalves(values);
  const session = await ort.InferenceSession.create(halvesModel(), { logSeverityLevel: 3 });
  try {
    const fed = new ort.Tensor('float32', values, [values.length]);
    const results = await session.run({ [session.inputNames[0]!]: fed });
    // Of what a session owns nothing may be kept beyond it.
    return (results[session.outputNames[0]!]!.data as Uint16Array).slice();
  } finally {
    await session.release();
  }
}

/** The least number that float16 rounds to infinity. */
const leastInfinite = 65_520;

/** @throws BenchError CONFIG_INVALID where float16 does not hold a number */
export function assertHalves(values: Float32Array): void {
  const beyond = values.find((value) => !(Math.abs(value) < leastInfinite));
  if (beyond === undefined) return;
  throw new BenchError(
    'CONFIG_INVALID',
    `encode.precision=f16: a weight of the model is ${beyond}, and float16 ends at 65,504.`,
    { hint: 'This model needs encode.precision=float32.' },
  );
}
