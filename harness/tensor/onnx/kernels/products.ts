/** Choice, look-up and matrix products in ONNX. */
import * as tf from '@tensorflow/tfjs-core';
import type { Value } from '../graph.js';
import { kernel, node } from '../writing.js';

// Choice and look-up.
kernel('Select', ({ condition, t, e }) => node('Where', [condition, t, e], t!.shape, t!.dtype));
kernel('GatherV2', ({ x, indices }, { axis, batchDims }) => {
  if (Number(batchDims ?? 0) !== 0)
    throw new Error('GatherV2 with batchDims is not recorded: gather from a flattened tensor.');
  const at = tf.util.parseAxisParam(Number(axis), [...x!.shape])[0]!;
  const shape = [...x!.shape.slice(0, at), ...indices!.shape, ...x!.shape.slice(at + 1)];
  return node('Gather', [x, indices], shape, x!.dtype, { axis: at });
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
