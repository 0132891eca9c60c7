/** From the hits of a search, which are ordinals, to a run, which names passages. */
import type { Query, Run } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { PassageHits } from '../search/search.js';

/** Gives the passage ids of an index by ordinal. */
export interface NamedPassages {
  identifiers(): Promise<{ at(ordinal: number): string }>;
  /** N: ordinals from there on are of no passage of the collection. Absent where there are none. */
  readonly passages?: number;
}

/**
 * @param queries in the order of the hits @returns every query's ranking, of those without hits too
 * @throws BenchError PLUGIN_FAILED for a hit that is no passage of the index
 */
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
      const passageIds = Array.from(own, (ordinal) => {
        // A plug-in's own list of ids may end before a place that it gave.
        const id: string | undefined = identifiers.at(ordinal);
        return id ?? nowhere(ordinal, q);
      });
      const isPlaced = own.every((ordinal) => ordinal < passages);
      return [queryId, { passageIds, scores: scores.slice(from, end), ...(isPlaced && { ordinals: own }) }];
    }),
  );
}

function nowhere(ordinal: number, query: number): never {
  throw new BenchError(
    'PLUGIN_FAILED',
    `The hits of query ${query + 1} hold passage ${ordinal}, which the index does not have.`,
    {
      hint: 'Hits are passages by their places in the collection, from 0: PassageHits in harness/search/passage-hits.ts.',
    },
  );
}
