/** What becomes of products with weights in each precision, in this process's memory. */
import type { Precision } from '../../contracts.js';
import type { DeviceName } from '../engine.js';
import type { ConstantArray, Graph, Value } from './graph.js';
import { useHalves } from './half-products.js';
import { halfWeights } from './half-weights.js';
import { useIntegers } from './integer-products.js';
import { integerLimit } from './integer-weights.js';
import type { Ort } from './runtime.js';

interface Recorded {
  graph: Graph;
  outputs: readonly Value[];
  /** Inputs that are matrices of weights. */
  weights: ReadonlyMap<Value, Float32Array>;
  /** Those whose products stay float32 in f16. */
  kept: ReadonlySet<Value>;
  device: DeviceName;
}

/** Rewrites in place what the outputs need. @returns what is to be fed at every run to inputs that the caller does not feed */
type Rewriting = (ort: Ort, recorded: Recorded) => Promise<Map<Value, ConstantArray>>;

export const otherProducts: Readonly<Record<Precision, Rewriting>> = {
  float32: async () => new Map(),
  int8: async (ort, { graph, outputs, weights }) =>
    useIntegers(graph, outputs, { weights, limit: await integerLimit(ort) }),
  async f16(ort, { graph, outputs, weights, kept, device }) {
    const rounded = new Map([...weights].filter(([value]) => !kept.has(value)));
    const fed = new Map<Value, ConstantArray>([...weights].filter(([value]) => kept.has(value)));
    const within = device === 'cpu' ? 'float32' : 'float16';
    for (const [input, values] of useHalves(graph, outputs, rounded, within)) {
      fed.set(input, await halfWeights(ort, values));
    }
    return fed;
  },
};
