/**
 * The ONNX operators that a program may hold: those of which it is known that ONNX Runtime's CPU kernels leave the same
 * bits in every run and at any number of threads. docs/reproducible.md says why, for each kind.
 */
import type { GraphNode } from './graph.js';

/** Each output element is worked out from its own inputs, whichever thread has it. */
const elementByElement = [
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Neg', 'Abs', 'Sign', 'Floor', 'Clip', 'Cast', 'Where'],
  ...['Erf', 'Gelu', 'Exp', 'Sqrt', 'Reciprocal', 'Relu', 'Tanh', 'Sigmoid'],
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or', 'Not'],
];
/** Values are copied, each to one place that no other is copied to. */
const moved = [
  ...['Identity', 'Reshape', 'Transpose', 'Slice', 'Pad', 'Concat', 'Split', 'Tile', 'Expand'],
  ...['Gather', 'OneHot'],
];
/** One thread makes each output, and goes through what it is made of in one order. */
const oneThreadEach = ['Softmax', 'LogSoftmax', 'LayerNormalization', 'CumSum', 'ArgMax', 'ArgMin', 'TopK'];
/** The same, where the axes stand at an edge (kernels/reductions.ts); a largest value is the same in any order. */
const atEdges = ['ReduceSum', 'ReduceSumSquare', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceLogSum'];
/** As product-order.ts writes them. */
const products = ['MatMul', 'FusedMatMul', 'Gemm'];
/** A smallest and a largest value, integers whose sums are exact, and what is worked out from each of them alone. */
const integers = ['DynamicQuantizeLinear', 'MatMulIntegerToFloat'];

export const knownOperators: ReadonlySet<string> = new Set(
  [elementByElement, moved, oneThreadEach, atEdges, products, integers].flat(),
);

/**
 * @throws Error that names an operator whose bits may change from run to run: ScatterND with addition, for one, loses
 * additions where several threads add into one row
 */
export function refuseUnknown(nodes: readonly GraphNode[], program: string): void {
  const unknown = new Set(nodes.map(({ op }) => op).filter((op) => !knownOperators.has(op)));
  if (unknown.size === 0) return;
  throw new Error(
    `The program '${program}' holds ${[...unknown].join(', ')}, of which it is not known that the same bits come out in every run: see docs/reproducible.md.`,
  );
}
