/**
 * Writes products with weights as products of integers, for `precision: 'int8'` on the CPU: whatever the left side holds is
 * brought into 0..255 by its own range (`DynamicQuantizeLinear`), multiplied with integer weights, and the sums, which are
 * exact, become floats again with the bias added (`com.microsoft.MatMulIntegerToFloat`). Products of two things that both
 * depend on the texts, as in attention, stay as they are.
 */
import {
  type ConstantArray,
  type Graph,
  type GraphNode,
  prune,
  type Value,
} from '../../tensor/onnx/graph.js';
import { become } from '../../tensor/onnx/product-order.js';
import { type Factor, integerMatrix } from './weights.js';

/**
 * Integer weights are part of the program, which packs them once, up to so many bytes: three times as fast for one query
 * as those that are packed at every run. BERT-base has 85 million, and a program for each of about 16 shapes.
 */
const mostBaked = 2 ** 27;

export interface IntegerOptions {
  /** Inputs that are weights, at least two-dimensional. */
  weights: ReadonlyMap<Value, Float32Array>;
  /** See `integerLimit`. */
  limit: number;
  mostBaked?: number;
}

/**
 * Rewrites in place what `outputs` need.
 * @returns what is to be fed to the program's inputs at every run: the weights that are no factor, and integers not baked in
 * @throws Error where no product has weights: the program would be what it was
 */
export function useIntegers(
  graph: Graph,
  outputs: readonly Value[],
  { weights, limit, mostBaked: most = mostBaked }: IntegerOptions,
): Map<Value, ConstantArray> {
  const products = prune(outputs).nodes.flatMap((node) => {
    const factor = isProduct(node) ? factorOf(node, weights) : undefined;
    return factor === undefined ? [] : [{ node, factor }];
  });
  if (products.length === 0) throw new Error('A program without a product with weights has no use for int8.');
  const bound = new Map<Value, ConstantArray>();
  const isBaked = products.reduce((sum, { factor: { inner, columns } }) => sum + inner * columns, 0) <= most;
  const constant = (values: Int8Array, shape: readonly number[]) => {
    if (isBaked) return graph.constant(values, shape, 'int8');
    const input = graph.input(shape, 'int8');
    bound.set(input, values);
    return input;
  };
  // What several products take, as those of query, key and value do, becomes integers once.
  const integers = new Map<Value, readonly Value[]>();
  for (const { node, factor } of products) {
    const [left, , bias] = node.inputs as [Value, Value, Value?];
    const { inner, columns } = factor;
    const { values, scales } = integerMatrix(factor, limit);
    const [numbers, scale, zero] = integers.get(left) ?? rangeOf(graph, left);
    integers.set(left, [numbers!, scale!, zero!]);
    const factors = [
      ...[numbers, constant(values, [inner, columns])],
      ...[scale, graph.constant(scales, [columns], 'float32'), zero, undefined, bias],
    ];
    // Behind the bias nothing may be left out, and nothing need be written.
    const inputs = bias === undefined ? factors.slice(0, 5) : factors;
    const { shape } = node.outputs[0]!;
    become(node, graph.node('MatMulIntegerToFloat', inputs, shape, 'float32', {}, 'com.microsoft').node!);
  }
  const { used } = prune(outputs);
  for (const [value, values] of weights) if (used.has(value)) bound.set(value, values);
  return bound;
}

/** The second factor of a product, where it is a matrix of weights or some rows of one. */
function factorOf(
  { inputs, attributes }: GraphNode,
  weights: ReadonlyMap<Value, Float32Array>,
): Factor | undefined {
  const right = inputs[1]!;
  const transposed = attributes.transB === 1;
  const [columns, inner] = (transposed ? right.shape : right.shape.toReversed()) as [number, number];
  const sizes = { inner, columns, transposed };
  const whole = weights.get(right);
  if (whole !== undefined) return { weight: whole, offset: 0, ...sizes };
  if (right.node?.op !== 'Slice') return undefined;
  const [source, starts] = right.node.inputs as [Value, Value];
  const weight = weights.get(source);
  // Rows as they are stored: a part of each would not lie together.
  if (weight === undefined || source.shape[1] !== right.shape[1]) return undefined;
  return { weight, offset: Number(starts.constant![0]) * right.shape[1]!, ...sizes };
}

function isProduct({ op, inputs, attributes }: GraphNode): boolean {
  if (op !== 'MatMul' && op !== 'FusedMatMul' && op !== 'Gemm') return false;
  return attributes.transA !== 1 && inputs[1]!.shape.length === 2;
}

/** @returns integers 0..255, their scale and which of them stands for 0 */
function rangeOf(graph: Graph, x: Value): readonly Value[] {
  const [numbers, scale, zero] = graph.nodes(
    'DynamicQuantizeLinear',
    [x],
    [
      { shape: x.shape, dtype: 'uint8' },
      { shape: [], dtype: 'float32' },
      { shape: [], dtype: 'uint8' },
    ],
  );
  // What is no number becomes some integer or other, and its product a number: the scale, to which 0 is added else, says it.
  const sum = graph.node('ReduceSum', [x], [], 'float32', { keepdims: 0 });
  const nothing = graph.node('Mul', [sum, graph.constant(new Float32Array(1), [], 'float32')], [], 'float32');
  return [numbers!, graph.node('Add', [scale, nothing], [], 'float32'), zero!];
}
