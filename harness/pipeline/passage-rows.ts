/** One passage of an index, beside a query. */
import type { VectorIndex } from '../index/vector-index.js';

/** The vectors of one passage, [M, D]. */
export async function rowsOf(index: VectorIndex, ordinal: number): Promise<Float32Array> {
  const first = index.firstRowOf(ordinal);
  const end = ordinal + 1 < index.passages ? index.firstRowOf(ordinal + 1) : index.vectors;
  const rows = new Float32Array((end - first) * index.dimensions);
  await index.readRows(first, end - first, rows);
  return rows;
}

export interface Winner {
  /** Place among the passage's vectors. */
  vector: number;
  score: number;
}

/** The first of the vectors that score highest; undefined where the passage has none. @param query [D] @param rows [M, D] */
export function winnerOf(query: Float32Array, rows: Float32Array): Winner | undefined {
  let best: Winner | undefined;
  for (let vector = 0; vector * query.length < rows.length; vector++) {
    let score = 0;
    for (let d = 0; d < query.length; d++) score += query[d]! * rows[vector * query.length + d]!;
    if (best === undefined || score > best.score) best = { vector, score };
  }
  return best;
}
