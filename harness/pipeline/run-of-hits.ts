/** From the hits of a search, which are ordinals, to a run, which names passages. */
import type { Query, Run } from '../contracts.js';
import type { PassageHits } from '../search/search.js';

/** Gives the passage ids of an index by ordinal. */
export interface NamedPassages {
  identifiers(): Promise<{ at(ordinal: number): string }>;
  /** N: ordinals from there on are of no passage of the collection. Absent where there are none. */
  readonly passages?: number;
}

/** @param queries in the order of the hits @returns every query's ranking, of those without hits too */
export async function runOf(
  queries: readonly Query[],
  index: NamedPassages,
  { depth, ordinals, scores, counts }: PassageHits,
): Promise<Run> {
  const identifiers = await index.identifiers();
  const { passages = Infinity } = index;
  return new Map(
    queries.map(({ queryId }, q) => {
      const [from, end] = [q * depth, q * depth + counts[q]!];
      const own = ordinals.slice(from, end);
      const passageIds = Array.from(own, (ordinal) => identifiers.at(ordinal));
      const isPlaced = own.every((ordinal) => ordinal < passages);
      return [queryId, { passageIds, scores: scores.slice(from, end), ...(isPlaced && { ordinals: own }) }];
    }),
  );
}
