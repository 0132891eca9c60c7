/** Reductions in ONNX. */
import * as tf from '@tensorflow/tfjs-core';
import type { Value } from '../graph.js';
import { type Attributes, cast, graph, kernel, node } from '../writing.js';

// Reductions. `Max` names its axes reductionIndices, the others axis.
const reductions: Record<string, string> = {
  Sum: 'ReduceSum',
  Mean: 'ReduceMean',
  Max: 'ReduceMax',
  Min: 'ReduceMin',
  Prod: 'ReduceProd',
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
for (const [name, op] of Object.entries(reductions)) {
  kernel(name, ({ x }, attributes) => {
    const { axes, shape, keepdims } = reduced(x!, attributes);
    const summed = x!.dtype === 'bool' ? cast(x!, 'int32') : x!;
    const squared = name === 'Sum' ? squareOf(summed) : undefined;
    if (squared !== undefined)
      return node('ReduceSumSquare', [squared, graph().integers(axes)], shape, 'float32', { keepdims });
    return node(op, [summed, graph().integers(axes)], shape, summed.dtype, { keepdims });
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
