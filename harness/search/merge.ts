/** Keeps the best rows of each query while lists of them arrive, block by block or shard by shard. */
import type { RowHits } from './searcher.js';

/**
 * Collects hits in the one order there is: score, the larger first, then row, the smaller first. The result depends on
 * what was offered, not on how it was cut or in which order it came. Takes 12 bytes a hit.
 */
export class TopRows implements RowHits {
  readonly depth: number;
  /** [Q, depth] */
  readonly rows: Float64Array;
  /** [Q, depth] */
  readonly scores: Float32Array;
  /** [Q] */
  readonly counts: Int32Array;
  readonly #mergedRows: Float64Array;
  readonly #mergedScores: Float32Array;

  constructor(queries: number, depth: number) {
    this.depth = depth;
    this.rows = new Float64Array(queries * depth);
    this.scores = new Float32Array(queries * depth);
    this.counts = new Int32Array(queries);
    this.#mergedRows = new Float64Array(depth);
    this.#mergedScores = new Float32Array(depth);
  }

  /** What a score must at least be to enter the list of a query; -Infinity while it has room. */
  leastScore(query: number): number {
    const isFull = this.counts[query] === this.depth && this.depth > 0;
    return isFull ? this.scores[(query + 1) * this.depth - 1]! : Number.NEGATIVE_INFINITY;
  }

  /**
   * Merges a list of hits into those of a query.
   * @param scores,rows hold the list from `from` on, `count` long, already in order
   * @param firstRow added to each of `rows`
   */
  offer(
    query: number,
    scores: ArrayLike<number>,
    rows: ArrayLike<number>,
    from: number,
    count: number,
    firstRow: number,
  ): void {
    const start = query * this.depth;
    const held = this.counts[query]!;
    const full = held === this.depth;
    const last = start + held - 1;
    if (count === 0 || this.depth === 0) return;
    if (full && !comesFirst(scores[from]!, rows[from]! + firstRow, this.scores[last]!, this.rows[last]!))
      return;

    let ours = start;
    let theirs = from;
    let merged = 0;
    for (; merged < this.depth && (ours <= last || theirs < from + count); merged++) {
      const score = scores[theirs]!;
      const row = rows[theirs]! + firstRow;
      const takeTheirs =
        theirs < from + count &&
        (ours > last || comesFirst(score, row, this.scores[ours]!, this.rows[ours]!));
      this.#mergedScores[merged] = takeTheirs ? score : this.scores[ours]!;
      this.#mergedRows[merged] = takeTheirs ? row : this.rows[ours]!;
      if (takeTheirs) theirs++;
      else ours++;
    }
    this.scores.set(this.#mergedScores.subarray(0, merged), start);
    this.rows.set(this.#mergedRows.subarray(0, merged), start);
    this.counts[query] = merged;
  }
}

/** The one order of hits, of rows as of passages: the larger score, and of equal ones the smaller number. */
export function comesFirst(score: number, row: number, otherScore: number, otherRow: number): boolean {
  return score > otherScore || (score === otherScore && row < otherRow);
}

/** Puts rows of equal score in ascending order; libraries give scores in order but rows of equal score as they come. */
export function orderTies(
  scores: ArrayLike<number>,
  rows: number[] | Float64Array,
  from: number,
  count: number,
): void {
  for (let start = from; start < from + count; ) {
    let end = start + 1;
    while (end < from + count && scores[end] === scores[start]) end++;
    if (end - start > 1) {
      const sorted = rows.slice(start, end).sort((a, b) => a - b);
      for (let i = start; i < end; i++) rows[i] = sorted[i - start]!;
    }
    start = end;
  }
}
