/** The rows that may still be among the best of a query, while rows come. */
import type { Candidates } from './code-scan.js';
import { LargestValues } from './largest-values.js';
import type { ByteQuery } from './row-codes.js';

/** Rows held, of which some have become impossible: where more than half of so many are possible the query is given up. */
const most = 1 << 14;

/** Serves one query after another: what holds the rows is as large for each. */
export class Possible {
  /** What one takes of memory. */
  static readonly bytes = 12 * most;
  readonly #rows = new Int32Array(most);
  /** What their scores are at most. */
  readonly #highest = new Float64Array(most);
  #count = 0;
  #lowest = new LargestValues(1);
  #factor = 0;
  #errorShare = 0;
  #lengthShare = 0;
  #constant = 0;
  /** What the last of the best scores is at least. Infinity for a query that wants no more rows. */
  threshold = Number.NEGATIVE_INFINITY;

  /** @param depth how many the best are */
  ask({ factor, errorShare, lengthShare, least }: ByteQuery, depth: number): void {
    this.#count = 0;
    this.#lowest = new LargestValues(depth);
    this.#factor = factor;
    this.#errorShare = errorShare;
    this.#lengthShare = lengthShare;
    this.#constant = least;
    this.threshold = Number.NEGATIVE_INFINITY;
  }

  /** @param sum of the codes' products @param scale,error,length of the row: see ByteQuery */
  offer(row: number, sum: number, scale: number, error: number, length: number): void {
    const value = scale * this.#factor * sum;
    const radius = this.#errorShare * error + this.#lengthShare * length + this.#constant;
    if (value + radius < this.threshold || this.threshold === Number.POSITIVE_INFINITY) return;
    this.#rows[this.#count] = row;
    this.#highest[this.#count++] = value + radius;
    if (value - radius > this.threshold) {
      this.#lowest.offer(value - radius);
      this.threshold = this.#lowest.least;
    }
    if (this.#count === most) this.#makeRoom();
  }

  #makeRoom(): void {
    this.#sift();
    if (this.#count > most / 2) this.threshold = Number.POSITIVE_INFINITY;
  }

  /** Leaves out those that have become impossible. */
  #sift(): void {
    const count = this.#count;
    this.#count = 0;
    for (let i = 0; i < count; i++) {
      if (this.#highest[i]! < this.threshold) continue;
      this.#rows[this.#count] = this.#rows[i]!;
      this.#highest[this.#count++] = this.#highest[i]!;
    }
  }

  /** What is there until the next query is asked; undefined where there were too many. */
  take(): Candidates | undefined {
    if (this.threshold === Number.POSITIVE_INFINITY) return undefined;
    this.#sift();
    return { rows: this.#rows.subarray(0, this.#count), values: this.#highest.subarray(0, this.#count) };
  }
}
