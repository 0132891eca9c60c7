/**
 * The gradient of every kernel that models and losses use, for tfjs's tape. tfjs-core's Node build leaves its own out
 * (they come with the union package, four times the size); these also give shorter programs: a sum's gradient is
 * one Expand here, and a product of two large tensors there.
 */
import * as tf from '@tensorflow/tfjs-core';

type Tensor = tf.Tensor;
type Gradients = Record<string, () => Tensor>;
type GradientOf = (dy: Tensor, saved: Tensor[], attributes: Record<string, unknown>) => Gradients;

interface Saved {
  inputs?: string[];
  outputs?: boolean[];
  allInputs?: true;
}

function register(kernelName: string, saved: Saved, gradient: GradientOf): void {
  tf.registerGradient({
    kernelName,
    ...(saved.inputs && { inputsToSave: saved.inputs }),
    ...(saved.outputs && { outputsToSave: saved.outputs }),
    ...(saved.allInputs && { saveAllInputs: true }),
    gradFunc: (dy, values, attributes) =>
      gradient(dy as Tensor, values, attributes as Record<string, unknown>),
  });
}

/** Sums dy over the axes along which an operand of this shape was repeated. */
function unbroadcast(dy: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(dy, axes) : dy, shape);
}

const same = (shape: number[], like: number[]) =>
  shape.length === like.length && shape.every((d, i) => d === like[i]);
const repeated = (x: Tensor, shape: number[]): Tensor =>
  same(x.shape, shape) ? x : tf.broadcastTo(x, shape);
const inputsAB: Saved = { inputs: ['a', 'b'] };
const inputX: Saved = { inputs: ['x'] };
const output: Saved = { outputs: [true] };

// Arithmetic.
register('Add', inputsAB, (dy, [a, b]) => ({
  a: () => unbroadcast(dy, a!.shape),
  b: () => unbroadcast(dy, b!.shape),
}));
register('Sub', inputsAB, (dy, [a, b]) => ({
  a: () => unbroadcast(dy, a!.shape),
  b: () => unbroadcast(tf.neg(dy), b!.shape),
}));
register('Multiply', inputsAB, (dy, [a, b]) => ({
  a: () => unbroadcast(tf.mul(dy, b!), a!.shape),
  b: () => unbroadcast(tf.mul(dy, a!), b!.shape),
}));
register('RealDiv', inputsAB, (dy, [a, b]) => ({
  a: () => unbroadcast(tf.div(dy, b!), a!.shape),
  b: () => unbroadcast(tf.neg(tf.div(tf.mul(dy, a!), tf.square(b!))), b!.shape),
}));
register('SquaredDifference', inputsAB, (dy, [a, b]) => {
  const slope = () => tf.mul(dy, tf.mul(tf.sub(a!, b!), 2));
  return { a: () => unbroadcast(slope(), a!.shape), b: () => unbroadcast(tf.neg(slope()), b!.shape) };
});
const where = (condition: Tensor, x: Tensor): Tensor => tf.where(condition, x, tf.zerosLike(x));
register('Maximum', inputsAB, (dy, [a, b]) => ({
  a: () => unbroadcast(where(tf.greaterEqual(a!, b!), dy), a!.shape),
  b: () => unbroadcast(where(tf.less(a!, b!), dy), b!.shape),
}));
register('Minimum', inputsAB, (dy, [a, b]) => ({
  a: () => unbroadcast(where(tf.lessEqual(a!, b!), dy), a!.shape),
  b: () => unbroadcast(where(tf.greater(a!, b!), dy), b!.shape),
}));

