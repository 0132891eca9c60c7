/**
 * Rows that lie so near each other that float32 sums do not tell them apart, as those of a model that has collapsed: nearly all of them
 * would have to be compared again. Sums of how they differ from one of them are off by as little as they differ; with them most
 * scores are known to the last bit.
 */
import { BestPassages } from '../../search/best-passages.js';
import type { TopRows } from '../../search/merge.js';
import { largestBatch } from './block-plan.js';
import type { AskedBlock } from './near-scores.js';
import { exactRadius, lengthOf, sumBound } from './row-codes.js';

/** Rows among which one in the middle is looked for: some of them may be far from all others, or no numbers. */
const sampled = 9;
/** Rows of a query that are compared at once. */
const held = 128;

/** One of the rows, that lies near most of them. @param values [rows, D] */
export function middleOf(values: Float32Array, dimensions: number): Float32Array {
  const rows = values.length / dimensions;
  const rowAt = (row: number) => values.subarray(row * dimensions, (row + 1) * dimensions);
  const some = Array.from({ length: sampled }, (_, i) => rowAt(Math.floor((i * rows) / sampled)));
  let [middle, least] = [some[0]!, Number.POSITIVE_INFINITY];
  for (const row of some) {
    const distances = some.map((other) => lengthOf(row.map((value, d) => value - other[d]!)));
    // What is no number is the farthest.
    const median = distances
      .map((distance) => (distance >= 0 ? distance : Number.POSITIVE_INFINITY))
      .sort((a, b) => a - b)[Math.floor(sampled / 2)]!;
    if (median < least) [middle, least] = [row, median];
  }
  return middle.slice();
}

/** How rows differ from the middle one. */
export class Differences {
  /** [rows, D] */
  readonly values: Float32Array;
  /** Of each difference, and not less; Infinity where a sum may leave float32. */
  readonly lengths: Float64Array;
  readonly #middle: Float32Array;
  readonly #most: number;

  /** @param rows as many as there are room for @param most the length of which sums leave float32 */
  constructor(middle: Float32Array, rows: number, most: number) {
    this.#middle = middle;
    this.#most = most;
    this.values = new Float32Array(rows * middle.length);
    this.lengths = new Float64Array(rows);
  }

  /** @param rows [rows, D] */
  take(rows: Float32Array): void {
    const dimensions = this.#middle.length;
    for (let row = 0; row < this.lengths.length; row++) {
      const [from, end] = [row * dimensions, (row + 1) * dimensions];
      for (let d = 0; d < dimensions; d++) this.values[from + d] = rows[from + d]! - this.#middle[d]!;
      const length = lengthOf(this.values.subarray(from, end));
      this.lengths[row] = length < this.#most ? length : Number.POSITIVE_INFINITY;
    }
  }
}

/** The best rows of some queries, while the rows of a block come in order. */
export class NearRows {
  readonly #asked: readonly AskedBlock[];
  readonly #top: TopRows;
  /** Of each query: its score of the middle row, and the radius of a sum by the length of the difference, and beside it. */
  readonly #bases: Float64Array;
  readonly #shares: Float64Array;
  readonly #leasts: Float64Array;
  /** What a row that comes later must score more than; NaN where it need not. */
  readonly #passed: Float32Array;
  readonly #best: readonly BestPassages[];
  /** Rows to compare. */
  readonly #held: readonly Int32Array[];
  readonly #counts: Int32Array;
  /** The length of which sums leave float32, of the longest query. */
  readonly most: number;

  constructor(top: TopRows, asked: readonly AskedBlock[], middle: Float32Array) {
    this.#asked = asked;
    this.#top = top;
    const bounds = asked.map(({ vector }) => sumBound(vector));
    const { length: dimensions } = middle;
    const length = lengthOf(middle);
    this.#bases = Float64Array.from(asked, ({ vector }) => {
      let sum = 0;
      for (let d = 0; d < dimensions; d++) sum += vector[d]! * middle[d]!;
      return sum;
    });
    // A row is as long as the middle one and its difference, at most; the difference itself may have been rounded, for which
    // `share` has room.
    this.#shares = Float64Array.from(
      asked,
      ({ vector }, i) => bounds[i]!.share + 2 * exactRadius(dimensions, lengthOf(vector)),
    );
    this.#leasts = Float64Array.from(
      asked,
      ({ vector }, i) => bounds[i]!.least + 2 * exactRadius(dimensions, lengthOf(vector) * length),
    );
    this.most = Math.min(...bounds.map(({ most }) => most));
    this.#best = asked.map(() => new BestPassages(top.depth));
    this.#held = asked.map(() => new Int32Array(held));
    this.#counts = new Int32Array(asked.length);
    this.#passed = new Float32Array(asked.length).fill(Number.NaN);
    for (let i = 0; i < asked.length; i++) this.#pass(i);
  }

  /**
   * @param sums of differences of rows with the queries asked, [rows, 128]
   * @param start the first of the rows in the block @param from the first of them that is new
   */
  offer(
    sums: Float32Array,
    { lengths }: Differences,
    { start, from }: { start: number; from: number },
  ): void {
    const [bases, shares, leasts, passed] = [this.#bases, this.#shares, this.#leasts, this.#passed];
    for (let row = from; row < lengths.length; row++) {
      const length = lengths[row]!;
      for (let i = 0; i < bases.length; i++) {
        const value = bases[i]! + sums[row * largestBatch + i]!;
        const radius = shares[i]! * length + leasts[i]!;
        const highest = Math.fround(value + radius);
        // Of equal scores the smaller row comes first, and that was before.
        if (highest <= passed[i]!) continue;
        // A score is rounded, and so are its bounds; which 0 it is, these do not say.
        if (highest === Math.fround(value - radius) && highest !== 0) {
          this.#best[i]!.offer(highest, start + row);
          this.#pass(i);
          continue;
        }
        this.#held[i]![this.#counts[i]!++] = start + row;
        if (this.#counts[i] === held) this.#compare(i);
      }
    }
  }

  /** Those of all rows that came. */
  finish(): void {
    for (const [i, { query, firstRow }] of this.#asked.entries()) {
      this.#compare(i);
      this.#best[i]!.moveTo(this.#top, query, firstRow);
    }
  }

  #compare(i: number): void {
    const rows = this.#held[i]!.subarray(0, this.#counts[i]!);
    const scores = this.#asked[i]!.products(rows);
    for (let r = 0; r < rows.length; r++)
      // What is no number is no hit.
      if (!Number.isNaN(scores[r]!)) this.#best[i]!.offer(scores[r]!, rows[r]!);
    this.#counts[i] = 0;
    this.#pass(i);
  }

  #pass(i: number): void {
    const best = this.#best[i]!;
    const before = this.#top.leastScore(this.#asked[i]!.query);
    const own = best.isFull ? best.leastScore : Number.NEGATIVE_INFINITY;
    const least = Math.max(before, own);
    this.#passed[i] = least > Number.NEGATIVE_INFINITY ? least : Number.NaN;
  }
}
