/** Hits that are a query's positive under another id: of no use as negatives, for they answer as well as it does. */
import { createHash } from 'node:crypto';
import type { Dataset, Passage } from '../contracts.js';
import type { PassageReader } from '../dataset/reading.js';

/** 48 bits of the words of a passage; two passages with one number are one text but for white space. */
function wordsOf({ title, text }: Passage): number {
  const body = text.trim() === '' ? title : text;
  const words = body.trim().split(/\s+/).join(' ');
  return createHash('sha256').update(words).digest().readUIntBE(0, 6);
}

/**
 * Takes 9 bytes a passage. Titles are not compared, unless there is no text: it is the text that answers.
 */
export class CopiesOfPositives implements PassageReader {
  readonly #positives: readonly (readonly string[] | undefined)[];
  readonly #isHit: Uint8Array;
  readonly #hitWords: Float64Array;
  readonly #positiveWords = new Map<string, number>();
  readonly #identifiers: { at(ordinal: number): string };
  /** Positives that have not been read. */
  readonly #missing: Set<string>;
  /** Hits that have not been read. */
  #hitsLeft = 0;

  /**
   * @param positives by place of the query, the ids of its relevant passages
   * @param ordinals of all hits; those below 0 are none
   * @param identifiers of the collection's passages
   */
  constructor(
    { passageCount }: Pick<Dataset, 'passageCount'>,
    positives: readonly (readonly string[] | undefined)[],
    ordinals: Int32Array,
    identifiers: { at(ordinal: number): string },
  ) {
    this.#identifiers = identifiers;
    this.#positives = positives;
    this.#isHit = new Uint8Array(passageCount);
    this.#hitWords = new Float64Array(passageCount);
    this.#missing = new Set(positives.flatMap((own) => own ?? []));
    // Without a positive there is no copy of one.
    if (this.#missing.size === 0) return;
    for (const ordinal of ordinals) {
      if (ordinal < 0 || this.#isHit[ordinal] === 1) continue;
      this.#isHit[ordinal] = 1;
      this.#hitsLeft++;
    }
  }

  get isDone(): boolean {
    return this.#missing.size === 0 && this.#hitsLeft === 0;
  }

  /** Positives that the collection does not have are waited for no longer. */
  wanted(): Int32Array {
    if (this.isDone) return new Int32Array();
    const found = new Set<string>();
    const places: number[] = [];
    for (let ordinal = 0; ordinal < this.#isHit.length; ordinal++) {
      const id = this.#identifiers.at(ordinal);
      if (this.#missing.has(id)) found.add(id);
      if (found.has(id) || this.#isHit[ordinal] === 1) places.push(ordinal);
    }
    for (const id of this.#missing) if (!found.has(id)) this.#missing.delete(id);
    return Int32Array.from(places);
  }

  read(passage: Passage, ordinal: number): void {
    const isPositive = this.#missing.delete(passage.passageId);
    const isHit = this.#isHit[ordinal] === 1;
    if (!isPositive && !isHit) return;
    const words = wordsOf(passage);
    if (isPositive) this.#positiveWords.set(passage.passageId, words);
    if (!isHit) return;
    this.#hitWords[ordinal] = words;
    this.#hitsLeft--;
  }

  /** Whether a hit of the query at place q is a word-for-word copy of a positive of it. */
  has(q: number, ordinal: number): boolean {
    const words = this.#hitWords[ordinal];
    return (this.#positives[q] ?? []).some((id) => this.#positiveWords.get(id) === words);
  }
}
