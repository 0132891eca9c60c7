/** Searches one shard by a library that gives rows of equal score as they come, and leaves those that come first by row. */
import { orderTies, type TopRows } from '../../search/merge.js';

/** What a library has of a shard. */
export interface ShardIndex {
  /** @param queries [n, D] @param k rows of each, at most `most` @returns [n, k] */
  find(queries: Float32Array, k: number): { scores: ArrayLike<number>; rows: number[] | Float64Array };
  /** The most rows of a query that it finds at once; absent where it finds all. */
  most?: number;
  /** The same shard without such a bound, which is read at the first call and disposed of with this one. */
  unbounded?(): ShardIndex;
  dispose?(): void;
}

/** Queries at once: faiss-node takes and gives plain arrays, 8 bytes or more a number. */
export const largestBatch = 128;
/** Rows asked for beyond the depth, so that most ties at the cut show their end at once. */
const spareRows = 8;

/** @param queries [count, D] @param vectors rows of the shard, at least one */
export function searchShard(
  opened: ShardIndex,
  { vectors, dimensions, firstRow }: { vectors: number; dimensions: number; firstRow: number },
  queries: Float32Array,
  count: number,
  top: TopRows,
): void {
  const depth = Math.min(top.depth, vectors);
  const index = depth > (opened.most ?? vectors) ? opened.unbounded!() : opened;
  const most = Math.min(vectors, index.most ?? vectors);
  const of = (from: number, n: number) => queries.subarray(from * dimensions, (from + n) * dimensions);
  for (let first = 0; first < count; first += largestBatch) {
    const size = Math.min(largestBatch, count - first);
    const k = Math.min(depth + spareRows, most);
    const { scores, rows } = index.find(of(first, size), k);
    const cut: number[] = [];
    for (let i = 0; i < size; i++) {
      orderTies(scores, rows, i * k, k);
      if (isCut(scores, i * k, depth, k, vectors)) cut.push(first + i);
      else top.offer(first + i, scores, rows, i * k, depth, firstRow);
    }
    // Rows as good as the last one may lie beyond what was asked for, and which of them came is the library's choice.
    for (const query of cut) offerAllTies(index, { vectors, firstRow }, of(query, 1), query, k, top);
  }
}

/** Whether the rows that were found may end among rows of one score. */
const isCut = (scores: ArrayLike<number>, from: number, depth: number, k: number, vectors: number): boolean =>
  k < vectors && scores[from + depth - 1] === scores[from + k - 1];

function offerAllTies(
  index: ShardIndex,
  { vectors, firstRow }: { vectors: number; firstRow: number },
  vector: Float32Array,
  query: number,
  found: number,
  top: TopRows,
): void {
  const depth = Math.min(top.depth, vectors);
  const most = Math.min(vectors, index.most ?? vectors);
  for (let k = found; k < most; ) {
    k = Math.min(k * 2, most);
    const { scores, rows } = index.find(vector, k);
    if (isCut(scores, 0, depth, k, vectors)) continue;
    orderTies(scores, rows, 0, k);
    top.offer(query, scores, rows, 0, depth, firstRow);
    return;
  }
  offerAllTies(index.unbounded!(), { vectors, firstRow }, vector, query, found, top);
}
