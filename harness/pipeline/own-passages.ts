/**
 * Hits without the passage that is the query itself. It is dropped before the list is cut, so that a query whose passage is in
 * the collection gets as many other hits as any: BEIR's code searches top_k + 1 for that.
 */
import type { BenchConfig } from '../config/config.js';
import type { Dataset } from '../contracts.js';
import type { PassageHits } from '../search/search.js';

/** What the configuration asks for, where the dataset has something to drop. */
export function identicalIdsOf(
  { measure: { identicalIds } }: Pick<BenchConfig, 'measure'>,
  { dropsIdenticalIds }: Pick<Dataset, 'dropsIdenticalIds'>,
): 'dropped' | 'kept' {
  return dropsIdenticalIds ? identicalIds : 'kept';
}

/** Hits to search for, so that as many as were asked for are left. */
export function searchedDepth(depth: number, identicalIds: 'dropped' | 'kept'): number {
  return identicalIds === 'dropped' ? depth + 1 : depth;
}

/**
 * @param found hits of these queries, searched to `searchedDepth`
 * @param queries in the order of the hits
 * @param identifiers gives the passage ids by ordinal
 * @param depth hits per query that are kept
 */
export function withoutOwnPassages(
  found: PassageHits,
  queries: readonly { queryId: string }[],
  identifiers: { at(ordinal: number): string },
  depth: number,
): PassageHits {
  const kept = Math.min(depth, found.depth);
  const size = queries.length * kept;
  const hits: PassageHits = {
    depth: kept,
    ordinals: new Int32Array(size).fill(-1),
    scores: new Float32Array(size),
    winners: new Int32Array(size),
    counts: new Int32Array(queries.length),
  };
  for (const [q, { queryId }] of queries.entries()) {
    let count = 0;
    for (let i = 0; i < found.counts[q]! && count < kept; i++) {
      const from = q * found.depth + i;
      if (identifiers.at(found.ordinals[from]!) === queryId) continue;
      const to = q * kept + count++;
      hits.ordinals[to] = found.ordinals[from]!;
      hits.scores[to] = found.scores[from]!;
      hits.winners[to] = found.winners[from]!;
    }
    hits.counts[q] = count;
  }
  return hits;
}
