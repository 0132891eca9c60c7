/** From rows to passages: a passage scores as its best vector does, sim(q, d) = max over E(d) of h_q . h (equation 2). */
import type { VectorIndex } from '../index/vector-index.js';
import { TopRows } from './merge.js';
import { noHits, type PassageHits } from './passage-hits.js';
import type { RowHits, RowSearcher } from './searcher.js';

/** The hits of some of the queries. @param first place of the first of them */
export function hitsOfRange(
  { depth, ordinals, scores, winners, counts }: PassageHits,
  first: number,
  count: number,
): PassageHits {
  const [from, end] = [first * depth, (first + count) * depth];
  return {
    depth,
    ordinals: ordinals.subarray(from, end),
    scores: scores.subarray(from, end),
    winners: winners.subarray(from, end),
    counts: counts.subarray(first, first + count),
  };
}

/** Hits in a part of a collection. */
export interface PartHits {
  /** Ordinals count from the first passage of the part. */
  hits: PassageHits;
  /** Place of that passage in the collection. */
  firstPassage: number;
}

/** More vectors than a passage has: an ordinal and a winner are one whole number that float64 holds exactly. */
const mostVectors = 2 ** 21;

/**
 * The best passages of parts that share none, as one search of all of them gives where its scores are theirs.
 * @param parts hits of the same queries, each as many as are wanted or all there are
 * @param depth of the layout: passages kept per query
 */
export function mergePassages(parts: readonly PartHits[], depth: number): PassageHits {
  const queries = parts[0]?.hits.counts.length ?? 0;
  const top = new TopRows(queries, depth);
  for (const { hits, firstPassage } of parts) {
    // One number for passage and vector, so that both find their place by what orders rows.
    const places = Float64Array.from(hits.ordinals, (ordinal, i) => {
      const winner = hits.winners[i]!;
      if (winner >= mostVectors) throw new RangeError(`vector ${winner} of a passage`);
      return (firstPassage + ordinal) * mostVectors + winner;
    });
    for (let q = 0; q < queries; q++) top.offer(q, hits.scores, places, q * hits.depth, hits.counts[q]!, 0);
  }
  return {
    depth,
    ordinals: Int32Array.from(top.rows, (place) => Math.floor(place / mostVectors)),
    scores: top.scores,
    winners: Int32Array.from(top.rows, (place) => place % mostVectors),
    counts: top.counts,
  };
}

/** Bytes a row takes among a searcher's hits. */
const hitBytes = 12;

/**
 * Searches for rows, and for twice as many wherever these belong to fewer passages than wanted. Rows come in score order, so
 * the first row of a passage is its best and no passage further down can be better: the result is as exact as the rows are.
 * @param queries [count, D]
 * @param depth passages wanted per query
 * @param onRows as RowSearcher's; begins again where some queries are searched again
 * @param resultBytes what rows may take at once; with more queries than that allows, groups of them are searched one after another
 */
export async function searchPassages(
  searcher: RowSearcher,
  index: VectorIndex,
  queries: Float32Array,
  count: number,
  depth: number,
  resultBytes: number,
  onRows?: (rows: number) => void,
): Promise<PassageHits> {
  const kept = Math.min(depth, index.passages);
  const found = noHits(count, kept);
  let lacking = Array.from({ length: count }, (_, query) => query);
  let rowDepth = firstDepth(kept, index);
  while (lacking.length > 0 && kept > 0) {
    const stillLacking: number[] = [];
    const group = Math.max(1, Math.floor(resultBytes / (hitBytes * rowDepth)));
    for (let from = 0; from < lacking.length; from += group) {
      const asked = lacking.slice(from, from + group);
      const vectors = gather(queries, asked, index.dimensions);
      const rows = await searcher.search(vectors, asked.length, rowDepth, onRows);
      for (const [i, query] of asked.entries()) {
        takePassages(rows, i, index, found, query);
        // A list that was not filled holds all the searcher finds, and one of every row all there is.
        const more = rows.counts[i] === rows.depth && rowDepth < index.vectors;
        if (found.counts[query]! < kept && more) stillLacking.push(query);
      }
    }
    lacking = stillLacking;
    rowDepth = Math.min(rowDepth * 2, index.vectors);
  }
  return found;
}

/**
 * Rows to ask for first. depth * M always suffice; four times the depth mostly do, and where they do not only the queries
 * that lack passages are searched again.
 */
function firstDepth(depth: number, { vectorsPerPassage, vectors }: VectorIndex): number {
  const rowsPerPassage = vectorsPerPassage === 'varies' ? 4 : Math.min(4, vectorsPerPassage);
  return depth === 1 ? 1 : Math.min(vectors, depth * rowsPerPassage);
}

function gather(queries: Float32Array, chosen: readonly number[], dimensions: number): Float32Array {
  if (chosen.length * dimensions === queries.length) return queries;
  const gathered = new Float32Array(chosen.length * dimensions);
  for (const [i, query] of chosen.entries()) {
    gathered.set(queries.subarray(query * dimensions, (query + 1) * dimensions), i * dimensions);
  }
  return gathered;
}

/** Fills in a query's passages from its rows, from the beginning. */
function takePassages(
  rows: RowHits,
  list: number,
  index: VectorIndex,
  found: PassageHits,
  query: number,
): void {
  const seen = new Set<number>();
  const start = list * rows.depth;
  for (let i = start; i < start + rows.counts[list]! && seen.size < found.depth; i++) {
    const row = rows.rows[i]!;
    const passage = index.passageOf(row);
    if (seen.has(passage)) continue;
    const at = query * found.depth + seen.size;
    seen.add(passage);
    found.ordinals[at] = passage;
    found.scores[at] = rows.scores[i]!;
    found.winners[at] = row - index.firstRowOf(passage);
  }
  found.counts[query] = seen.size;
}
