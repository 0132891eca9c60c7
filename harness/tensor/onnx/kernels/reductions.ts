/** Reductions in ONNX. */
import * as tf from '@tensorflow/tfjs-core';
import type { Value } from '../graph.js';
import { type Attributes, cast, filled, graph, kernel, node, reshape } from '../writing.js';

// Reductions. `Max` names its axes reductionIndices, the others axis.
const reductions: Record<string, string> = {
  Max: 'ReduceMax',
  Min: 'ReduceMin',
};
function reduced(x: Value, attributes: Attributes): { axes: number[]; shape: number[]; keepdims: number } {
  const axes = tf.util.parseAxisParam((attributes.axis ?? attributes.reductionIndices) as number[], [
    ...x.shape,
  ]);
  const keep = attributes.keepDims === true;
  const shape = x.shape.map((d, i) => (axes.includes(i) ? 1 : d)).filter((_, i) => keep || !axes.includes(i));
  return { axes, shape, keepdims: Number(keep) };
}
/** What a value is the square of, where it is one: the square itself need not be written then. */
function squareOf({ node, dtype }: Value): Value | undefined {
  const [a, b] = node?.inputs ?? [];
  return node?.op === 'Mul' && a === b && dtype === 'float32' ? a : undefined;
}
/** Axes in runs of neighbours, the last run first. */
function runsOf(axes: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const axis of axes.toSorted((a, b) => b - a)) {
    if (runs.at(-1)?.[0] === axis + 1) runs.at(-1)!.unshift(axis);
    else runs.push([axis]);
  }
  return runs;
}
/** Whether a run holds the first axis or the last: with kept axes on one side alone, one thread makes each sum in order. */
const isAtEdge = (run: readonly number[], rank: number) => run[0] === 0 || run.at(-1) === rank - 1;
/**
 * A sum over axes that stand next to each other, which are kept with length 1. With kept axes on both sides ONNX Runtime
 * sums in an order that depends on the number of threads; a product with ones does not.
 */
function sumOver(x: Value, run: readonly number[]): Value {
  const kept = x.shape.map((d, i) => (run.includes(i) ? 1 : d));
  if (x.dtype !== 'float32' || isAtEdge(run, x.shape.length))
    return node('ReduceSum', [x, graph().integers(run)], kept, x.dtype, { keepdims: 1 });
  const size = (shape: readonly number[]) => shape.reduce((product, d) => product * d, 1);
  const [first, end] = [run[0]!, run.at(-1)! + 1];
  const [before, summed, behind] = [x.shape.slice(0, first), x.shape.slice(first, end), x.shape.slice(end)];
  const ones = filled([1, size(summed)], 1, 'float32');
  const cube = reshape(x, [size(before), size(summed), size(behind)]);
  return reshape(node('MatMul', [ones, cube], [size(before), 1, size(behind)], 'float32'), kept);
}
kernel('Sum', ({ x }, attributes) => {
  const from = x!.dtype === 'bool' ? cast(x!, 'int32') : x!;
  const { axes, shape, keepdims } = reduced(x!, attributes);
  const [run, ...others] = runsOf(axes);
  if (run === undefined || others.length > 0 || !isAtEdge(run, from.shape.length))
    return reshape(runsOf(axes).reduce(sumOver, from), shape);
  const squared = squareOf(from);
  return node(
    squared === undefined ? 'ReduceSum' : 'ReduceSumSquare',
    [squared ?? from, graph().integers(axes)],
    shape,
    from.dtype,
    { keepdims },
  );
});
kernel('Mean', ({ x }, attributes) => {
  const { axes, shape, keepdims } = reduced(x!, attributes);
  const runs = runsOf(axes);
  if (runs.length === 1 && isAtEdge(runs[0]!, x!.shape.length))
    return node('ReduceMean', [x, graph().integers(axes)], shape, 'float32', { keepdims });
  const count = axes.reduce((size, axis) => size * x!.shape[axis]!, 1);
  const sum = reshape(runs.reduce(sumOver, x!), shape);
  return node('Div', [sum, graph().scalar(count, 'float32')], shape, 'float32');
});
for (const [name, op] of Object.entries(reductions)) {
  kernel(name, ({ x }, attributes) => {
    const { axes, shape, keepdims } = reduced(x!, attributes);
    return node(op, [x, graph().integers(axes)], shape, x!.dtype, { keepdims });
  });
}
for (const [name, op] of Object.entries({ Any: 'ReduceMax', All: 'ReduceMin' })) {
  kernel(name, ({ x }, attributes) => {
    const { axes, shape, keepdims } = reduced(x!, attributes);
    return cast(node(op, [cast(x!, 'int32'), graph().integers(axes)], shape, 'int32', { keepdims }), 'bool');
  });
}
for (const op of ['ArgMax', 'ArgMin']) {
  kernel(op, ({ x }, { axis }) => {
    const at = tf.util.parseAxisParam(Number(axis), [...x!.shape])[0]!;
    const shape = x!.shape.filter((_, i) => i !== at);
    return cast(node(op, [x], shape, 'int64', { axis: at, keepdims: 0 }), 'int32');
  });
}
kernel('TopK', ({ x }, { k, sorted }) => {
  const shape = [...x!.shape.slice(0, -1), Number(k)];
  const outputs = [
    { shape, dtype: x!.dtype },
    { shape, dtype: 'int64' as const },
  ];
  const [values, indices] = graph().nodes('TopK', [x, graph().integers([Number(k)])], outputs, {
    sorted: Number(sorted !== false),
  });
  return [values!, cast(indices!, 'int32')];
});
kernel('Softmax', ({ logits }, { dim }) =>
  node('Softmax', [logits], logits!.shape, 'float32', { axis: Number(dim) }),
);
kernel('LogSoftmax', ({ logits }, { axis }) =>
  node('LogSoftmax', [logits], logits!.shape, 'float32', { axis: Number(axis) }),
);
kernel('Cumsum', ({ x }, { axis, exclusive, reverse }) =>
  node(
    'CumSum',
    [x, graph().constant(BigInt64Array.of(BigInt(Number(axis))), [], 'int64')],
    x!.shape,
    x!.dtype,
    {
      exclusive: Number(exclusive === true),
      reverse: Number(reverse === true),
    },
  ),
);
