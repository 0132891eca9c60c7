/** Searching the vectors of queries, as a stage. */
import type { Split } from '../contracts.js';
import { QueryVectors } from '../index/query-vectors.js';
import type { Progress } from '../progress.js';
import type { Artifact } from '../store/store.js';
import { builtSearch } from './built-index.js';
import { HitParts } from './hit-files.js';
import { engineIdentity } from './identity.js';
import type { Prepared } from './prepare.js';
import { partQueriesOf, type SearchOptions, searchQueries } from './query-search.js';
import type { EncodedQueries } from './query-stage.js';
import type { OpenSearch } from './searching.js';
import { stageCode } from './stage-code.js';
import { type Conditions, conditionsHere, type Timed } from './whole-index.js';

export interface RunFacts {
  queries: number;
  depth: number;
  searcher: string;
  /** Opening the index and searching all queries. */
  execution: { buildSeconds: number; searchSeconds: number; conditions?: Conditions };
}

/** What opening the index and searching it took. */
export const timeOf = ({ execution }: RunFacts): Timed => ({
  seconds: execution.buildSeconds + execution.searchSeconds,
  conditions: execution.conditions,
});

/**
 * Searches all queries of a split.
 * @param key of the shards
 * @param asked `encoded` are the queries of the split; `identicalIds` is `kept` where absent
 */
export async function searchStage(
  { config, store, dataset }: Prepared,
  searching: OpenSearch,
  key: string,
  {
    split,
    encoded,
    depth,
    identicalIds = 'kept',
  }: { split: Split; encoded: EncodedQueries } & Omit<SearchOptions, 'batchSize'>,
  progress: Progress,
): Promise<Artifact<RunFacts>> {
  const { engine, searcher, buildSeconds, built } = searching;
  const inputs = {
    made: 'run 3',
    shards: key,
    queries: encoded.key,
    code: stageCode('search', { dataset, engine, searcher: searcher.name }),
    split,
    depth,
    searcher: { name: searcher.name, versions: searcher.versions },
    engine: engineIdentity(engine),
    ...(identicalIds === 'dropped' && { identicalIds }),
    ...(built && { index: built.artifact.key, parameter: builtSearch(built).parameter ?? null }),
  };
  return store.artifact(
    'runs',
    inputs,
    async (folder, runKey) => {
      const queries = await dataset.queries(split);
      const { batchSize } = config.search;
      const conditions = await conditionsHere(engine.threads);
      const partQueries = partQueriesOf(searcher.resident, batchSize);
      const parts = await HitParts.open(
        folder,
        { key: runKey, batchSize, partQueries, conditions },
        progress.note,
      );
      const asked = { batchSize, depth, identicalIds };
      await searchQueries(searching, queries, new QueryVectors(encoded), asked, parts, progress);
      await parts.join();
      const execution = { buildSeconds, searchSeconds: parts.seconds, conditions };
      return { queries: queries.length, depth: parts.depth, searcher: searcher.name, execution };
    },
    { dataset: dataset.name, system: searching.model.name },
  );
}
