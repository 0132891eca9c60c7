/** Rows of codes as the engine multiplies them. */
import { lengthOf, roundedUp } from './row-codes.js';

/** Rows that the engine multiplies at once: with 128 queries their sums take 2 MiB, and stay in a core's cache. */
export const stepRows = 4096;
/** Numbers known of a row: see `possible` of scan.wat. */
export const factNumbers = 4;

export interface ProductRows {
  firstRow: number;
  rows: number;
  /** [rows, width], 128 more than the codes; as many as whole steps have, of which the last are of no row. */
  codes: Uint8Array;
  /** [rows, 4]: scale, error, s |c|. */
  facts: Float32Array;
}

/** What such rows take of memory. */
export const productBytes = (rows: number, width: number): number =>
  Math.ceil(rows / stepRows) * stepRows * width + 4 * factNumbers * rows;

/** @param codes [rows, width] @param scales,errors of these rows */
export function productRows(
  firstRow: number,
  codes: Int8Array,
  { scales, errors }: { scales: Float32Array; errors: Float32Array },
): ProductRows {
  const rows = scales.length;
  const width = codes.length / rows;
  const copy = new Uint8Array(Math.ceil(rows / stepRows) * stepRows * width);
  copy.set(new Uint8Array(codes.buffer, codes.byteOffset, codes.length));
  // A width is a multiple of 16.
  const fours = new Uint32Array(copy.buffer);
  for (let i = 0; i < fours.length; i++) fours[i]! ^= 0x80808080;
  const facts = new Float32Array(factNumbers * rows);
  for (let row = 0; row < rows; row++) {
    const length = lengthOf(codes.subarray(row * width, (row + 1) * width));
    const at = factNumbers * row;
    facts[at] = scales[row]!;
    facts[at + 1] = errors[row]!;
    facts[at + 2] = roundedUp(scales[row]! * length);
  }
  return { firstRow, rows, codes: copy, facts };
}
