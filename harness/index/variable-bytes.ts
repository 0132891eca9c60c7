/**
 * Postings as bytes: numbers of seven bits a byte, low bits first, the high bit set where more follow. A posting is the
 * distance to the passage before it, doubled, plus 1 where the term occurs once; else the number of occurrences follows.
 */

import { grown } from './growing.js';

export class PostingBytes {
  #bytes = new Uint8Array();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was added since it was last emptied; valid until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** @param distance to the passage before, from 1 to 2^31 - 1 */
  posting(distance: number, occurrences: number): void {
    this.number(distance * 2 + (occurrences === 1 ? 1 : 0));
    if (occurrences !== 1) this.number(occurrences);
  }

  /** @param value below 2^32 */
  number(value: number): void {
    this.#bytes = grown(this.#bytes, this.#length + 5);
    let rest = value >>> 0;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  append(bytes: Uint8Array): void {
    this.#bytes = grown(this.#bytes, this.#length + bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}
