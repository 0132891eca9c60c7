/** Keeps the best of many scores that come in any order. */
import { comesFirst, type TopRows } from './merge.js';

/** The best of many, in a heap whose root is the worst of those kept. */
export class BestPassages {
  readonly #scores: Float32Array;
  readonly #ordinals: Int32Array;
  #count = 0;

  constructor(depth: number) {
    this.#scores = new Float32Array(depth);
    this.#ordinals = new Int32Array(depth);
  }

  get isFull(): boolean {
    return this.#count === this.#scores.length;
  }

  /** The worst score held, where any is. */
  get leastScore(): number {
    return this.#scores[0]!;
  }

  /** Those held, in no order. */
  get scores(): Float32Array {
    return this.#scores.subarray(0, this.#count);
  }

  offer(score: number, ordinal: number): void {
    if (this.#count < this.#scores.length) {
      this.#up(this.#count++, score, ordinal);
    } else if (this.#count > 0 && comesFirst(score, ordinal, this.#scores[0]!, this.#ordinals[0]!)) {
      this.#down(this.#count, score, ordinal);
    }
  }

  /** Empties the heap into the arrays, best first; returns how many there were. */
  take(ordinals: Int32Array, scores: Float32Array, from: number): number {
    const count = this.#count;
    for (let i = count - 1; i >= 0; i--) {
      ordinals[from + i] = this.#ordinals[0]!;
      scores[from + i] = this.#scores[0]!;
      this.#down(i, this.#scores[i]!, this.#ordinals[i]!);
    }
    this.#count = 0;
    return count;
  }

  /** Empties the heap into the hits of a query. @param firstRow added to each ordinal */
  moveTo(top: TopRows, query: number, firstRow: number): void {
    const depth = this.#scores.length;
    const [rows, scores] = [new Int32Array(depth), new Float32Array(depth)];
    top.offer(query, scores, rows, 0, this.take(rows, scores, 0), firstRow);
  }

  #up(from: number, score: number, ordinal: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!comesFirst(this.#scores[parent]!, this.#ordinals[parent]!, score, ordinal)) break;
      this.#set(at, parent);
      at = parent;
    }
    this.#scores[at] = score;
    this.#ordinals[at] = ordinal;
  }

  /** Puts something in the root's place, among `count` of them. */
  #down(count: number, score: number, ordinal: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      const right = child + 1;
      if (
        right < count &&
        comesFirst(this.#scores[child]!, this.#ordinals[child]!, this.#scores[right]!, this.#ordinals[right]!)
      ) {
        child = right;
      }
      if (!comesFirst(score, ordinal, this.#scores[child]!, this.#ordinals[child]!)) break;
      this.#set(at, child);
      at = child;
    }
    this.#scores[at] = score;
    this.#ordinals[at] = ordinal;
  }

  #set(at: number, from: number): void {
    this.#scores[at] = this.#scores[from]!;
    this.#ordinals[at] = this.#ordinals[from]!;
  }
}
