/** Matrix products in ONNX's own operators, for runtimes that lack com.microsoft.FusedMatMul. */
import type { Graph, GraphNode, Value } from './graph.js';

/**
 * The output of a FusedMatMul node, made by Gemm or by Transpose and MatMul.
 * @param node as it was recorded
 * @param inputs what stands for its inputs in `graph`
 */
export function standardProduct(graph: Graph, node: GraphNode, inputs: readonly Value[]): Value {
  const { shape, dtype } = node.outputs[0]!;
  const transposed = [Number(node.attributes.transA), Number(node.attributes.transB)];
  const ranks = node.inputs.map((input) => input!.shape.length);
  if (ranks.every((rank) => rank === 2)) {
    return graph.node('Gemm', inputs, shape, dtype, { transA: transposed[0]!, transB: transposed[1]! });
  }
  const factors = inputs.map((value, i) => {
    if (transposed[i] === 0) return value;
    const axes = Array.from({ length: ranks[i]! }, (_, axis) => axis);
    const perm = [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!];
    const turned = perm.map((axis) => node.inputs[i]!.shape[axis]!);
    return graph.node('Transpose', [value], turned, dtype, { perm });
  });
  return graph.node('MatMul', factors, shape, dtype);
}
