/** The largest of many numbers, in a heap whose root is the least of those kept. */
export class LargestValues {
  readonly #held: Float64Array;
  #count = 0;

  /** @param count how many are kept, at least 1 */
  constructor(count: number) {
    this.#held = new Float64Array(count);
  }

  /** The least of the largest; -Infinity before there were so many. */
  get least(): number {
    return this.#count < this.#held.length ? Number.NEGATIVE_INFINITY : this.#held[0]!;
  }

  offer(value: number): void {
    const held = this.#held;
    if (this.#count === held.length) {
      if (value > held[0]!) this.#down(value);
      return;
    }
    let at = this.#count++;
    while (at > 0 && held[(at - 1) >> 1]! > value) {
      held[at] = held[(at - 1) >> 1]!;
      at = (at - 1) >> 1;
    }
    held[at] = value;
  }

  #down(value: number): void {
    const held = this.#held;
    let at = 0;
    for (let child = 1; child < held.length; child = 2 * at + 1) {
      if (child + 1 < held.length && held[child + 1]! < held[child]!) child++;
      if (held[child]! >= value) break;
      held[at] = held[child]!;
      at = child;
    }
    held[at] = value;
  }
}
