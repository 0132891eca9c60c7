/** Weights of tokens, text by text, in shards: a row is a token's id and its weight. */
import type { VectorIndex } from './vector-index.js';

/** Numbers of a row. Ids are exact in float32 below 2^24. */
export const weightColumns = 2;

/** The weights of some texts, one text after another. */
export interface TokenWeights {
  /** Ids and weights in turn; within a text ids ascend. */
  pairs: Float32Array;
  /** How many weights each text has. */
  counts: Int32Array;
}

/** Those of the texts from `first` on. @throws RangeError where there are fewer */
export async function readTokenWeights(
  index: VectorIndex,
  first: number,
  count: number,
): Promise<TokenWeights> {
  const from = index.firstRowOf(first);
  const counts = new Int32Array(count);
  for (let i = 0; i < count; i++) counts[i] = index.firstRowOf(first + i + 1) - index.firstRowOf(first + i);
  const rows = counts.reduce((sum, each) => sum + each, 0);
  const pairs = new Float32Array(rows * weightColumns);
  await index.readRows(from, rows, pairs);
  return { pairs, counts };
}

/** The largest weights of each text alone; of equal ones those of smaller ids. @param most of a text; undefined keeps all */
export function largestWeights(weights: TokenWeights, most: number | undefined): TokenWeights {
  const { pairs, counts } = weights;
  if (most === undefined || counts.every((count) => count <= most)) return weights;
  const kept = new Float32Array(
    counts.reduce((sum, count) => sum + Math.min(count, most), 0) * weightColumns,
  );
  let [from, to] = [0, 0];
  for (const count of counts) {
    const places = Uint32Array.from({ length: count }, (_, i) => from + i);
    const weightAt = (place: number) => pairs[weightColumns * place + 1]!;
    const chosen = places
      .sort((a, b) => weightAt(b) - weightAt(a) || a - b)
      .subarray(0, most)
      .sort();
    for (const place of chosen) {
      kept[to++] = pairs[weightColumns * place]!;
      kept[to++] = weightAt(place);
    }
    from += count;
  }
  return { pairs: kept, counts: counts.map((count) => Math.min(count, most)) };
}
