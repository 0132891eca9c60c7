/** What `exact` on a device that finds the best rows itself must ask for twice, by brute force. For tests. */
import { type Rows, rankRows } from './made-index.js';

/** Groups that are looked into, and rows asked for, where so many of so many are wanted: beside those that fill a group up. */
export function askedOf(depth: number, rows: number): { groups: number; rows: number } {
  const all = Math.ceil(rows / 64);
  const groups = Math.min(all, depth + 16 + Math.ceil(depth / 16));
  return { groups, rows: groups + all * 64 - rows };
}

/**
 * Of rows that are searched at once, the queries of which rows that score as the last one asked for may be among the best.
 * @param queries [Q, D], whose scores are exact
 */
export function leftOf(rows: Rows, queries: Float32Array, depth: number): number[] {
  const { values, dimensions } = rows;
  const { groups } = askedOf(depth, values.length / dimensions);
  const all = Array.from({ length: queries.length / dimensions }, (_, q) => q);
  return all.filter((q) => {
    const ranked = rankRows(rows, queries.subarray(q * dimensions, (q + 1) * dimensions));
    return ranked[depth - 1]!.score === ranked[groups - 1]!.score;
  });
}
