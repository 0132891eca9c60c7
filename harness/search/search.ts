/** Passages of an index, by whatever finds its rows. */
import { BenchError } from '../errors.js';
import type { VectorIndex } from '../index/vector-index.js';
import type { PassageHits } from './passage-hits.js';
import { searchPassages } from './passages.js';
import type { RowSearcher } from './searcher.js';

export type { PassageHits } from './passage-hits.js';

/** Which searcher runs, as the record has it. */
export interface SearcherIdentity {
  /** The searcher that runs, where 'auto' was asked for too. */
  readonly name: string;
  /** Why 'auto' did not take the first of its choice; absent where it did, and where a searcher was asked for by name. */
  readonly fallback?: string;
  /** Of the libraries that search. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface Searcher extends SearcherIdentity {
  /** Whether the vectors stay in memory; else every search reads them from the disk, and a latency is the disk's. */
  readonly resident: boolean;
  /** As RowSearcher's. */
  readonly remark?: string | undefined;
  /**
   * The passages with the largest sim(q, d), exactly, but for an index that was built. See RowSearcher for how far scores are reproducible.
   * @param queryVectors finite numbers, [count, D]
   * @param depth k; lists are shorter only where the index has, or an approximate search finds, fewer passages
   * @param onRows as RowSearcher's
   * @throws BenchError CHECKPOINT_INVALID where a query's vector is not finite
   */
  search(
    queryVectors: Float32Array,
    count: number,
    depth: number,
    onRows?: (rows: number) => void,
  ): Promise<PassageHits>;
  /** What is searched afterwards is an error. */
  dispose(): Promise<void>;
}

/** @param resultBytes what rows found may take at once */
export function passageSearcher(
  rows: RowSearcher,
  index: VectorIndex,
  identity: SearcherIdentity,
  resultBytes: number,
): Searcher {
  let isDisposed = false;
  return {
    ...identity,
    resident: rows.resident,
    get remark() {
      return rows.remark;
    },
    async search(queryVectors, count, depth, onRows) {
      // Here for all of them: some would open the index again, and leave it open.
      if (isDisposed) throw new Error('An index was searched after it was disposed of.');
      check(queryVectors, count, depth, index.dimensions);
      return searchPassages(rows, index, queryVectors, count, depth, resultBytes, onRows);
    },
    dispose() {
      isDisposed = true;
      return rows.dispose();
    },
  };
}

function check(queryVectors: Float32Array, count: number, depth: number, dimensions: number): void {
  if (queryVectors.length !== count * dimensions) {
    throw new RangeError(
      `${queryVectors.length} values are not ${count} queries of ${dimensions} dimensions`,
    );
  }
  if (!Number.isInteger(depth) || depth < 1) throw new RangeError(`depth ${depth}`);
  let fault = 0;
  while (fault < queryVectors.length && Number.isFinite(queryVectors[fault])) fault++;
  if (fault < queryVectors.length) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `The encoder gave ${queryVectors[fault]} in the vector of query ${Math.floor(fault / dimensions) + 1} of ${count}.`,
      { hint: 'Its weights are of no use for search: train again, with a lower learning rate.' },
    );
  }
}
