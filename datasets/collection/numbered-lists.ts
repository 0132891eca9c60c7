/** Lists of passages by query, for collections whose passage ids are numbers: 4 bytes an entry instead of a string. */

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
