/** Made rows as models give them, and as none should: for the tests of codes of vectors. */
import { stream } from '../harness/random.js';
import { normalRows, type Rows } from './made-index.js';

/** @returns [D] */
export const queryAt = ({ values, dimensions }: Rows, q: number) =>
  values.subarray(q * dimensions, (q + 1) * dimensions);

/** Rows of every length from a thousandth to a thousand, one number of each much larger than the others. */
export function unevenRows(count: number, dimensions: number, purpose: string): Rows {
  const rows = normalRows(count, dimensions, purpose);
  const random = stream(7, purpose, 'lengths');
  for (let row = 0; row < count; row++) {
    const length = 10 ** (random.integer(7) - 3);
    for (let d = 0; d < dimensions; d++) rows.values[row * dimensions + d]! *= length;
    rows.values[row * dimensions + random.integer(dimensions)]! *= 50;
  }
  return rows;
}

/** Rows of length 1 around few directions, as models give them. */
export function unitRows(count: number, dimensions: number, purpose: string): Rows {
  const centres = normalRows(30, dimensions, 'directions').values;
  const rows = normalRows(count, dimensions, purpose);
  const random = stream(7, purpose, 'directions');
  for (let row = 0; row < count; row++) {
    const centre = random.integer(30) * dimensions;
    const vector = queryAt(rows, row);
    // The first numbers say the most, as after training for a cut.
    for (let d = 0; d < dimensions; d++) vector[d] = (vector[d]! + centres[centre + d]!) / (1 + d / 8);
    const length = Math.hypot(...vector);
    for (let d = 0; d < dimensions; d++) vector[d]! /= length;
  }
  return rows;
}
