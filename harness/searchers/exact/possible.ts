/** The rows that may still be among the best of a query, while rows come, and the best of those that were compared. */
import { BestPassages } from '../../search/best-passages.js';
import { LargestValues } from './largest-values.js';
import type { Products } from './row-memory.js';

/** Rows held, of which some have become impossible: where more than half of so many are possible the query is given up. */
const most = 1 << 14;
/** Rows to compare, until the next are looked for. */
const wanted = new Int32Array(most);

/** Serves one query after another: what holds the rows is as large for each. */
export class Possible {
  readonly #rows = new Int32Array(most);
  /** About what their scores are, and what they are at most: rounded as scores are, since rounding keeps their order. */
  readonly #values = new Float32Array(most);
  readonly #highest = new Float32Array(most);
  #count = 0;
  #depth = 0;
  #lowest = new LargestValues(1);
  #best = new BestPassages(0);
  /** What the last of the best scores is at least. Infinity for a query that wants no more rows. */
  threshold = Number.NEGATIVE_INFINITY;

  /** @param depth how many the best are, at least 1 @param threshold what they score at least, as far as it is known */
  ask(depth: number, threshold = Number.NEGATIVE_INFINITY): void {
    this.#count = 0;
    this.#depth = depth;
    this.#lowest = new LargestValues(depth);
    this.#best = new BestPassages(depth);
    this.threshold = threshold;
  }

  /** @param value of the row, from which its score lies no further than the radius */
  offer(row: number, value: number, radius: number): void {
    const highest = value + radius;
    if (highest < this.threshold || this.threshold === Number.POSITIVE_INFINITY) return;
    this.#rows[this.#count] = row;
    this.#values[this.#count] = value;
    this.#highest[this.#count++] = highest;
    if (value - radius > this.threshold) {
      this.#lowest.offer(value - radius);
      this.raise(this.#lowest.least);
    }
    if (this.#count === most) this.#makeRoom();
  }

  raise(threshold: number): void {
    if (threshold > this.threshold) this.threshold = threshold;
  }

  #makeRoom(): void {
    // Nothing is wanted: no number is not below NaN.
    this.#sift(this.#highest, Number.NaN);
    if (this.#count > most / 2) this.threshold = Number.POSITIVE_INFINITY;
  }

  /**
   * Compares the rows that look best, so that the threshold rises to what the best of them really score: that is much more than
   * what all rows score at least where radii are wide.
   */
  tighten(products: Products): void {
    if (this.threshold === Number.POSITIVE_INFINITY) return;
    const looks = new LargestValues(this.#depth);
    const { scores } = this.#best;
    for (let i = 0; i < scores.length; i++) looks.offer(scores[i]!);
    for (let i = 0; i < this.#count; i++) looks.offer(this.#values[i]!);
    this.#compare(products, this.#values, looks.least);
  }

  /** The best rows, which no other is among; undefined where too many were possible. */
  finish(products: Products): BestPassages | undefined {
    if (this.threshold === Number.POSITIVE_INFINITY) return undefined;
    this.#compare(products, this.#highest, Number.NEGATIVE_INFINITY);
    return this.#best;
  }

  /** Compares the rows that are possible and of which something is not below `from`. */
  #compare(products: Products, something: Float32Array, from: number): void {
    const rows = wanted.subarray(0, this.#sift(something, from));
    const scores = products(rows);
    for (let i = 0; i < rows.length; i++) this.#best.offer(scores[i]!, rows[i]!);
    if (this.#best.isFull) this.raise(this.#best.leastScore);
  }

  /** Leaves out rows that have become impossible, and those that are wanted, since something of them is not below `from`: so many. */
  #sift(something: Float32Array, from: number): number {
    const [count, least] = [this.#count, Math.fround(this.threshold)];
    let found = 0;
    this.#count = 0;
    for (let i = 0; i < count; i++) {
      if (this.#highest[i]! < least) continue;
      if (something[i]! >= from) {
        wanted[found++] = this.#rows[i]!;
        continue;
      }
      this.#rows[this.#count] = this.#rows[i]!;
      this.#values[this.#count] = this.#values[i]!;
      this.#highest[this.#count++] = this.#highest[i]!;
    }
    return found;
  }
}
