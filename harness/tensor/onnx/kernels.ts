/** How each tfjs kernel is written in ONNX. A kernel that is not here fails with its name when a program uses it. */
import * as tf from '@tensorflow/tfjs-core';
import type { DataType } from '../engine.js';
import type { Attribute, Value } from './graph.js';
import { recorder, recorderBackend } from './recorder.js';

type Inputs = Record<string, Value>;
type Attributes = Record<string, unknown>;
type Writer = (inputs: Inputs, attributes: Attributes) => Value | readonly Value[];

/** Registers a kernel: tensors come in as values and go out as tensors. */
export function kernel(kernelName: string, write: Writer): void {
  tf.registerKernel({
    kernelName,
    backendName: recorderBackend,
    kernelFunc: ({ inputs, attrs }) => {
      const values: Inputs = {};
      for (const [name, tensor] of Object.entries(inputs)) {
        if (tensor !== undefined && tensor !== null)
          values[name] = recorder.valueFor(tensor as tf.TensorInfo);
      }
      const written = write(values, (attrs ?? {}) as Attributes);
      return Array.isArray(written) ? written.map((v) => recorder.hold(v)) : recorder.hold(written as Value);
    },
  });
}

const graph = () => recorder.graph;

export function node(
  op: string,
  inputs: readonly (Value | undefined)[],
  shape: readonly number[],
  dtype: Value['dtype'],
  attributes: Record<string, Attribute> = {},
  domain = '',
): Value {
  return graph().node(op, inputs, shape, dtype, attributes, domain);
}

const cast = (x: Value, dtype: Value['dtype']): Value => {
  if (x.dtype === dtype) return x;
  const to = { float32: 1, int32: 6, int64: 7, bool: 9 }[dtype];
  return node('Cast', [x], x.shape, dtype, { to });
};
const reshape = (x: Value, shape: readonly number[]): Value =>
  node('Reshape', [x, graph().integers(shape)], shape, x.dtype, { allowzero: 1 });
const broadcast = (a: Value, b: Value) =>
  tf.broadcast_util.assertAndGetBroadcastShape([...a.shape], [...b.shape]);

// Arithmetic of two tensors, with NumPy's broadcasting as in tfjs.
const binary: Record<string, string> = {
  Add: 'Add',
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'Div',
  Maximum: 'Max',
  Minimum: 'Min',
};
for (const [name, op] of Object.entries(binary)) {
  kernel(name, ({ a, b }) => node(op, [a, b], broadcast(a!, b!), a!.dtype));
}
kernel('SquaredDifference', ({ a, b }) => {
  const shape = broadcast(a!, b!);
  const difference = node('Sub', [a, b], shape, a!.dtype);
  return node('Mul', [difference, difference], shape, a!.dtype);
});
const comparisons: Record<string, string> = {
  Equal: 'Equal',
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
  LogicalAnd: 'And',
  LogicalOr: 'Or',
};
for (const [name, op] of Object.entries(comparisons)) {
  kernel(name, ({ a, b }) => node(op, [a, b], broadcast(a!, b!), 'bool'));
}
kernel('NotEqual', ({ a, b }) => {
  const shape = broadcast(a!, b!);
  return node('Not', [node('Equal', [a, b], shape, 'bool')], shape, 'bool');
});
kernel('LogicalNot', ({ x }) => node('Not', [x], x!.shape, 'bool'));

// One tensor in, one of the same shape out.
for (const op of [
  'Erf',
  'Exp',
  'Log',
  'Sqrt',
  'Neg',
  'Abs',
  'Sign',
  'Relu',
  'Tanh',
  'Sigmoid',
  'Floor',
  'Identity',
  'Reciprocal',
]) {
  kernel(op, ({ x }) => node(op, [x], x!.shape, x!.dtype));
}
kernel('Square', ({ x }) => node('Mul', [x, x], x!.shape, x!.dtype));
kernel('Rsqrt', ({ x }) => node('Reciprocal', [node('Sqrt', [x], x!.shape, 'float32')], x!.shape, 'float32'));
kernel('Step', ({ x }, { alpha }) => {
  const positive = node('Greater', [x, graph().scalar(0, 'float32')], x!.shape, 'bool');
  const otherwise = graph().scalar(Number(alpha ?? 0), 'float32');
  return node('Where', [positive, graph().scalar(1, 'float32'), otherwise], x!.shape, 'float32');
});
kernel('ClipByValue', ({ x }, { clipValueMin, clipValueMax }) => {
  const [low, high] = [
    graph().scalar(Number(clipValueMin), 'float32'),
    graph().scalar(Number(clipValueMax), 'float32'),
  ];
  return node('Clip', [x, low, high], x!.shape, 'float32');
});
kernel('Cast', ({ x }, { dtype }) => {
  // tfjs cuts towards zero when it casts to int32, as ONNX does.
  return x!.dtype === dtype ? node('Identity', [x], x!.shape, x!.dtype) : cast(x!, dtype as DataType);
});

