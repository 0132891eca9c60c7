/** Token ids of many passages, packed: a collection of millions is trained on, and an array of its own for each takes 100 bytes. */

/** Ids of a block, 32 MiB: a passage lies in one block. */
const blockLength = 1 << 23;

/** Every passage's tokens by its number; they are added in any order, each once. */
export class PassageTokens {
  readonly #blocks: Int32Array[] = [];
  /** Where in all blocks together a passage begins, and how long it is; -1 where it has not been added. */
  readonly #starts: Float64Array;
  readonly #lengths: Int32Array;
  readonly #blockLength: number;
  #used = 0;
  #missing: number;

  /** @param count how many passages there are @param length of a block, for tests */
  constructor(count: number, length: number = blockLength) {
    this.#starts = new Float64Array(count);
    this.#lengths = new Int32Array(count).fill(-1);
    this.#blockLength = length;
    this.#missing = count;
  }

  get isComplete(): boolean {
    return this.#missing === 0;
  }

  has(number: number): boolean {
    return this.#lengths[number]! >= 0;
  }

  add(number: number, tokens: Int32Array): void {
    if (this.has(number)) throw new TypeError(`passage ${number} has tokens already`);
    if (tokens.length > this.#blockLength)
      throw new TypeError(`${tokens.length} tokens do not fit in a block`);
    const room = this.#blocks.length * this.#blockLength - this.#used;
    if (room < tokens.length) {
      this.#used = this.#blocks.length * this.#blockLength;
      this.#blocks.push(new Int32Array(this.#blockLength));
    }
    this.#starts[number] = this.#used;
    this.#lengths[number] = tokens.length;
    this.#blocks.at(-1)?.set(tokens, this.#used % this.#blockLength);
    this.#used += tokens.length;
    this.#missing--;
  }

  /** A view, not a copy. */
  of(number: number): Int32Array {
    const length = this.#lengths[number]!;
    if (length < 0) throw new TypeError(`passage ${number} has no tokens`);
    if (length === 0) return new Int32Array(0);
    const start = this.#starts[number]!;
    const from = start % this.#blockLength;
    return this.#blocks[Math.floor(start / this.#blockLength)]!.subarray(from, from + length);
  }
}
