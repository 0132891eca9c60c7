/** Lists of passages by query, for collections whose passage ids are numbers: 4 bytes an entry instead of a string. */

import path from 'node:path';
import { BenchError } from '../../harness/errors.js';
import { writeAtomic } from '../../harness/store/atomic.js';
import { readPlain } from '../../harness/store/plain-file.js';

/** Takes lists up to a length, entry by entry in any order, and is then read like a Map of ids. */
export class NumberedLists implements ReadonlyMap<string, readonly string[]> {
  readonly #slots = new Map<string, number>();
  readonly #longest: number;
  readonly #entries: Uint32Array;
  readonly #counts: Uint32Array;

  /** @param longest further entries of a list are let go */
  constructor(queryIds: Iterable<string>, longest: number) {
    for (const queryId of queryIds) this.#slots.set(queryId, this.#slots.size);
    this.#longest = longest;
    this.#entries = new Uint32Array(this.#slots.size * longest);
    this.#counts = new Uint32Array(this.#slots.size);
  }

  /** Lists that `write` has left, of the same queries in the same order. @throws BenchError CACHE_INVALID */
  static async read(file: string, queryIds: Iterable<string>, longest: number): Promise<NumberedLists> {
    const lists = new NumberedLists(queryIds, longest);
    // A file that is gone is like one that is cut short.
    const bytes = await readPlain(file).catch(() => Buffer.alloc(0));
    const numbers = new Uint32Array(bytes.length >> 2);
    new Uint8Array(numbers.buffer).set(bytes.subarray(0, numbers.byteLength));
    const counts = numbers.subarray(0, lists.size);
    const total = counts.reduce((sum, count) => sum + count, lists.size);
    if (bytes.length !== 4 * total || counts.some((count) => count > longest)) {
      throw new BenchError('CACHE_INVALID', `${file} does not hold the lists of ${lists.size} queries.`, {
        hint: `Delete the folder ${path.dirname(file)}; it is made again.`,
      });
    }
    lists.#counts.set(counts);
    let at = lists.size;
    for (const [slot, count] of counts.entries()) {
      lists.#entries.set(numbers.subarray(at, at + count), slot * longest);
      at += count;
    }
    return lists;
  }

  /** How many entries each list has, then the entries, 4 bytes each in the byte order of this machine. */
  async write(file: string): Promise<void> {
    const counts = this.#counts;
    const numbers = new Uint32Array(counts.reduce((sum, count) => sum + count, counts.length));
    numbers.set(counts);
    let at = counts.length;
    for (const [slot, count] of counts.entries()) {
      const from = slot * this.#longest;
      numbers.set(this.#entries.subarray(from, from + count), at);
      at += count;
    }
    await writeAtomic(file, new Uint8Array(numbers.buffer));
  }

  /** The list of a query, as a number for `add`; undefined where it was not named at the start. */
  slotOf(queryId: string): number | undefined {
    return this.#slots.get(queryId);
  }

  isFull(slot: number): boolean {
    return this.#counts[slot] === this.#longest;
  }

  /** Adds what the list does not have yet. */
  add(slot: number, passage: number): void {
    const from = slot * this.#longest;
    const count = this.#counts[slot]!;
    if (count === this.#longest) return;
    for (let i = from; i < from + count; i++) if (this.#entries[i] === passage) return;
    this.#entries[from + count] = passage;
    this.#counts[slot] = count + 1;
  }

  get size(): number {
    return this.#slots.size;
  }

  has(queryId: string): boolean {
    return this.#slots.has(queryId);
  }

  get(queryId: string): readonly string[] | undefined {
    const slot = this.#slots.get(queryId);
    if (slot === undefined) return undefined;
    const from = slot * this.#longest;
    return Array.from(this.#entries.subarray(from, from + this.#counts[slot]!), String);
  }

  forEach(
    take: (list: readonly string[], queryId: string, map: ReadonlyMap<string, readonly string[]>) => void,
  ): void {
    for (const [queryId, list] of this.entries()) take(list, queryId, this);
  }

  keys(): MapIterator<string> {
    return this.#slots.keys();
  }

  *values(): Generator<readonly string[], undefined> {
    for (const queryId of this.#slots.keys()) yield this.get(queryId)!;
  }

  *entries(): Generator<[string, readonly string[]], undefined> {
    for (const queryId of this.#slots.keys()) yield [queryId, this.get(queryId)!];
  }

  [Symbol.iterator](): Generator<[string, readonly string[]], undefined> {
    return this.entries();
  }
}
