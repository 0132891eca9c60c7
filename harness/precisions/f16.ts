import { BenchError } from '../errors.js';
import type { ConstantArray, Value } from '../tensor/onnx/graph.js';
import { halfWeights } from '../tensor/onnx/half-weights.js';
import type { PrecisionPlugin, ProductsOf } from '../tensor/onnx/precision.js';
import { trainWithHalves, useHalves } from './f16/products.js';

const rounded = ({ weights, kept }: ProductsOf) =>
  new Map([...weights].filter(([value]) => !kept.has(value)));

/** Weights are held as float16 numbers, or in training rounded to them at every step, and multiplied with float16 numbers. */
const f16: PrecisionPlugin = {
  summary:
    "weights and what they are multiplied with rounded to float16; the engine 'onnx', on a GPU that has it",
  devices: ['webgpu', 'cuda', 'cpu'],
  where: 'on webgpu, cuda, or for comparison on cpu',
  hint: 'Give --engine onnx',
  deviceNeeds:
    'A GPU needs float16 in its shaders (shader-f16 of WebGPU), which some GPUs and software drivers lack',
  async inMemory(ort, program) {
    const { graph, outputs, weights, kept } = program;
    const fed = new Map<Value, ConstantArray>([...weights].filter(([value]) => kept.has(value)));
    for (const [input, values] of useHalves(graph, outputs, rounded(program), 'float32'))
      fed.set(input, await halfWeights(ort, values));
    return fed;
  },
  onDevice: (program) => useHalves(program.graph, program.outputs, rounded(program), 'float16'),
  training: (program, device) => trainWithHalves(program, device === 'cpu' ? 'float32' : 'float16'),
  /** What float16 could not hold came to infinity, and then to no number. */
  assertVectors(rows, side) {
    for (const row of rows) {
      const at = row.findIndex((value) => !Number.isFinite(value));
      if (at < 0) continue;
      throw new BenchError(
        'CONFIG_INVALID',
        `encode.precision=f16: the ${side} encoder gave ${row[at]} in a vector, where a product came out larger than the 65,504 of float16.`,
        { hint: 'This model needs encode.precision=float32.' },
      );
    }
  },
};

export default f16;