// Shape and order.
kernel('Reshape', ({ x }, { shape }) =>
  reshape(x!, tf.util.inferFromImplicitShape(shape as number[], tf.util.sizeFromShape([...x!.shape]))),
);
kernel('ExpandDims', ({ input }, { dim }) => {
  const shape = [...input!.shape];
  const at = Number(dim);
  shape.splice(at < 0 ? shape.length + 1 + at : at, 0, 1);
  return reshape(input!, shape);
});
kernel('Transpose', ({ x }, { perm }) => {
  const order = perm as number[];
  return node(
    'Transpose',
    [x],
    order.map((axis) => x!.shape[axis]!),
    x!.dtype,
    { perm: order },
  );
});
kernel('Slice', ({ x }, { begin, size }) => {
  const source = { shape: [...x!.shape] } as tf.Tensor;
  const [starts = [], sizes = []] = tf.slice_util.parseSliceParams(
    source,
    begin as number[],
    size as number[],
  );
  const ends = starts.map((start, i) => start + sizes[i]!);
  const axes = starts.map((_, i) => i);
  return node(
    'Slice',
    [x, graph().integers(starts), graph().integers(ends), graph().integers(axes)],
    sizes,
    x!.dtype,
  );
});
kernel('PadV2', ({ x }, { paddings, constantValue }) => {
  const pads = paddings as [number, number][];
  const amounts = graph().integers([...pads.map(([before]) => before), ...pads.map(([, after]) => after)]);
  const shape = x!.shape.map((dimension, i) => dimension + pads[i]![0] + pads[i]![1]);
  return node(
    'Pad',
    [x, amounts, graph().scalar(Number(constantValue), x!.dtype as DataType)],
    shape,
    x!.dtype,
  );
});
kernel('Tile', ({ x }, { reps }) => {
  const repeats = reps as number[];
  const shape = x!.shape.map((dimension, i) => dimension * repeats[i]!);
  // Where only axes of length 1 are repeated, Expand does the same without reading the input over and over.
  if (repeats.every((repeat, i) => repeat === 1 || x!.shape[i] === 1))
    return node('Expand', [x, graph().integers(shape)], shape, x!.dtype);
  return node('Tile', [x, graph().integers(repeats)], shape, x!.dtype);
});
kernel('Concat', (inputs, { axis }) => {
  const parts = Object.values(inputs);
  const shape = [...parts[0]!.shape];
  const at = tf.util.parseAxisParam(Number(axis), shape)[0]!;
  shape[at] = parts.reduce((sum, part) => sum + part.shape[at]!, 0);
  return node('Concat', parts, shape, parts[0]!.dtype, { axis: at });
});
kernel('Pack', (inputs, { axis }) => {
  const parts = Object.values(inputs);
  const one = [...parts[0]!.shape];
  one.splice(Number(axis), 0, 1);
  const shape = [...one];
  shape[Number(axis)] = parts.length;
  return node(
    'Concat',
    parts.map((part) => reshape(part, one)),
    shape,
    parts[0]!.dtype,
    { axis: Number(axis) },
  );
});
kernel('Unpack', ({ value }, { axis }) => {
  const at = Number(axis);
  const shape = value!.shape.filter((_, i) => i !== at);
  return Array.from({ length: value!.shape[at]! }, (_, i) => {
    const index = graph().constant(BigInt64Array.of(BigInt(i)), [], 'int64');
    return node('Gather', [value, index], shape, value!.dtype, { axis: at });
  });
});
kernel('SplitV', ({ x }, { numOrSizeSplits, axis }) => {
  const at = tf.util.parseAxisParam(Number(axis), [...x!.shape])[0]!;
  const sizes = tf.backend_util.prepareSplitSize(
    { shape: [...x!.shape] } as tf.Tensor,
    numOrSizeSplits as number[],
    at,
  );
  const outputs = sizes.map((size) => ({
    shape: x!.shape.map((d, i) => (i === at ? size : d)),
    dtype: x!.dtype,
  }));
  return graph().nodes('Split', [x, graph().integers(sizes)], outputs, { axis: at });
});

