/** Hits of some queries as numbers: passages by their ordinals. */

/**
 * The best passages of some queries. The list of query q begins at q * depth and is counts[q] long: all arrays but
 * `counts` are [Q, depth], and what lies beyond a list's end means nothing.
 */
export interface PassageHits {
  depth: number;
  /** Places in the collection, from 0. Ordered by score, the larger first, then by ordinal, the smaller first. */
  ordinals: Int32Array;
  scores: Float32Array;
  /** Which vector of the passage scored best, from 0; the first one among equals. */
  winners: Int32Array;
  /** Hits of each query: fewer than were asked for only where the index has, or an approximate search finds, fewer. */
  counts: Int32Array;
}

/** Of queries that have found nothing yet. @param depth most per query */
export const noHits = (queries: number, depth: number): PassageHits => ({
  depth,
  ordinals: new Int32Array(queries * depth),
  scores: new Float32Array(queries * depth),
  winners: new Int32Array(queries * depth),
  counts: new Int32Array(queries),
});
