/** The interface of everything that finds the rows of an index with the largest inner products. */

export type SearcherName = 'faiss' | 'exact';
export const searcherNames: readonly SearcherName[] = ['faiss', 'exact'];

/** The kind of index that is the shards themselves. */
export const flatKind = 'Flat';

/**
 * The best rows of some queries. The list of query q begins at q * depth and is counts[q] long: all arrays are [Q, depth],
 * and what lies beyond a list's end means nothing.
 */
export interface RowHits {
  depth: number;
  /** Rows, counted over the whole index. Ordered by score, the larger first, then by row, the smaller first. */
  rows: Float64Array;
  scores: Float32Array;
  counts: Int32Array;
}

/**
 * Search over all rows of one index: exact, but for an index of another kind than Flat. Memory is bounded by the budget it was opened with, not by the index.
 *
 * The order among rows of equal score, and which of them stay when the list is full, is always by row. Scores are
 * float32 sums, whose last bits depend on the order of summation and so on the shape of the product: between
 * searchers, engines, batches of queries and memory budgets they agree to 1e-5 relative, not bit for bit. Hits change places
 * only where their scores are that close. How an index is cut into shards makes no difference to `exact` at all.
 */
export interface RowSearcher {
  readonly name: SearcherName;
  /** Whether the vectors stay in memory between searches; else every search reads them from the disk. */
  readonly resident: boolean;
  /**
   * Searches for several queries, which shares the reading between them.
   * @param queries finite numbers, [count, D]
   * @param depth rows wanted per query; fewer come only where the index has fewer, or an approximate search finds fewer
   * @param onRows told now and then, where not resident, how many rows have been searched; what it throws ends the search
   */
  search(
    queries: Float32Array,
    count: number,
    depth: number,
    onRows?: (rows: number) => void,
  ): Promise<RowHits>;
  dispose(): Promise<void>;
}
