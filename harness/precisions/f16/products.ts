/**
 * Writes products with weights in float16, for the precision f16: what is multiplied is made float16 before the product, and
 * what comes out is made float32 again. In encoding a matrix of weights is fed as float16 numbers. In training it is fed as
 * float32 numbers, which small updates are not lost of, and the products that make its gradient are of float16 numbers too.
 * Products of two things that both depend on the texts, as in attention and in the loss, normalizations, softmaxes and
 * poolings are float32 as ever.
 *
 * A processor has no such products in ONNX Runtime, which would compute them in float32 and leave out the rounding wherever
 * that is quicker. There the same numbers are rounded by casts of our own around a product in float32.
 */
import { type Graph, type GraphNode, prune, type Value } from '../../tensor/onnx/graph.js';
import { elementType } from '../../tensor/onnx/model-file.js';
import type { TrainedProducts } from '../../tensor/onnx/precision.js';
import { become } from '../../tensor/onnx/product-order.js';

/** What only moves numbers of its first input leaves float16 numbers as they are: a table of words is never made float32 whole. */
const moves: ReadonlySet<string> = new Set(['Reshape', 'Transpose', 'Slice', 'Gather', 'Identity']);
const products: ReadonlySet<string> = new Set(['MatMul', 'FusedMatMul', 'Gemm']);

type Float = 'float16' | 'float32';
const castTo = (graph: Graph, x: Value, dtype: Float): Value =>
  graph.node('Cast', [x], x.shape, dtype, { to: elementType[dtype] });

/** What is rounded is rounded once, whoever reads it. */
class Rounding {
  readonly #cast = new Map<Value, Value>();
  count = 0;

  /** @param within what products are computed in, of numbers that are float16 */
  constructor(
    readonly graph: Graph,
    readonly within: Float,
  ) {}

  once(x: Value, dtype: Float): Value {
    const known = this.#cast.get(x) ?? castTo(this.graph, x, dtype);
    this.#cast.set(x, known);
    return known;
  }

  /** @param halves float16 twins of the factors, where they have one */
  product(node: GraphNode, halves: readonly (Value | undefined)[] = []): void {
    const { graph, within } = this;
    const { op, domain, attributes } = node;
    this.count++;
    const rounded = node.inputs.map((x, i) => halves[i] ?? this.once(x!, 'float16'));
    const taken = within === 'float16' ? rounded : rounded.map((x) => this.once(x, 'float32'));
    const product = graph.node(op, taken, node.outputs[0]!.shape, within, attributes, domain);
    const result = within === 'float16' ? product : castTo(graph, product, 'float16');
    become(node, castTo(graph, result, 'float32').node!);
  }

  /** @throws Error where no product has weights: the program would be what it was */
  assertUsed(): void {
    if (this.count === 0) throw new Error('A program without a product with weights has no use for f16.');
  }
}

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
  within: Float,
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
  const rounding = new Rounding(graph, within);
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
        node.inputs = node.inputs.map((x, i) => (factors[i] && rounding.once(factors[i], 'float32')) || x);
      continue;
    }
    if (factors[0] !== undefined || factors[1] !== undefined) rounding.product(node, factors);
  }
  rounding.assertUsed();
  return inputs;
}

/** What only carries a gradient on from the product that made it: pieces of a matrix, and sums of several uses. */
const carriers: ReadonlySet<string> = new Set(['Add', 'Reshape', 'Transpose', 'Identity', 'Pad', 'Concat']);

/** The same for a program that trains: what multiplies with weights, and what makes their gradients. @throws as `useHalves` */
export function trainWithHalves(
  { graph, outputs, weights, gradients }: TrainedProducts,
  within: Float,
): void {
  const { nodes } = prune(outputs);
  const isOfWeights = (value: Value | undefined): boolean =>
    value !== undefined &&
    (weights.has(value) ||
      (value.node !== undefined && moves.has(value.node.op) && isOfWeights(value.node.inputs[0])));
  const makers = new Set<GraphNode>();
  const seek = ({ node }: Value): void => {
    if (node === undefined || makers.has(node)) return;
    makers.add(node);
    if (carriers.has(node.op)) for (const input of node.inputs) if (input !== undefined) seek(input);
  };
  for (const gradient of gradients) seek(gradient);
  const rounding = new Rounding(graph, within);
  for (const node of nodes)
    if (products.has(node.op) && (makers.has(node) || node.inputs.slice(0, 2).some(isOfWeights)))
      rounding.product(node);
  rounding.assertUsed();
}
