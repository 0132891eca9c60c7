/**
 * Sums on CUDA as products with ones. ONNX Runtime's own quick sums add with atomics, in any order, so a session that is asked to be
 * deterministic takes cuDNN's, which read a few hundred GB a second: a third of a training step of BERT-base on an H100. cuBLAS
 * reads ten times as much for a row or a column times a matrix, always in the same order.
 */
import type { Graph, GraphNode, Value } from './graph.js';

/** Of fewer numbers any kernel takes the time of its start. */
const leastNumbers = 2 ** 16;
/** Each column of a product with a row has a thread: fewer leave a large GPU idle. */
const leastColumns = 2 ** 16;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/**
 * A ReduceSum or ReduceMean node over the first axes or the last ones.
 * @returns what stands for its output; the node as it is where it is small, of other numbers, or over other axes
 */
export function summedByProduct(graph: Graph, node: GraphNode): Value {
  const { op, inputs, outputs, attributes } = node;
  const [x, axes] = inputs as [Value, Value | undefined];
  const { shape, dtype } = outputs[0]!;
  const places = [...((axes?.constant as BigInt64Array | undefined) ?? [])].map(Number).sort((a, b) => a - b);
  const rank = x.shape.length;
  const isFirst = places.every((axis, i) => axis === i);
  const isLast = places.every((axis, i) => axis === rank - places.length + i);
  const summed = sizeOf(places.map((axis) => x.shape[axis]!));
  const kept = sizeOf(x.shape) / summed;
  const isTaken = dtype === 'float32' && summed > 1 && kept > 1 && summed * kept >= leastNumbers;
  if (!isTaken || !(isFirst || isLast)) return graph.node(op, inputs, shape, dtype, attributes);
  const weight = op === 'ReduceMean' ? 1 / summed : 1;
  const sums = isLast
    ? rowSums(graph, x, [kept, summed], weight)
    : columnSums(graph, x, [summed, kept], weight);
  return reshaped(graph, sums, shape);
}

const reshaped = (graph: Graph, x: Value, shape: readonly number[]): Value =>
  graph.node('Reshape', [x, graph.integers(shape)], shape, x.dtype, { allowzero: 1 });

const vector = (graph: Graph, shape: readonly number[], weight: number): Value =>
  graph.constant(new Float32Array(sizeOf(shape)).fill(weight), shape, 'float32');

const product = (graph: Graph, a: Value, b: Value): Value =>
  graph.node('MatMul', [a, b], [a.shape[0]!, b.shape[1]!], 'float32');

function rowSums(graph: Graph, x: Value, size: readonly [number, number], weight: number): Value {
  return product(graph, reshaped(graph, x, size), vector(graph, [size[1], 1], weight));
}

/** In two steps where the columns are few: rows beside each other are as good as more columns, whose sums are added up then. */
function columnSums(
  graph: Graph,
  x: Value,
  [rows, columns]: readonly [number, number],
  weight: number,
): Value {
  const beside = besideFor(rows, columns);
  const wide = reshaped(graph, x, [rows / beside, beside * columns]);
  const sums = product(graph, vector(graph, [1, rows / beside], weight), wide);
  if (beside === 1) return sums;
  return product(graph, vector(graph, [1, beside], 1), reshaped(graph, sums, [beside, columns]));
}

/** @returns how many rows are put beside each other, a divisor of their number; 1 where one would be all of them */
function besideFor(rows: number, columns: number): number {
  let beside = Math.min(rows, Math.ceil(leastColumns / columns));
  while (rows % beside !== 0) beside++;
  return beside === rows ? 1 : beside;
}