// One tensor in, one of the same shape out.
register('Neg', {}, (dy) => ({ x: () => tf.neg(dy) }));
register('Identity', {}, (dy) => ({ x: () => dy }));
register('Cast', {}, (dy) => ({ x: () => dy }));
register('Square', inputX, (dy, [x]) => ({ x: () => tf.mul(dy, tf.mul(x!, 2)) }));
register('Sqrt', output, (dy, [y]) => ({ x: () => tf.div(dy, tf.mul(y!, 2)) }));
register('Rsqrt', output, (dy, [y]) => ({ x: () => tf.mul(tf.mul(dy, -0.5), tf.mul(tf.square(y!), y!)) }));
register('Reciprocal', output, (dy, [y]) => ({ x: () => tf.neg(tf.mul(dy, tf.square(y!))) }));
register('Exp', output, (dy, [y]) => ({ x: () => tf.mul(dy, y!) }));
register('Log', inputX, (dy, [x]) => ({ x: () => tf.div(dy, x!) }));
register('Abs', inputX, (dy, [x]) => ({ x: () => tf.mul(dy, tf.sign(x!)) }));
register('Relu', output, (dy, [y]) => ({ x: () => where(tf.greater(y!, 0), dy) }));
register('Tanh', output, (dy, [y]) => ({ x: () => tf.mul(dy, tf.sub(1, tf.square(y!))) }));
register('Sigmoid', output, (dy, [y]) => ({ x: () => tf.mul(dy, tf.mul(y!, tf.sub(1, y!))) }));
register('Erf', inputX, (dy, [x]) => ({
  x: () => tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(x!))), 2 / Math.sqrt(Math.PI))),
}));
register('ClipByValue', inputX, (dy, [x], { clipValueMin, clipValueMax }) => ({
  x: () =>
    where(
      tf.logicalAnd(tf.greaterEqual(x!, clipValueMin as number), tf.lessEqual(x!, clipValueMax as number)),
      dy,
    ),
}));
// Steps have no slope: nothing flows through.
for (const name of ['Sign', 'Floor', 'Step', 'ZerosLike', 'OnesLike']) {
  register(name, {}, (dy) => ({ x: () => tf.zerosLike(dy) }));
}

// Shape and order.
register('Reshape', inputX, (dy, [x]) => ({ x: () => tf.reshape(dy, x!.shape) }));
register('ExpandDims', { inputs: ['input'] }, (dy, [x]) => ({ input: () => tf.reshape(dy, x!.shape) }));
register('Transpose', {}, (dy, _, { perm }) => ({
  x: () => tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(perm as number[])),
}));
register('Slice', inputX, (dy, [x], { begin, size }) => {
  const [starts = [], sizes = []] = tf.slice_util.parseSliceParams(x!, begin as number[], size as number[]);
  const paddings = dy.shape.map((_, i): [number, number] => [
    starts[i]!,
    x!.shape[i]! - starts[i]! - sizes[i]!,
  ]);
  return { x: () => tf.pad(dy, paddings) };
});
register('PadV2', inputX, (dy, [x], { paddings }) => {
  const starts = (paddings as [number, number][]).map(([before]) => before);
  return { x: () => tf.slice(dy, starts, x!.shape) };
});
register('Tile', inputX, (dy, [x], { reps }) => {
  // Each axis is seen as (repeats, length); the repeats are summed away.
  const shape = x!.shape.flatMap((length, i) => [(reps as number[])[i]!, length]);
  const repeats = x!.shape.map((_, i) => 2 * i);
  return { x: () => tf.sum(tf.reshape(dy, shape), repeats) };
});
register('Concat', { allInputs: true }, (dy, parts, { axis }) => {
  const at = tf.util.parseAxisParam(axis as number, parts[0]!.shape)[0]!;
  const pieces = tf.split(
    dy,
    parts.map((part) => part.shape[at]!),
    at,
  );
  return Object.fromEntries(pieces.map((piece, i) => [i, () => piece]));
});
register('Pack', {}, (dy, _, { axis }) =>
  Object.fromEntries(tf.unstack(dy, axis as number).map((piece, i) => [i, () => piece])),
);
tf.registerGradient({
  kernelName: 'Unpack',
  gradFunc: (dy, _, attributes) => ({
    value: () => tf.stack(dy as Tensor[], Number((attributes as { axis?: number }).axis ?? 0)),
  }),
});
tf.registerGradient({
  kernelName: 'SplitV',
  gradFunc: (dy, _, attributes) => ({
    x: () => tf.concat(dy as Tensor[], Number((attributes as { axis?: number }).axis ?? 0)),
  }),
});

