/** Matrix products in ONNX's own operators, for runtimes that lack com.microsoft.FusedMatMul. */
import type { Graph, GraphNode, Value } from './graph.js';

/** Which factors of a product are transposed, 1 or 0. */
const transposedOf = ({ attributes: { transA = 0, transB = 0 } }: GraphNode): [number, number] => [
  Number(transA),
  Number(transB),
];

/**
 * The output of a FusedMatMul node, made by Gemm or by Transpose and MatMul.
 * @param node as it was recorded
 * @param inputs what stands for its inputs in `graph`
 */
export function standardProduct(graph: Graph, node: GraphNode, inputs: readonly Value[]): Value {
  const { shape, dtype } = node.outputs[0]!;
  if (!node.inputs.every((input) => input!.shape.length === 2)) return turnedProduct(graph, node, inputs);
  const [transA, transB] = transposedOf(node);
  return graph.node('Gemm', inputs, shape, dtype, { transA, transB });
}

/** The same, made by Transpose and MatMul whatever the rank: on GPUs ONNX Runtime's MatMul is three times as quick as its Gemm. */
export function turnedProduct(graph: Graph, node: GraphNode, inputs: readonly Value[]): Value {
  const { shape, dtype } = node.outputs[0]!;
  const transposed = transposedOf(node);
  const ranks = node.inputs.map((input) => input!.shape.length);
  const factors = inputs.map((value, i) => {
    if (transposed[i] === 0) return value;
    const axes = Array.from({ length: ranks[i]! }, (_, axis) => axis);
    const perm = [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!];
    const turned = perm.map((axis) => node.inputs[i]!.shape[axis]!);
    return graph.node('Transpose', [value], turned, dtype, { perm });
  });
  return graph.node('MatMul', factors, shape, dtype);
}

/** A Gemm node by Transpose, MatMul and Add. */
export function turnedGemm(graph: Graph, node: GraphNode): Value {
  const [a, b, bias] = node.inputs as [Value, Value, Value?];
  const product = turnedProduct(graph, { ...node, inputs: [a, b] }, [a, b]);
  if (bias === undefined) return product;
  return graph.node('Add', [product, bias], product.shape, product.dtype);
}
