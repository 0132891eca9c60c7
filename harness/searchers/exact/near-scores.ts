/**
 * From what the engine gives, float32 sums of products, to scores. The last bits of a sum depend on the order of summation, and so
 * on the processor, the threads and the shape of the product. Rows are compared again, by sums in float64, where their order
 * among the first could depend on it: hits and scores do not.
 */
import { BestPassages } from '../../search/best-passages.js';
import type { TopRows } from '../../search/merge.js';
import type { Block, RowsHere } from './blocks.js';
import { LargestValues } from './largest-values.js';
import { sumRadius } from './row-codes.js';
import type { Products, RowCopies } from './row-memory.js';

/** A block as one query sees it. */
export interface AskedBlock extends Pick<Block, 'firstRow' | 'rows'> {
  /** Place of the query in the search. */
  query: number;
  /** [D] */
  vector: Float32Array;
  products: Products;
  /** A sum lies no further from the score; Infinity where sums say nothing. */
  radius: number;
}

export function askBlock(
  { firstRow, rows }: Block,
  { values, longest }: RowsHere,
  { query, vector, copies }: Pick<AskedBlock, 'query' | 'vector'> & { copies: RowCopies },
): AskedBlock {
  const radius = sumRadius(vector, longest);
  return { firstRow, rows, query, vector, products: copies.of(values, vector), radius };
}

/** Rows asked for beyond those wanted: so many may stand close behind the last of them. */
export const besideOf = (wanted: number): number => 16 + Math.ceil(wanted / 16);

/**
 * Offers the best rows of a block, if these are among those that are given.
 * @param sums,rows the first of all its rows by the engine's sums, in that order: those wanted and some more, or all
 * @returns false where others may stand as close
 */
export function offerFirst(top: TopRows, block: AskedBlock, sums: Float32Array, rows: Int32Array): boolean {
  if (block.radius === Number.POSITIVE_INFINITY) return false;
  const least = leastSum(top, block, sums[Math.min(top.depth, block.rows) - 1]!);
  let count = 0;
  while (count < rows.length && sums[count]! >= least) count++;
  if (count === rows.length && count < block.rows) return false;
  offerRows(top, block, rows.subarray(0, count));
  return true;
}

/** Offers the best rows of a block. @param sums of all rows */
export function offerAll(top: TopRows, block: AskedBlock, sums: Float32Array): void {
  const best = new LargestValues(Math.min(top.depth, block.rows));
  if (block.radius < Number.POSITIVE_INFINITY) for (const sum of sums) best.offer(sum);
  const least = leastSum(top, block, best.least);
  const rows: number[] = [];
  // What is no number is not below anything: where sums say nothing, no row is left out.
  for (let row = 0; row < sums.length; row++) if (!(sums[row]! < least)) rows.push(row);
  offerRows(top, block, rows);
}

/** The least sum of a row that may be among the best. @param last the largest sum that so many rows as are wanted have */
const leastSum = (top: TopRows, { query, radius }: AskedBlock, last: number): number =>
  Math.max(last - 2 * radius, top.leastScore(query) - radius);

function offerRows(top: TopRows, { query, firstRow, products }: AskedBlock, rows: ArrayLike<number>): void {
  const best = new BestPassages(top.depth);
  for (const [i, score] of products(rows).entries()) {
    // What is no number is no hit.
    if (!Number.isNaN(score)) best.offer(score, rows[i]!);
  }
  best.moveTo(top, query, firstRow);
}
