/** The first hits of a list in a new order, by vectors that are read for these passages alone. */
import { nextBelow } from '../float32.js';
import { longestArray } from '../index/reading.js';
import type { VectorIndex } from '../index/vector-index.js';
import { BestPassages } from './best-passages.js';
import { noHits, type PassageHits } from './passage-hits.js';

/** What the passages of a list score, and with which of their vectors. */
export interface PassageScores {
  scores: Float32Array;
  /** The vector that scored, from 0; the first among equals. */
  winners: Int32Array;
}

/** Scores passages that are named: sim(q, d) of equation (2), exactly, whatever else the index holds. */
export class PassageScorer {
  readonly #index: VectorIndex;
  /** Every row, where memory holds them. */
  readonly #rows: Float32Array | undefined;

  private constructor(index: VectorIndex, rows: Float32Array | undefined) {
    this.#index = index;
    this.#rows = rows;
  }

  /** @param memoryBytes what all vectors may take to be held; where they take more, each passage's are read when they are asked for */
  static async open(index: VectorIndex, memoryBytes: number): Promise<PassageScorer> {
    if (!PassageScorer.holds(index, memoryBytes)) return new PassageScorer(index, undefined);
    const rows = new Float32Array(index.vectors * index.dimensions);
    await index.readRows(0, index.vectors, rows);
    return new PassageScorer(index, rows);
  }

  /** Whether one that is opened so has every vector in memory. */
  static holds(
    { vectors, dimensions }: Pick<VectorIndex, 'vectors' | 'dimensions'>,
    memoryBytes: number,
  ): boolean {
    return 4 * vectors * dimensions <= memoryBytes && vectors * dimensions <= longestArray;
  }

  /** Whether the vectors lie in memory; else the disk's share is in a latency. */
  get resident(): boolean {
    return this.#rows !== undefined;
  }

  /**
   * A passage without vectors scores negative infinity.
   * @param query [D] @param ordinals places in the collection
   */
  async score(query: Float32Array, ordinals: Int32Array): Promise<PassageScores> {
    const found = {
      scores: new Float32Array(ordinals.length).fill(Number.NEGATIVE_INFINITY),
      winners: new Int32Array(ordinals.length),
    };
    await Promise.all(
      Array.from(ordinals, async (ordinal, i) => {
        const given = this.#rowsOf(ordinal);
        const rows = given instanceof Float32Array ? given : await given;
        scoreRows(query, rows, found, i);
      }),
    );
    return found;
  }

  #rowsOf(ordinal: number): Float32Array | Promise<Float32Array> {
    const { dimensions } = this.#index;
    const [first, end] = [this.#index.firstRowOf(ordinal), this.#index.firstRowOf(ordinal + 1)];
    if (this.#rows !== undefined) return this.#rows.subarray(first * dimensions, end * dimensions);
    const rows = new Float32Array((end - first) * dimensions);
    return this.#index.readRows(first, end - first, rows).then(() => rows);
  }
}

function scoreRows(query: Float32Array, rows: Float32Array, found: PassageScores, i: number): void {
  for (let from = 0, row = 0; from < rows.length; from += query.length, row++) {
    let sum = 0;
    for (let d = 0; d < query.length; d++) sum += query[d]! * rows[from + d]!;
    const score = Math.fround(sum);
    if (score <= found.scores[i]!) continue;
    found.scores[i] = score;
    found.winners[i] = row;
  }
}

/** How many hits get a new order, and how many are kept. */
export interface RerankCut {
  reranked: number;
  /** Hits per query. */
  depth: number;
}

/** What passages score for a query. @param place of the query among the lists @param ordinals of passages of its list */
export type ScoreGiven = (place: number, ordinals: Int32Array) => PassageScores | Promise<PassageScores>;

/**
 * The first `reranked` hits of each list ordered by their new scores, equal ones in the order of the collection. Behind them
 * stand the others, and before these what has no vectors, in the order in which they were found: each scores at least 1 less
 * than the hit before it, which says nothing but its place.
 * @param shown what is told of a new score, a function that never falls: see `shownInOrder`
 */
export async function inNewOrder(
  hits: PassageHits,
  scoreOf: ScoreGiven,
  { reranked, depth }: RerankCut,
  shown?: (score: number) => number,
): Promise<PassageHits> {
  const queries = hits.counts.length;
  const kept = Math.min(depth, hits.depth);
  const found = noHits(queries, kept);
  for (let q = 0; q < queries; q++) {
    const from = q * hits.depth;
    const candidates = hits.ordinals.subarray(from, from + Math.min(reranked, hits.counts[q]!));
    const { scores, winners } = await scoreOf(q, candidates);
    const best = new BestPassages(kept);
    const others: number[] = [];
    for (const [i, ordinal] of candidates.entries())
      if (scores[i]! > Number.NEGATIVE_INFINITY) best.offer(scores[i]!, ordinal);
      else others.push(ordinal);
    others.push(...hits.ordinals.subarray(from + candidates.length, from + hits.counts[q]!));
    const to = q * kept;
    let count = best.take(found.ordinals, found.scores, to);
    if (shown !== undefined) shownInOrder(found.scores.subarray(to, to + count), shown);
    const winnerOf = new Map(Array.from(candidates, (ordinal, i) => [ordinal, winners[i]!]));
    for (let i = 0; i < count; i++) found.winners[to + i] = winnerOf.get(found.ordinals[to + i]!)!;
    for (const ordinal of others.slice(0, kept - count)) {
      found.ordinals[to + count] = ordinal;
      found.scores[to + count] = below(count === 0 ? 0 : found.scores[to + count - 1]!);
      count++;
    }
    found.counts[q] = count;
  }
  return found;
}

/** The same by vectors. @param vectors of the queries, [Q, D] */
export async function rerankHits(
  hits: PassageHits,
  vectors: Float32Array,
  scorer: PassageScorer,
  reranked: number,
  depth: number,
): Promise<PassageHits> {
  const dimensions = vectors.length / Math.max(1, hits.counts.length);
  const vectorOf = (place: number) => vectors.subarray(place * dimensions, (place + 1) * dimensions);
  return inNewOrder(hits, (place, ordinals) => scorer.score(vectorOf(place), ordinals), { reranked, depth });
}

/**
 * Puts what is told of scores in their place. Where rounding makes different scores one (a sigmoid is 1 from 17 on), the lower gets the
 * next float32 below: whoever orders by what is told finds the same order.
 * @param scores none higher than the one before it
 */
function shownInOrder(scores: Float32Array, shown: (score: number) => number): void {
  let before = Number.POSITIVE_INFINITY;
  let told = Number.POSITIVE_INFINITY;
  for (const [i, score] of scores.entries()) {
    const own = Math.fround(shown(score));
    if (score < before) told = own < told ? own : nextBelow(told);
    before = score;
    scores[i] = told;
  }
}

/** A float32 that is at least 1 less. */
function below(score: number): number {
  for (let step = 1; ; step *= 2) {
    const lower = Math.fround(score - step);
    if (lower < score && lower <= score - 1) return lower;
  }
}
