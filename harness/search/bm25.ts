/**
 * BM25 (Robertson and others, 1994) as Lucene scores it since version 8:
 *
 *     idf(t) = ln(1 + (N - n + 0.5) / (n + 0.5))
 *     score  = sum over the query's terms of  idf * tf / (tf + k1 * (1 - b + b * length / mean length))
 *
 * N and the mean length are over passages that hold any term; a term that the query repeats counts as often.
 */
import { BenchError } from '../errors.js';
import { type Bm25Index, openBm25Index } from '../index/bm25-index.js';
import { damaged } from '../index/reading.js';
import { EnglishAnalyzer } from '../text/english-analyzer.js';
import { BestPassages } from './best-passages.js';
import { noHits, type PassageHits } from './passage-hits.js';

export interface Bm25Options {
  k1: number;
  b: number;
  /**
   * `exact` lengths, or `lucene`: rounded down to one of 256 values, as Lucene's norms of one byte are, which moves scores
   * by up to an eighth of the length's part.
   */
  lengths: 'exact' | 'lucene';
}

/** Anserini's. */
export const usualBm25: Bm25Options = { k1: 0.9, b: 0.4, lengths: 'exact' };

interface WeighedPostings {
  bytes: Uint8Array;
  /** idf, as often as the query has the term. */
  weight: number;
}

export class Bm25Searcher {
  readonly index: Bm25Index;
  readonly options: Bm25Options;
  readonly #analyzer: EnglishAnalyzer;
  readonly #lengths: Uint32Array;
  /** [N], all 0 between two queries. */
  readonly #scores: Float64Array;
  /** Passages that have a score, in the order they were met. */
  readonly #touched: Uint32Array;

  private constructor(index: Bm25Index, analyzer: EnglishAnalyzer, options: Bm25Options) {
    this.index = index;
    this.options = options;
    this.#analyzer = analyzer;
    this.#lengths = options.lengths === 'exact' ? index.lengths : index.lengths.map(luceneLength);
    this.#scores = new Float64Array(index.facts.passages);
    this.#touched = new Uint32Array(index.facts.passages);
  }

  /**
   * Takes 12 bytes per passage beside the index.
   * @throws BenchError CONFIG_INVALID where k1 or b cannot be
   */
  static async open(index: Bm25Index, options: Bm25Options = usualBm25): Promise<Bm25Searcher> {
    const { k1, b } = options;
    if (!(k1 >= 0 && Number.isFinite(k1)) || !(b >= 0 && b <= 1)) {
      throw new BenchError('CONFIG_INVALID', `BM25 cannot be run with k1 ${k1} and b ${b}.`, {
        hint: 'k1 is 0 or larger, b is from 0 to 1.',
      });
    }
    return new Bm25Searcher(index, await EnglishAnalyzer.open(index.facts.analyzer), options);
  }

  /** Whether the postings lie in memory. */
  get resident(): boolean {
    return this.index.postings.resident;
  }

  /** The terms that a query is searched by. */
  terms(query: string): string[] {
    return this.#analyzer.terms(query);
  }

  /**
   * The passages that score best, for each query those that hold one of its terms: lists may be shorter than `depth`.
   * Scores are rounded to float32, equal ones in the order of the collection.
   */
  async search(queries: readonly string[], depth: number): Promise<PassageHits> {
    return this.searchTerms(
      queries.map((query) => this.terms(query)),
      depth,
    );
  }

  async searchTerms(queries: readonly (readonly string[])[], depth: number): Promise<PassageHits> {
    const kept = Math.min(depth, this.index.facts.passages);
    const found = noHits(queries.length, kept);
    for (const [q, terms] of queries.entries()) {
      const lists = await this.#lists(terms);
      // Nothing is awaited from here to the end of the query: the scores are shared by all searches.
      const touched = this.#score(lists);
      const best = new BestPassages(kept);
      for (let i = 0; i < touched; i++) {
        const ordinal = this.#touched[i]!;
        best.offer(Math.fround(this.#scores[ordinal]!), ordinal);
        this.#scores[ordinal] = 0;
      }
      found.counts[q] = best.take(found.ordinals, found.scores, q * kept);
    }
    return found;
  }

  /** The postings of the query's terms, each with its weight. */
  async #lists(terms: readonly string[]): Promise<WeighedPostings[]> {
    const { facts, postings } = this.index;
    const weights = new Map<string, number>();
    for (const term of terms) weights.set(term, (weights.get(term) ?? 0) + 1);
    const lists: WeighedPostings[] = [];
    for (const [term, repeated] of weights) {
      const found = this.index.terms.find(term);
      if (found === undefined) continue;
      const { documentFrequency: n, from, to } = found;
      const idf = Math.log(1 + (facts.passagesWithTerms - n + 0.5) / (n + 0.5));
      lists.push({ bytes: await postings.read(from, to), weight: repeated * idf });
    }
    return lists;
  }

  /** Adds up the scores; returns how many passages have one. */
  #score(lists: readonly WeighedPostings[]): number {
    const { facts } = this.index;
    const { k1, b } = this.options;
    const base = k1 * (1 - b);
    const perTerm = (k1 * b * facts.passagesWithTerms) / facts.totalLength;
    let touched = 0;
    for (const { bytes, weight } of lists) {
      touched = this.#add(bytes, weight, base, perTerm, touched);
    }
    return touched;
  }

  #add(bytes: Uint8Array, weight: number, base: number, perTerm: number, already: number): number {
    const scores = this.#scores;
    const lengths = this.#lengths;
    const passages = scores.length;
    let touched = already;
    let ordinal = -1;
    for (let at = 0; at < bytes.length; ) {
      let byte = bytes[at++]!;
      let value = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!;
        value |= (byte & 127) << shift;
      }
      let occurrences = 1;
      if ((value & 1) === 0) {
        byte = bytes[at++]!;
        occurrences = byte & 127;
        for (let shift = 7; byte > 127; shift += 7) {
          byte = bytes[at++]!;
          occurrences |= (byte & 127) << shift;
        }
      }
      ordinal += value >>> 1;
      if (ordinal >= passages)
        throw damaged(this.index.folder, 'has a posting of a passage that it does not have');
      if (scores[ordinal] === 0) this.#touched[touched++] = ordinal;
      scores[ordinal]! += (weight * occurrences) / (occurrences + base + perTerm * lengths[ordinal]!);
    }
    return touched;
  }
}

/** What a length becomes in Lucene's norm of one byte and back (SmallFloat.intToByte4 and byte4ToInt). */
export function luceneLength(length: number): number {
  const exactBelow = 24;
  if (length < exactBelow) return length;
  const rest = length - exactBelow;
  const bits = 32 - Math.clz32(rest);
  if (bits < 4) return length;
  const shift = bits - 4;
  return exactBelow + (rest >>> shift) * 2 ** shift;
}

/** An open index and what searches it. Close the index. */
export async function openSparse(folder: string, { k1, b, lengths }: Bm25Options, memoryMiB: number) {
  const started = performance.now();
  const index = await openBm25Index(folder, memoryMiB * 2 ** 20);
  const searcher = await Bm25Searcher.open(index, { k1, b, lengths });
  return { index, searcher, buildSeconds: (performance.now() - started) / 1000 };
}