// Reductions. `Max` names its axes reductionIndices, the others axis.
function kept(x: Tensor, attributes: Record<string, unknown>): { shape: number[]; count: number } {
  const axes = tf.util.parseAxisParam((attributes.axis ?? attributes.reductionIndices) as number[], x.shape);
  const shape = x.shape.map((length, i) => (axes.includes(i) ? 1 : length));
  return { shape, count: axes.reduce((product, axis) => product * x.shape[axis]!, 1) };
}
register('Sum', inputX, (dy, [x], attributes) => ({
  x: () => repeated(tf.reshape(dy, kept(x!, attributes).shape), x!.shape),
}));
register('Mean', inputX, (dy, [x], attributes) => {
  const { shape, count } = kept(x!, attributes);
  return { x: () => repeated(tf.div(tf.reshape(dy, shape), count), x!.shape) };
});
for (const name of ['Max', 'Min']) {
  // The first of several that equal the largest gets the gradient, as with an argmax; tfjs gives it to each of them, which is
  // more than there is.
  register(name, { inputs: ['x'], outputs: [true] }, (dy, [x, y], attributes) => {
    const { shape, count } = kept(x!, attributes);
    return {
      x: () => {
        const reduced = x!.shape.map((length, i) => (shape[i] === length ? 1 : length));
        const places = repeated(tf.reshape(tf.range(0, count, 1, 'float32'), reduced), x!.shape);
        const axes = reduced.flatMap((length, i) => (length === 1 ? [] : [i]));
        if (axes.length === 0) return tf.reshape(dy, x!.shape);
        const beyond = tf.fill(x!.shape, count);
        const first = tf.min(tf.where(tf.equal(x!, tf.reshape(y!, shape)), places, beyond), axes, true);
        return where(tf.equal(places, first), repeated(tf.reshape(dy, shape), x!.shape));
      },
    };
  });
}
register('Cumsum', {}, (dy, _, { axis, exclusive, reverse }) => ({
  x: () => tf.cumsum(dy, axis as number, exclusive as boolean, reverse !== true),
}));
register('Softmax', output, (dy, [y], { dim }) => {
  const weighted = tf.mul(dy, y!);
  return { logits: () => tf.sub(weighted, tf.mul(tf.sum(weighted, dim as number, true), y!)) };
});
register('LogSoftmax', output, (dy, [y], { axis }) => ({
  logits: () => tf.sub(dy, tf.mul(tf.sum(dy, axis as number, true), tf.exp(y!))),
}));

// Choice and look-up.
register('Select', { inputs: ['condition'] }, (dy, [condition]) => ({
  condition: () => tf.zerosLike(tf.cast(condition!, 'float32')),
  t: () => where(condition!, dy),
  e: () => tf.where(condition!, tf.zerosLike(dy), dy),
}));
// Shares of one row would have to be added up by threads that do not wait for each other.
register('GatherV2', {}, () => ({
  x: () => {
    throw new Error('gather has no gradient here: look rows of a trained table up by look-up.ts.');
  },
}));

// Matrix products.
register('BatchMatMul', inputsAB, (dy, [a, b], { transposeA, transposeB }) => {
  const [A, B] = [a!, b!];
  if (transposeA === true) {
    if (transposeB === true)
      return { a: () => tf.matMul(B, dy, true, true), b: () => tf.matMul(dy, A, true, true) };
    return { a: () => tf.matMul(B, dy, false, true), b: () => tf.matMul(A, dy) };
  }
  if (transposeB === true) return { a: () => tf.matMul(dy, B), b: () => tf.matMul(dy, A, true, false) };
  return { a: () => tf.matMul(dy, B, false, true), b: () => tf.matMul(A, dy, true, false) };
});
