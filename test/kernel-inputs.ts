/** What programs of kernels are fed: shapes and types, and values from seeded streams. */
import { stream } from '../harness/random.js';
import { type ArraySpec, type NumericArray, sizeOf } from '../harness/tensor/engine.js';

export type Input =
  | readonly number[]
  | { shape: readonly number[]; dtype: 'int32' | 'bool'; below: number }
  | { positive: readonly number[] };

export const float = (...shape: number[]): Input => shape;
export const integers = (below: number, ...shape: number[]): Input => ({ shape, dtype: 'int32', below });
export const flags = (...shape: number[]): Input => ({ shape, dtype: 'bool', below: 2 });
export const positive = (...shape: number[]): Input => ({ positive: shape });

export function specOf(input: Input): ArraySpec {
  if ('positive' in input) return { shape: input.positive, dtype: 'float32' };
  return 'dtype' in input
    ? { shape: input.shape, dtype: input.dtype }
    : { shape: input as readonly number[], dtype: 'float32' };
}

export function valuesFor(input: Input, name: string, i: number): NumericArray {
  const spec = specOf(input);
  const random = stream(1, name, i);
  const size = sizeOf(spec.shape);
  if (spec.dtype === 'float32') {
    return Float32Array.from({ length: size }, () =>
      'positive' in input ? random.uniform() + 0.5 : random.normal(),
    );
  }
  const below = (input as { below: number }).below;
  const values = Array.from({ length: size }, () => random.integer(below));
  return spec.dtype === 'bool' ? Uint8Array.from(values) : Int32Array.from(values);
}
