/** Searching an index of terms, as a stage. */
import type { SparseScoring, Split } from '../contracts.js';
import type { Progress } from '../progress.js';
import type { PassageHits } from '../search/search.js';
import type { Artifact } from '../store/store.js';
import { HitParts } from './hit-files.js';
import type { openSparse } from './open-sparse.js';
import { searchedDepth, withoutOwnPassages } from './own-passages.js';
import type { Prepared } from './prepare.js';
import { inParts, partQueriesOf } from './query-search.js';
import type { RunFacts } from './search-stage.js';
import { stageCode } from './stage-code.js';
import { conditionsHere } from './whole-index.js';

/** An index that is open. */
interface Opened extends Pick<Awaited<ReturnType<typeof openSparse>>, 'index' | 'searcher' | 'buildSeconds'> {
  /** Of the index. */
  key: string;
}

interface SparseAsked {
  scoring: SparseScoring;
  split: Split;
  identicalIds: 'dropped' | 'kept';
}

export async function sparseSearchStage(
  { config, store, dataset }: Prepared,
  { key, index, searcher, buildSeconds }: Opened,
  { scoring, split, identicalIds }: SparseAsked,
  progress: Progress,
): Promise<Artifact<RunFacts>> {
  const queries = await dataset.queries(split);
  const { depth, batchSize } = config.search;
  const code = stageCode('bm25 search', { dataset });
  const identifiers = identicalIds === 'dropped' ? await index.identifiers() : undefined;
  const inputs = {
    made: 'bm25 run 1',
    index: key,
    code,
    scoring,
    split,
    depth,
    ...(identicalIds === 'dropped' && { identicalIds }),
  };
  return store.artifact<RunFacts>(
    'runs',
    inputs,
    async (folder, runKey) => {
      const conditions = await conditionsHere(1);
      // It reads the lists of its own terms alone, so a part is as small as where the index lies in memory.
      const partQueries = partQueriesOf(true, batchSize);
      const parts = await HitParts.open(
        folder,
        { key: runKey, batchSize, partQueries, conditions },
        progress.note,
      );
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
    },
    { dataset: dataset.name, system: 'bm25' },
  );
}
