/** Searching an index of terms. */
import type { SparseScoring, Split } from '../contracts.js';
import { HitParts } from '../pipeline/hit-files.js';
import { openSparse } from '../pipeline/open-sparse.js';
import { searchedDepth, withoutOwnPassages } from '../pipeline/own-passages.js';
import { inParts, partQueriesOf } from '../pipeline/query-search.js';
import { conditionsHere } from '../pipeline/whole-index.js';
import type { PassageHits } from '../search/search.js';
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
      try {
        const identifiers = identicalIds === 'dropped' ? await opened.index.identifiers() : undefined;
        const conditions = await conditionsHere(1);
        // It reads the lists of its own terms alone, so a part is as small as where the index lies in memory.
        const partQueries = partQueriesOf(true, batchSize);
        const parts = await HitParts.open(folder, { key, batchSize, partQueries, conditions }, progress.note);
        const stage = progress.stage('search', queries.length, 'queries');
        await inParts(queries, parts, async (part, before) => {
          const hits: PassageHits[] = [];
          let seconds = 0;
          for (let first = 0; first < part.length; first += batchSize) {
            progress.checkInterrupted();
            const batch = part.slice(first, first + batchSize);
            const started = performance.now();
            const texts = batch.map(({ text }) => text);
            const found = await searcher.search(texts, searchedDepth(depth, identicalIds));
            seconds += (performance.now() - started) / 1000;
            hits.push(identifiers ? withoutOwnPassages(found, batch, identifiers, depth) : found);
            stage.update(before + first + batch.length);
          }
          return { hits, seconds };
        });
        stage.end();
        await parts.join();
        const execution = { buildSeconds, searchSeconds: parts.seconds, conditions };
        return { queries: queries.length, depth: parts.depth, searcher: 'bm25', execution };
      } finally {
        await opened.index.close();
      }
    },
  };
}
