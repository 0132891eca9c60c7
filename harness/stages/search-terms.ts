/** Searching an index of terms. */

import { closing } from '../closing.js';
import type { SparseScoring, Split } from '../contracts.js';
import { HitParts } from '../pipeline/hit-files.js';
import { searchedDepth, withoutOwnPassages } from '../pipeline/own-passages.js';
import { inBatches, partQueriesOf } from '../pipeline/query-search.js';
import { conditionsHere } from '../pipeline/whole-index.js';
import { openSparse } from '../search/bm25.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';
import type { RunFacts } from './search.js';

interface TermsAsked {
  scoring: SparseScoring;
  split: Split;
  /** Hits per query. */
  depth: number;
  identicalIds: 'dropped' | 'kept';
}

/** @param index of terms */
export function searchTerms(
  index: Stage,
  { scoring, split, depth, identicalIds }: TermsAsked,
  { dataset, code }: Known,
): Stage<RunFacts> {
  return {
    name: 'search',
    kind: 'runs',
    version: 'bm25 run 1',
    needs: { index },
    inputs: () => ({
      ...code('bm25 search', { dataset }),
      ...{ scoring, split, depth },
      ...(identicalIds === 'dropped' && { identicalIds }),
    }),
    about: { dataset: dataset.name, system: 'bm25' },
    async make(folder, at, key) {
      const { dataset, progress, config } = at;
      const { batchSize, memoryMiB } = config.search;
      const queries = await dataset.queries(split);
      const opened = await openSparse(await at.folderOf(index), scoring, memoryMiB);
      const { searcher, buildSeconds } = opened;
      return closing(opened.index, async () => {
        const identifiers = identicalIds === 'dropped' ? await opened.index.identifiers() : undefined;
        const conditions = await conditionsHere(1);
        // It reads the lists of its own terms alone, so a part is as small as where the index lies in memory.
        const partQueries = partQueriesOf(true, batchSize);
        const parts = await HitParts.open(folder, { key, batchSize, partQueries, conditions }, progress.note);
        await inBatches('search', queries, parts, batchSize, progress, async (batch) => {
          const started = performance.now();
          const texts = batch.map(({ text }) => text);
          const found = await searcher.search(texts, searchedDepth(depth, identicalIds));
          const seconds = (performance.now() - started) / 1000;
          return {
            hits: identifiers ? withoutOwnPassages(found, batch, identifiers, depth) : found,
            seconds,
          };
        });
        await parts.join();
        const execution = { buildSeconds, searchSeconds: parts.seconds, conditions };
        return { queries: queries.length, depth: parts.depth, searcher: 'bm25', execution };
      });
    },
  };
}
