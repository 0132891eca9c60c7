/**
 * Search in an index of impacts: the exact products of the weights of a query and of each passage that shares a token with it.
 * Each is summed in float64 in the order of the tokens' ids, and rounded to float32 once.
 */
import { type ImpactIndex, openImpactIndex } from '../index/impact-index.js';
import { damaged } from '../index/reading.js';
import { type TokenWeights, weightColumns } from '../index/token-weights.js';
import { BestPassages } from './best-passages.js';
import { noHits, type PassageHits } from './passage-hits.js';

export class ImpactSearcher {
  /** [N], all 0 between two queries. */
  readonly #scores: Float64Array;
  /** Passages that have a score, in the order they were met. */
  readonly #touched: Uint32Array;

  /** Takes 12 bytes per passage beside the index. */
  constructor(readonly index: ImpactIndex) {
    this.#scores = new Float64Array(index.passages);
    this.#touched = new Uint32Array(index.passages);
  }

  /** Whether the postings lie in memory. */
  get resident(): boolean {
    return this.index.resident;
  }

  /** The search that is under way: one waits for the other, since the scores are shared. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * The passages that score best, for each query those that share a token with it: lists may be shorter than `depth`. Equal
   * scores are in the order of the collection.
   */
  search(queries: TokenWeights, depth: number): Promise<PassageHits> {
    const found = this.#last.then(() => this.#search(queries, depth));
    this.#last = found.catch(() => undefined);
    return found;
  }

  async #search({ pairs, counts }: TokenWeights, depth: number): Promise<PassageHits> {
    const kept = Math.min(depth, this.index.passages);
    const found = noHits(counts.length, kept);
    let at = 0;
    for (const [q, count] of counts.entries()) {
      const own = pairs.subarray(at, at + weightColumns * count);
      at += own.length;
      const touched = await this.#addAll(own);
      const best = new BestPassages(kept);
      for (let i = 0; i < touched; i++) {
        const ordinal = this.#touched[i]!;
        const score = Math.fround(this.#scores[ordinal]!);
        this.#scores[ordinal] = 0;
        if (!best.isFull || score >= best.leastScore) best.offer(score, ordinal);
      }
      found.counts[q] = best.take(found.ordinals, found.scores, q * kept);
    }
    return found;
  }

  /** Adds the products of a query's tokens, one list in memory at a time; returns how many passages have a score. */
  async #addAll(query: Float32Array): Promise<number> {
    let touched = 0;
    try {
      for (let i = 0; i < query.length; i += weightColumns) {
        const { gaps, weights } = await this.index.list(query[i]!);
        touched = this.#add(gaps, weights, query[i + 1]!, touched);
      }
    } catch (error) {
      this.#scores.fill(0);
      throw error;
    }
    return touched;
  }

  /** Adds one token's products; returns how many passages have a score. */
  #add(gaps: Uint8Array, weights: Float32Array, weight: number, already: number): number {
    const [scores, touchedPassages] = [this.#scores, this.#touched];
    const passages = scores.length;
    let touched = already;
    let ordinal = -1;
    let at = 0;
    for (let i = 0; i < weights.length; i++) {
      let byte = gaps[at++]!;
      let gap = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = gaps[at++]!;
        gap |= (byte & 127) << shift;
      }
      ordinal += gap;
      const impact = weights[i]!;
      if (!(gap > 0 && ordinal < passages && impact > 0)) throw this.#damaged();
      if (scores[ordinal] === 0) touchedPassages[touched++] = ordinal;
      scores[ordinal]! += weight * impact;
    }
    if (at !== gaps.length) throw this.#damaged();
    return touched;
  }

  #damaged() {
    return damaged(this.index.folder, 'has a list of a token that does not hold what its table says');
  }
}

/** An open index and what searches it. Close the index. */
export async function openImpacts(folder: string, memoryMiB: number) {
  const started = performance.now();
  const index = await openImpactIndex(folder, memoryMiB * 2 ** 20);
  const searcher = new ImpactSearcher(index);
  return { index, searcher, buildSeconds: (performance.now() - started) / 1000 };
}
