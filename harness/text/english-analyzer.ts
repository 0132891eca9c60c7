/**
 * Texts as terms, as Lucene's EnglishAnalyzer makes them, which is what Anserini's BM25 figures rest on: words, without a
 * possessive 's, in small letters, without stop words, stemmed.
 */
import { eachWord } from './word-break.js';

export const stemmerNames = ['porter', 'english', 'none'] as const;
export type StemmerName = (typeof stemmerNames)[number];

export interface AnalyzerOptions {
  /** `porter`: Porter's algorithm of 1980 with its later corrections, Lucene's and Anserini's default. `english`: Porter2. */
  stemmer: StemmerName;
  /** Whether Lucene's 33 English stop words are left out. */
  stopWords: boolean;
}

/** EnglishAnalyzer.ENGLISH_STOP_WORDS_SET of Lucene. */
export const englishStopWords: ReadonlySet<string> = new Set(
  (
    'a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to ' +
    'was will with'
  ).split(' '),
);

const apostrophes = "'\u2019\uFF07";

/** The forms kept with their terms; a collection has a few that come often and no end of those that come once. */
const largestMemory = 1 << 19;

/** Makes terms; keeps the terms of words it has met, since most words of a text have been met before. */
export class EnglishAnalyzer {
  readonly options: AnalyzerOptions;
  readonly #stem: (word: string) => string;
  readonly #terms = new Map<string, string>();

  private constructor(options: AnalyzerOptions, stem: (word: string) => string) {
    this.options = options;
    this.#stem = stem;
  }

  static async open(options: AnalyzerOptions): Promise<EnglishAnalyzer> {
    switch (options.stemmer) {
      case 'porter':
        return new EnglishAnalyzer(options, (await import('stemmer')).stemmer);
      case 'english':
        return new EnglishAnalyzer(options, (await import('porter2')).stem);
      case 'none':
        return new EnglishAnalyzer(options, (word) => word);
    }
  }

  /** Calls `take` with every term of the text, in order. */
  eachTerm(text: string, take: (term: string) => void): void {
    eachWord(text, (start, end) => {
      const word = text.slice(start, end);
      let term = this.#terms.get(word);
      if (term === undefined) {
        term = this.#termOf(word);
        if (this.#terms.size === largestMemory) this.#terms.clear();
        this.#terms.set(detached(word), term);
      }
      if (term !== '') take(term);
    });
  }

  /**
   * Reads texts as the numbers of their terms, one look-up a word.
   * @param numberOf the number of a term, from 0; called again for a term now and then
   */
  numbered(numberOf: (term: string) => number): (text: string, take: (number: number) => void) => void {
    const numbers = new Map<string, number>();
    return (text, take) => {
      eachWord(text, (start, end) => {
        const word = text.slice(start, end);
        let number = numbers.get(word);
        if (number === undefined) {
          const term = this.#termOf(word);
          number = term === '' ? -1 : numberOf(term);
          if (numbers.size === largestMemory) numbers.clear();
          numbers.set(detached(word), number);
        }
        if (number >= 0) take(number);
      });
    };
  }

  terms(text: string): string[] {
    const terms: string[] = [];
    this.eachTerm(text, (term) => terms.push(term));
    return terms;
  }

  /** Empty for a stop word. */
  #termOf(word: string): string {
    const { length } = word;
    const last = word[length - 1];
    const isPossessive =
      length >= 2 && (last === 's' || last === 'S') && apostrophes.includes(word[length - 2]!);
    // A copy: a slice would keep the whole text it was cut from in memory.
    const lower = detached((isPossessive ? word.slice(0, -2) : word).toLowerCase());
    if (this.options.stopWords && englishStopWords.has(lower)) return '';
    return this.#stem(lower);
  }
}

const detached = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');
