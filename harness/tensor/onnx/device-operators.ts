/**
 * Operators for which ONNX Runtime has no kernel on a device, or none that is quick, written with those it has. Only for a
 * device: on the CPU a program keeps the operators whose bits are known (known-operators.ts).
 */
import type { InferenceSession } from 'onnxruntime-node';
import { type Graph, type GraphNode, prune, type Value } from './graph.js';
import { writeModel } from './model-file.js';
import type { DeviceOrt } from './native-runtime.js';
import { become } from './product-order.js';
import { turnedGemm, turnedProduct } from './standard-products.js';
import { summedByProduct } from './summing-products.js';

type Rewriting = (graph: Graph, node: GraphNode) => Value;
/** By operator. */
export type Rewritings = Readonly<Record<string, Rewriting>>;

const castTo = (graph: Graph, x: Value, dtype: 'float32' | 'bool') =>
  graph.node('Cast', [x], x.shape, dtype, { to: dtype === 'bool' ? 9 : 1 });

/** Both true: the lesser of 0 and 1 is 1. One true: the larger is. */
const logic =
  (op: 'Min' | 'Max'): Rewriting =>
  (graph, { inputs, outputs }) => {
    const numbers = inputs.map((x) => castTo(graph, x!, 'float32'));
    return castTo(graph, graph.node(op, numbers, outputs[0]!.shape, 'float32'), 'bool');
  };

/** Of integers that were flags, as `Any` and `All` are recorded. */
const reducedFlags: Rewriting = (graph, { op, inputs, outputs, attributes }) => {
  const [x, axes] = inputs as [Value, Value];
  const { shape, dtype } = outputs[0]!;
  if (x.dtype === 'float32') return graph.node(op, [x, axes], shape, dtype, attributes);
  const reduced = graph.node(op, [castTo(graph, x, 'float32'), axes], shape, 'float32', attributes);
  return graph.node('Cast', [reduced], shape, dtype, { to: 6 });
};

/** Flags are moved as numbers. */
const movedFlags: Rewriting = (graph, { op, inputs, outputs, attributes }) => {
  const { shape, dtype } = outputs[0]!;
  const numbers = inputs.map((x) => (x?.dtype === 'bool' ? castTo(graph, x, 'float32') : x));
  if (dtype !== 'bool') return graph.node(op, inputs, shape, dtype, attributes);
  return castTo(graph, graph.node(op, numbers, shape, 'float32', attributes), 'bool');
};

/** Of anything but floats: the rows of each axis by their numbers. */
const sliced: Rewriting = (graph, { inputs, outputs, attributes }) => {
  const [x, starts, ends, axes] = inputs as [Value, Value, Value, Value];
  const { shape, dtype } = outputs[0]!;
  if (dtype === 'float32' || dtype === 'float16')
    return graph.node('Slice', inputs, shape, dtype, attributes);
  let taken = x;
  for (const [i, axis] of [...(axes.constant as BigInt64Array)].map(Number).entries()) {
    const [start, end] = [starts, ends].map((value) => Number(value.constant![i]!)) as [number, number];
    if (end - start === taken.shape[axis]) continue;
    const rows = Int32Array.from({ length: end - start }, (_, row) => start + row);
    const size = taken.shape.map((length, at) => (at === axis ? rows.length : length));
    const which = graph.constant(rows, [rows.length], 'int32');
    taken = graph.node('Gather', [taken, which], size, dtype, { axis });
  }
  return taken === x
    ? graph.node('Reshape', [x, graph.integers(shape)], shape, dtype, { allowzero: 1 })
    : taken;
};

const negated = (graph: Graph, x: Value): Value =>
  graph.node('Sub', [graph.scalar(0, x.dtype as 'int32'), x], x.shape, x.dtype);

/** For int32 alone. */
const ofIntegers =
  (write: (graph: Graph, x: Value) => Value): Rewriting =>
  (graph, { op, inputs, outputs, attributes }) => {
    const [x] = inputs as [Value];
    return x.dtype === 'int32'
      ? write(graph, x)
      : graph.node(op, inputs, outputs[0]!.shape, x.dtype, attributes);
  };

/** Of fewer columns a thread for each leaves a GPU idle. */
const leastColumns = 4096;

/** The kernel of MatMul takes eight rows at a time, as long for one: that of Einsum has a thread for each number of the output. */
const rowProduct: Rewriting = (graph, { op, inputs, outputs, attributes }) => {
  const [{ shape: row }, { shape: matrix }] = inputs as [Value, Value];
  const { shape, dtype } = outputs[0]!;
  const isRow = row.length === 2 && row[0] === 1 && matrix.length === 2 && matrix[1]! >= leastColumns;
  if (!isRow || dtype !== 'float32') return graph.node(op, inputs, shape, dtype, attributes);
  return graph.node('Einsum', inputs, shape, dtype, { equation: 'ij,jk->ik' });
};

