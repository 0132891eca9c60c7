/** Element-wise kernels in ONNX. */
import type { DataType } from '../../engine.js';
import { broadcast, cast, graph, kernel, node, reshape } from '../writing.js';

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
/** Of integers, cut towards zero: packed-flags.ts's own. */
kernel('Quotient', ({ a, b }) => node('Div', [a, b], broadcast(a!, b!), 'int32'));
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
// The operator Log takes several elements at once, and those left over at a thread's end one by one, with another last bit.
kernel('Log', ({ x }) => {
  const ones = reshape(x!, [...x!.shape, 1]);
  return node('ReduceLogSum', [ones, graph().integers([x!.shape.length])], x!.shape, x!.dtype, {
    keepdims: 0,
  });
});
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
