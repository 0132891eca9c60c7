/** Kernels that change shape and order, or make values from nothing, in ONNX. */
import * as tf from '@tensorflow/tfjs-core';
import type { DataType } from '../../engine.js';
import { cast, filled, graph, kernel, node, reshape } from '../writing.js';

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