// Values made from nothing.
const filled = (shape: readonly number[], value: number, dtype: DataType): Value =>
  shape.length === 0
    ? graph().scalar(value, dtype)
    : node('Expand', [graph().scalar(value, dtype), graph().integers(shape)], shape, dtype);
kernel('Fill', (_, { shape, value, dtype }) =>
  filled(shape as number[], Number(value), (dtype ?? 'float32') as DataType),
);
kernel('ZerosLike', ({ x }) => filled(x!.shape, 0, x!.dtype as DataType));
kernel('OnesLike', ({ x }) => filled(x!.shape, 1, x!.dtype as DataType));
kernel('Range', (_, { start, stop, step, dtype }) => {
  const count = Math.max(0, Math.ceil((Number(stop) - Number(start)) / Number(step)));
  const values = Array.from({ length: count }, (_, i) => Number(start) + i * Number(step));
  return graph().constant(
    dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values),
    [count],
    (dtype ?? 'float32') as DataType,
  );
});
kernel('OneHot', ({ indices }, { depth, onValue, offValue, dtype }) => {
  // ONNX Runtime has OneHot for float32 values only.
  const pair = graph().constant(Float32Array.of(Number(offValue), Number(onValue)), [2], 'float32');
  const size = graph().constant(BigInt64Array.of(BigInt(Number(depth))), [], 'int64');
  const shape = [...indices!.shape, Number(depth)];
  return cast(
    node('OneHot', [cast(indices!, 'int64'), size, pair], shape, 'float32', { axis: -1 }),
    (dtype ?? 'int32') as DataType,
  );
});

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
for (const [name, op] of Object.entries(reductions)) {
  kernel(name, ({ x }, attributes) => {
    const { axes, shape, keepdims } = reduced(x!, attributes);
    const summed = x!.dtype === 'bool' ? cast(x!, 'int32') : x!;
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

// Choice and look-up.
kernel('Select', ({ condition, t, e }) => node('Where', [condition, t, e], t!.shape, t!.dtype));
kernel('GatherV2', ({ x, indices }, { axis, batchDims }) => {
  if (Number(batchDims ?? 0) !== 0)
    throw new Error('GatherV2 with batchDims is not recorded: gather from a flattened tensor.');
  const at = tf.util.parseAxisParam(Number(axis), [...x!.shape])[0]!;
  const shape = [...x!.shape.slice(0, at), ...indices!.shape, ...x!.shape.slice(at + 1)];
  return node('Gather', [x, indices], shape, x!.dtype, { axis: at });
});
kernel('UnsortedSegmentSum', ({ x, segmentIds }, { numSegments }) => {
  const shape = [Number(numSegments), ...x!.shape.slice(1)];
  const rows = reshape(cast(segmentIds!, 'int64'), [segmentIds!.shape[0]!, 1]);
  return node('ScatterND', [filled(shape, 0, 'float32'), rows, x], shape, 'float32', { reduction: 'add' });
});

// Matrix products. FusedMatMul takes the transposes that gradients are full of, without a copy.
function product(a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  const [rankA, rankB] = [a.shape.length, b.shape.length];
  const rows = transposeA ? a.shape[rankA - 1]! : a.shape[rankA - 2]!;
  const columns = transposeB ? b.shape[rankB - 2]! : b.shape[rankB - 1]!;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, rows, columns];
  if (!transposeA && !transposeB) return node('MatMul', [a, b], shape, 'float32');
  return node(
    'FusedMatMul',
    [a, b],
    shape,
    'float32',
    { transA: Number(transposeA), transB: Number(transposeB) },
    'com.microsoft',
  );
}
kernel('BatchMatMul', ({ a, b }, { transposeA, transposeB }) =>
  product(a!, b!, transposeA === true, transposeB === true),
);
