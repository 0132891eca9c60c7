/** Where programs run, and what all such places have in common. */
import type { CompileOptions, Engine } from '../engine.js';
import type { Graph, Value } from './graph.js';
import { type ProductsOf, usualPrecision } from './precision.js';

/** Where programs run and what they are fed lies. */
export type Place = Pick<
  Engine,
  | 'largestArrayBytes'
  | 'tryLargestArray'
  | 'hasInt64'
  | 'compile'
  | 'variables'
  | 'resident'
  | 'release'
  | 'dispose'
>;

/** What was asked for, and the usual where nothing was. */
export const askedOf = ({
  fixed = new Map(),
  name = 'program',
  precision = usualPrecision,
  overflowing = new Set(),
  trained,
}: CompileOptions = {}) => ({ fixed, name, precision, overflowing, trained });

/** @param open inputs of the program that are inputs of the graph, in its order */
export function productsOf(
  graph: Graph,
  outputs: readonly Value[],
  open: readonly number[],
  how: Required<Pick<CompileOptions, 'fixed' | 'overflowing'>> & {
    isMatrix: (i: number) => boolean;
  },
): ProductsOf {
  const inputs = open.map((i, at) => [i, graph.inputs[at]!] as const);
  return {
    ...{ graph, outputs },
    weights: new Map(
      inputs.flatMap(([i, value]) => (how.isMatrix(i) ? [[value, how.fixed.get(i) as Float32Array]] : [])),
    ),
    kept: new Set(inputs.flatMap(([i, value]) => (how.overflowing.has(i) ? [value] : []))),
  };
}

export const refusal = (name: string, cause: unknown): Error =>
  new Error(`ONNX Runtime refused the recorded program '${name}': ${(cause as Error).message}`, { cause });