export const webgpuRewritings: Rewritings = {
  MatMul: rowProduct,
  FusedMatMul: (graph, node) => turnedProduct(graph, node, node.inputs as Value[]),
  Gemm: turnedGemm,
  And: logic('Min'),
  Or: logic('Max'),
  ReduceMax: reducedFlags,
  ReduceMin: reducedFlags,
  Slice: sliced,
  Identity: movedFlags,
  Transpose: movedFlags,
  Concat: movedFlags,
  Tile: movedFlags,
  Pad: movedFlags,
  Neg: ofIntegers(negated),
  Abs: ofIntegers((graph, x) => graph.node('Max', [x, negated(graph, x)], x.shape, x.dtype)),
  Equal(graph, { inputs, outputs }) {
    const numbers = inputs.map((x) => (x!.dtype === 'bool' ? castTo(graph, x!, 'float32') : x));
    return graph.node('Equal', numbers, outputs[0]!.shape, 'bool');
  },
  Sign(graph, { inputs, outputs }) {
    const [x] = inputs as [Value];
    const { shape, dtype } = outputs[0]!;
    const zero = graph.scalar(0, dtype as 'float32');
    const is = (op: string) =>
      graph.node('Cast', [graph.node(op, [x, zero], shape, 'bool')], shape, dtype, {
        to: dtype === 'int32' ? 6 : 1,
      });
    return graph.node('Sub', [is('Greater'), is('Less')], shape, dtype);
  },
  OneHot(graph, { inputs, outputs }) {
    const [indices, depth, pair] = inputs as [Value, Value, Value];
    const { shape } = outputs[0]!;
    // The kernels record it of int64 numbers, which the device has not.
    const numbers = indices.node?.op === 'Cast' ? indices.node.inputs[0]! : indices;
    const places = Int32Array.from({ length: Number(depth.constant![0]!) }, (_, i) => i);
    const column = [...numbers.shape, 1];
    const upright = graph.node('Reshape', [numbers, graph.integers(column)], column, 'int32', {
      allowzero: 1,
    });
    const row = graph.constant(places, [places.length], 'int32');
    const hot = graph.node('Equal', [upright, row], shape, 'bool');
    const [off, on] = pair.constant as Float32Array;
    return graph.node(
      'Where',
      [hot, graph.scalar(on!, 'float32'), graph.scalar(off!, 'float32')],
      shape,
      'float32',
    );
  },
};

/** CUDA has integers of 64 bits and flags nearly everywhere, and FusedMatMul, which a Transpose would make a copy for. */
export const cudaRewritings: Rewritings = {
  Tile: movedFlags,
  ReduceSum: summedByProduct,
  ReduceMean: summedByProduct,
};

/** Of numbers that an operator gives as int64 the host makes int32: the device has no kernel for that. */
export function beforeLastCast(output: Value): Value {
  const source = output.node?.op === 'Cast' ? output.node.inputs[0]! : output;
  return source.dtype === 'int64' && output.dtype === 'int32' ? source : output;
}

/** Rewrites what the outputs need, in place. */
export function useDeviceOperators(graph: Graph, outputs: readonly Value[], rewritings: Rewritings): void {
  for (const node of prune(outputs).nodes) {
    const rewrite = rewritings[node.op];
    if (rewrite !== undefined) become(node, rewrite(graph, node).node!);
  }
}

/**
 * Which of these nodes the device has no kernel for: each is tried in a session of its own.
 * @param options of a session that may not fall back to the CPU
 * @returns `TopK of [4,9] float32`
 */
export async function nodesWithoutKernel(
  ort: DeviceOrt,
  nodes: readonly GraphNode[],
  options: InferenceSession.SessionOptions,
): Promise<string[]> {
  const refused = new Set<string>();
  for (const node of nodes) {
    const fed = new Map<Value, Value>();
    const inputs = node.inputs.map((value): Value | undefined => {
      if (value === undefined || value.constant !== undefined) return value;
      const { name, shape, dtype } = value;
      fed.set(value, fed.get(value) ?? { name, shape, dtype });
      return fed.get(value);
    });
    const alone = { ...node, inputs };
    const used = new Set(inputs.filter((value) => value !== undefined));
    const model = writeModel({ inputs: [...fed.values()] }, [alone], used, node.outputs);
    const session = await ort.InferenceSession.create(model, { ...options, logSeverityLevel: 4 }).catch(
      () => undefined,
    );
    if (session !== undefined) await session.release();
    else
      refused.add(
        `${node.op} of ${node.inputs.map((value) => `[${value?.shape}] ${value?.dtype}`).join(' and ')}`,
      );
  }
  return [...refused];
}
