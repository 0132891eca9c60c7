/** Weights as integers of 8 bits, with one scale for each output. */

import { Graph, prune } from '../../tensor/onnx/graph.js';
import { writeModel } from '../../tensor/onnx/model-file.js';
import type { Ort } from '../../tensor/onnx/runtime.js';

/** A matrix to multiply with: value = integer * scale of its column. */
export interface IntegerMatrix {
  /** [K, N] */
  values: Int8Array;
  /** [N], positive. */
  scales: Float32Array;
}

/** A matrix is needed by one program for each shape of a batch. */
const made = new WeakMap<Float32Array, Map<string, IntegerMatrix>>();

/** Some rows of a matrix of weights, and which side of a product they are. */
export interface Factor {
  weight: Float32Array;
  /** Numbers before the first row. */
  offset: number;
  /** K */
  inner: number;
  /** N */
  columns: number;
  /** Stored as [N, K], not as [K, N]. */
  transposed: boolean;
}

/**
 * Symmetric: the largest value of a column becomes `limit`, and 0 stays 0.
 * @param limit 127, or less: see `integerLimit`
 */
export function integerMatrix(factor: Factor, limit: number): IntegerMatrix {
  const { offset, inner, columns, transposed } = factor;
  const forms = made.get(factor.weight) ?? new Map<string, IntegerMatrix>();
  made.set(factor.weight, forms);
  const key = `${offset} ${inner} ${columns} ${transposed} ${limit}`;
  const known = forms.get(key);
  if (known !== undefined) return known;
  const weight = factor.weight.subarray(offset, offset + inner * columns);
  const [byInner, byColumn] = transposed ? [1, inner] : [columns, 1];
  const values = new Int8Array(inner * columns);
  const scales = new Float32Array(columns);
  for (let n = 0; n < columns; n++) {
    let largest = 0;
    for (let k = 0; k < inner; k++)
      largest = Math.max(largest, Math.abs(weight[k * byInner + n * byColumn]!));
    // A column of zeros has any scale.
    scales[n] = largest === 0 ? 1 : largest / limit;
    for (let k = 0; k < inner; k++)
      values[k * columns + n] = Math.max(
        -limit,
        Math.min(limit, Math.round(weight[k * byInner + n * byColumn]! / scales[n]!)),
      );
  }
  const matrix = { values, scales };
  forms.set(key, matrix);
  return matrix;
}

const [full, reduced] = [127, 63];
let limit: Promise<number> | undefined;

/**
 * The largest integer that a weight may become. Processors that have AVX2 or AVX-512 and no instructions for sums of 8-bit
 * products (VNNI) add two of them in 16 bits, which 255 * 127 * 2 does not fit into: ONNX Runtime's kernel cuts it off
 * there without a word, and 255 * 63 * 2 fits. So a product whose result is known is tried once.
 */
export function integerLimit(ort: Ort): Promise<number> {
  limit ??= sumOfLargest(ort).then(limitFor);
  return limit;
}

/** @param sum of 64 times 255 * 127, as a processor adds it up */
export const limitFor = (sum: number): number => (sum === rows * 255 * full ? full : reduced);

const rows = 64;

/** 64 times 255 * 127, as this processor adds it up. */
async function sumOfLargest(ort: Ort): Promise<number> {
  const graph = new Graph();
  const left = graph.input([rows, rows], 'uint8');
  const right = graph.constant(new Int8Array(rows * rows).fill(full), [rows, rows], 'int8');
  const product = graph.node('MatMulInteger', [left, right], [rows, rows], 'int32');
  const { nodes, used } = prune([product]);
  const session = await ort.InferenceSession.create(writeModel(graph, nodes, used, [product]), {
    logSeverityLevel: 3,
  });
  try {
    const fed = new ort.Tensor('uint8', new Uint8Array(rows * rows).fill(255), [rows, rows]);
    const { data } = (await session.run({ [left.name]: fed }))[product.name]!;
    return (data as Int32Array).reduce((least, value) => Math.min(least, value));
  } finally {
    await session.release();
  }
}
