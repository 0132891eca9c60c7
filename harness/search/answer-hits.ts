/** Which hits hold an answer of their query, as DPR seeks answers: in the text and not the title. */
import type { Dataset, Passage, Query, Run } from '../contracts.js';
import type { PassageReader } from '../dataset/reading.js';
import { AnswerMatcher, PassageText } from '../text/answers.js';
import type { PassageHits } from './search.js';

type AnswerMode = NonNullable<Dataset['answerMatching']>;

/** Prepares each passage that is a hit once; no text is kept. */
abstract class AnswerReader implements PassageReader {
  readonly #matchers: readonly AnswerMatcher[];

  constructor(mode: AnswerMode, queries: readonly Query[]) {
    this.#matchers = queries.map(({ answers = [] }) => new AnswerMatcher(answers, mode));
  }

  abstract readonly isDone: boolean;
  abstract wanted(): Int32Array | undefined;
  abstract read(passage: Passage, ordinal: number): void;

  /** Queries with an answer that every passage holds. */
  get matchingAll(): number {
    return this.#matchers.filter(({ matchesAll }) => matchesAll).length;
  }

  /** Answer patterns that cannot be run. */
  get unusable(): number {
    return this.#matchers.reduce((sum, { unusable }) => sum + unusable.length, 0);
  }

  /** @param query place of a query @returns whether the text holds an answer of it */
  protected holds(query: number, text: PassageText): boolean {
    return this.#matchers[query]!.matches(text);
  }
}

/** The answers of hits by ordinal, of which there may be too many for an id each. */
export class AnswersOfHits extends AnswerReader {
  /** [Q, depth], 1 where the hit's text holds an answer of its query. */
  readonly flags: Uint8Array;
  readonly #depth: number;
  /** Ordinal times the number of places, plus the place; ascending. */
  readonly #wanted: Float64Array;
  #next = 0;

  /** @param hits [Q, depth] ordinals; those below 0 are none */
  constructor(mode: AnswerMode, queries: readonly Query[], { depth, ordinals }: Ordinals) {
    super(mode, queries);
    this.flags = new Uint8Array(ordinals.length);
    this.#depth = depth;
    this.#wanted = Float64Array.from(ordinals, (ordinal, place) =>
      ordinal < 0 ? -1 : ordinal * ordinals.length + place,
    )
      .filter((key) => key >= 0)
      .sort();
  }

  get isDone(): boolean {
    return this.#next === this.#wanted.length;
  }

  wanted(): Int32Array {
    return Int32Array.from(this.#wanted, (key) => Math.floor(key / this.flags.length));
  }

  read({ text }: Passage, ordinal: number): void {
    const places = this.flags.length;
    const end = (ordinal + 1) * places;
    if (this.isDone || this.#wanted[this.#next]! >= end) return;
    const prepared = new PassageText(text);
    for (; !this.isDone && this.#wanted[this.#next]! < end; this.#next++) {
      const place = this.#wanted[this.#next]! % places;
      if (this.holds(Math.floor(place / this.#depth), prepared)) this.flags[place] = 1;
    }
  }
}

type Ordinals = Pick<PassageHits, 'depth' | 'ordinals'>;

/** The answers of a run's hits. */
export class AnswersOfRun extends AnswerReader {
  /** By query id, in the order of its hits, 1 where the hit's text holds an answer of its query. */
  readonly flags = new Map<string, Uint8Array>();
  readonly #places: Int32Array | undefined;
  readonly #wanted = new Map<string, { query: number; own: Uint8Array; hit: number }[]>();

  constructor(mode: AnswerMode, queries: readonly Query[], run: Run) {
    super(mode, queries);
    const places: number[] = [];
    let arePlaced = true;
    for (const [query, { queryId }] of queries.entries()) {
      const { passageIds = [], ordinals } = run.get(queryId) ?? {};
      arePlaced &&= passageIds.length === 0 || ordinals !== undefined;
      for (let hit = 0; arePlaced && hit < passageIds.length; hit++) places.push(ordinals![hit]!);
      const own = new Uint8Array(passageIds.length);
      this.flags.set(queryId, own);
      for (const [hit, passageId] of passageIds.entries()) {
        const others = this.#wanted.get(passageId);
        if (others === undefined) this.#wanted.set(passageId, [{ query, own, hit }]);
        else others.push({ query, own, hit });
      }
    }
    this.#places = arePlaced ? Int32Array.from(places) : undefined;
  }

  get isDone(): boolean {
    return this.#wanted.size === 0;
  }

  wanted(): Int32Array | undefined {
    return this.#places;
  }

  /** Passages of the run that have not been read: what the collection does not have, where all of it has been. */
  get unread(): number {
    return this.#wanted.size;
  }

  read({ passageId, text }: Passage): void {
    const wanted = this.#wanted.get(passageId);
    if (wanted === undefined) return;
    this.#wanted.delete(passageId);
    const prepared = new PassageText(text);
    for (const { query, own, hit } of wanted) if (this.holds(query, prepared)) own[hit] = 1;
  }
}
