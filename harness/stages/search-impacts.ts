/** Searching an index of impacts with the weights of queries. */
import { closing } from '../closing.js';
import type { Split } from '../contracts.js';
import type { ImpactFacts } from '../index/impact-index.js';
import { largestWeights, readTokenWeights } from '../index/token-weights.js';
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import { HitParts } from '../pipeline/hit-files.js';
import { searchedDepth, withoutOwnPassages } from '../pipeline/own-passages.js';
import { inBatches, partQueriesOf } from '../pipeline/query-search.js';
import { conditionsHere } from '../pipeline/whole-index.js';
import { openImpacts } from '../search/impacts.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';
import type { QueryWeightFacts } from './query-weights.js';
import type { RunFacts } from './search.js';

export interface ImpactsAsked {
  system: string;
  split: Split;
  /** Hits per query. */
  depth: number;
  identicalIds: 'dropped' | 'kept';
  /** Weights of a query, the largest; all where undefined. */
  most: number | undefined;
}

export function searchImpacts(
  { index, queries }: { index: Stage<ImpactFacts>; queries: Stage<QueryWeightFacts> },
  { system, split, depth, identicalIds, most }: ImpactsAsked,
  { dataset, code }: Known,
): Stage<RunFacts> {
  return {
    name: 'search',
    kind: 'runs',
    version: 'impact run 1',
    needs: { index, queries },
    inputs: () => ({
      ...code('sparse search', { dataset }),
      ...{ split, depth, most: most ?? null },
      ...(identicalIds === 'dropped' && { identicalIds }),
    }),
    about: { dataset: dataset.name, system },
    async make(folder, at, key) {
      const { dataset, progress, config } = at;
      const { batchSize, memoryMiB } = config.search;
      const asked = await dataset.queries(split);
      const conditions = await conditionsHere(1);
      const opened = await openImpacts(await at.folderOf(index), memoryMiB);
      const { searcher, buildSeconds } = opened;
      return closing(opened.index, async () => {
        const identifiers = identicalIds === 'dropped' ? await opened.index.identifiers() : undefined;
        // It reads the lists of its own tokens alone, so a part is as small as where the index lies in memory.
        const partQueries = partQueriesOf(true, batchSize);
        const parts = await HitParts.open(folder, { key, batchSize, partQueries, conditions }, progress.note);
        const search = (weights: VectorIndex) =>
          inBatches('search', asked, parts, batchSize, progress, async (batch, first) => {
            const own = largestWeights(await readTokenWeights(weights, first, batch.length), most);
            const started = performance.now();
            const found = await searcher.search(own, searchedDepth(depth, identicalIds));
            const seconds = (performance.now() - started) / 1000;
            return {
              hits: identifiers ? withoutOwnPassages(found, batch, identifiers, depth) : found,
              seconds,
            };
          });
        if (asked.length > 0) await closing(await openIndex(await at.folderOf(queries)), search);
        await parts.join();
        const execution = { buildSeconds, searchSeconds: parts.seconds, conditions };
        return { queries: asked.length, depth: parts.depth, searcher: 'impacts', execution };
      });
    },
  };
}
