/** Hits of some queries as numbers: passages by their ordinals. */
import { BenchError } from '../errors.js';

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

/**
 * Holds hits to what `PassageHits` says of them, before they are kept: files of runs and measures rest on it.
 * @param first place of the first of the queries, for the error
 * @throws BenchError PLUGIN_FAILED that names the query and what is wrong with its list
 */
export function assertHits({ depth, ordinals, scores, counts }: PassageHits, first = 0): void {
  for (const [q, count] of counts.entries()) {
    const [from, end] = [q * depth, q * depth + count];
    const fault =
      count < 0 || count > depth
        ? `${count} hits in a list of ${depth}`
        : (faultOfScores(scores.subarray(from, end)) ?? faultOfPlaces(ordinals.slice(from, end).sort()));
    if (fault === undefined) continue;
    throw new BenchError(
      'PLUGIN_FAILED',
      `The hits of query ${first + q + 1} are no list of hits: ${fault}.`,
      {
        hint: 'Hits are passages by their places in the collection, each once, the largest score first: PassageHits in harness/search/passage-hits.ts.',
      },
    );
  }
}

function faultOfScores(scores: Float32Array): string | undefined {
  for (const [i, score] of scores.entries()) {
    if (Number.isNaN(score)) return `the score of hit ${i + 1} is no number`;
    if (i > 0 && score > scores[i - 1]!)
      return `hit ${i + 1} scores ${score}, more than hit ${i} with ${scores[i - 1]}`;
  }
  return undefined;
}

/** @param sorted places of the hits */
function faultOfPlaces(sorted: Int32Array): string | undefined {
  if (sorted[0]! < 0) return `a passage has the place ${sorted[0]}`;
  const twice = sorted.find((place, i) => i > 0 && place === sorted[i - 1]);
  return twice === undefined ? undefined : `passage ${twice} is in it twice`;
}
