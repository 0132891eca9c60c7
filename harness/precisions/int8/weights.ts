/** Weights as integers of 8 bits, with one scale for each output. */

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
