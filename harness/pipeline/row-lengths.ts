/** Vectors of length 1, whose products are cosines. */

/** Divides each row by its length, as sentence-transformers does; a row of zeros stays one. @param values [rows, D] */
export function normalizeRows(values: Float32Array, dimensions: number): void {
  for (let from = 0; from < values.length; from += dimensions) {
    let squares = 0;
    for (let d = from; d < from + dimensions; d++) squares += values[d]! ** 2;
    const length = Math.max(Math.sqrt(squares), 1e-12);
    for (let d = from; d < from + dimensions; d++) values[d]! /= length;
  }
}
