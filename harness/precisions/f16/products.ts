/**
 * Writes products with weights in float16, for `precision: 'f16'`: a matrix of weights is fed as float16 numbers, what it is
 * multiplied with is made float16 before the product, and what comes out is made float32 again. Products of two things that
 * both depend on the texts, as in attention, normalizations, softmaxes and poolings are float32 as ever.
 *
 * A processor has no such products in ONNX Runtime, which would compute them in float32 and leave out the rounding wherever
 * that is quicker. There the same numbers are rounded by casts of our own around a product in float32.
 */
import { type Graph, prune, type Value } from '../../tensor/onnx/graph.js';
import { elementType } from '../../tensor/onnx/model-file.js';
import { become } from '../../tensor/onnx/product-order.js';

/** What only moves numbers of its first input leaves float16 numbers as they are: a table of words is never made float32 whole. */
const moves: ReadonlySet<string> = new Set(['Reshape', 'Transpose', 'Slice', 'Gather', 'Identity']);
const products: ReadonlySet<string> = new Set(['MatMul', 'FusedMatMul', 'Gemm']);

const castTo = (graph: Graph, x: Value, dtype: 'float16' | 'float32'): Value =>
  graph.node('Cast', [x], x.shape, dtype, { to: elementType[dtype] });

/**
 * Rewrites in place what `outputs` need.
 * @param weights inputs that are matrices, and their values
 * @param within what products are computed in, of numbers that are float16
 * @returns inputs that are float16 numbers, and of which values
 * @throws Error where no product has weights: the program would be what it was
 */
export function useHalves(
  graph: Graph,
  outputs: readonly Value[],
  weights: ReadonlyMap<Value, Float32Array>,
  within: 'float16' | 'float32',
): Map<Value, Float32Array> {
  const { nodes } = prune(outputs);
  const inputs = new Map<Value, Float32Array>();
  const halves = new Map<Value, Value | undefined>();
  /** The float16 twin of a weight, and of what only moves its numbers. */
  const halfOf = (value: Value | undefined): Value | undefined => {
    if (value === undefined) return undefined;
    if (!halves.has(value)) halves.set(value, made(value));
    return halves.get(value);
  };
  const made = (value: Value): Value | undefined => {
    const values = weights.get(value);
    if (values !== undefined) {
      const input = graph.input(value.shape, 'float16');
      inputs.set(input, values);
      return input;
    }
    const { node } = value;
    if (node === undefined || !moves.has(node.op)) return undefined;
    const [first, ...rest] = node.inputs;
    const source = halfOf(first);
    return source && graph.node(node.op, [source, ...rest], value.shape, 'float16', node.attributes);
  };
  const cast = new Map<Value, Value>();
  const once = (x: Value, dtype: 'float16' | 'float32'): Value => {
    const known = cast.get(x) ?? castTo(graph, x, dtype);
    cast.set(x, known);
    return known;
  };
  let count = 0;
  for (const node of nodes) {
    if (halfOf(node.outputs[0]) !== undefined) {
      // Its twin is read instead, but for an output of the program.
      if (outputs.includes(node.outputs[0]!))
        become(node, castTo(graph, halfOf(node.outputs[0])!, 'float32').node!);
      continue;
    }
    const factors = node.inputs.map(halfOf);
    if (!products.has(node.op)) {
      if (factors.some((factor) => factor !== undefined))
        node.inputs = node.inputs.map((x, i) => (factors[i] && once(factors[i], 'float32')) || x);
      continue;
    }
    if (factors[0] === undefined && factors[1] === undefined) continue;
    count++;
    const rounded = node.inputs.map((x, i) => factors[i] ?? once(x!, 'float16'));
    const taken = within === 'float16' ? rounded : rounded.map((x) => once(x, 'float32'));
    const { op, domain, attributes } = node;
    const product = graph.node(op, taken, node.outputs[0]!.shape, within, attributes, domain);
    const result = within === 'float16' ? product : castTo(graph, product, 'float16');
    become(node, castTo(graph, result, 'float32').node!);
  }
  if (count === 0) throw new Error('A program without a product with weights has no use for f16.');
  return inputs;
}
