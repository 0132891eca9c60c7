/** Searching, as a stage, and what stays open while it is done. */
import type { Dataset, Split } from '../contracts.js';
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import type { Code } from '../program/code.js';
import type { Progress } from '../progress.js';
import type { Searcher } from '../search/search.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import { type BuiltIndex, builtSearch } from './built-index.js';
import type { Checkpoint } from './checkpoint.js';
import { flatSearcher } from './choose-searcher.js';
import { HitParts, removeParts } from './hit-files.js';
import { engineIdentity } from './identity.js';
import { openSearcher } from './open-searcher.js';
import type { Prepared } from './prepare.js';
import { type Asked, partQueriesOf, searchQueries } from './query-search.js';
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

/** Of encoding the queries too. */
function searchCode({ checkpoint, engine, searcher }: Searching, dataset: Pick<Dataset, 'name'>): Code {
  const { architecture } = checkpoint.retriever;
  return stageCode('search', { dataset, architecture, engine, searcher: searcher.name });
}

/** Searches all queries of a split. @param key of the shards @param asked `identicalIds` is `kept` where absent */
export async function searchStage(
  { config, store, dataset }: Prepared,
  searching: Searching,
  key: string,
  { split, depth, identicalIds = 'kept' }: { split: Split } & Omit<Asked, 'batchSize'>,
  progress: Progress,
): Promise<Artifact<RunFacts>> {
  const { engine, searcher, buildSeconds, built } = searching;
  const inputs = {
    made: 'run 2',
    shards: key,
    code: searchCode(searching, dataset),
    split,
    depth,
    searcher: { name: searcher.name, versions: searcher.versions },
    engine: engineIdentity(engine),
    ...(identicalIds === 'dropped' && { identicalIds }),
    ...(built && { index: built.artifact.key, parameter: builtSearch(built).parameter ?? null }),
  };
  const run = await store.artifact(
    'runs',
    inputs,
    async (folder, runKey) => {
      const queries = await dataset.queries(split);
      const { batchSize } = config.search;
      const conditions = await conditionsHere(engine.threads);
      const partQueries = partQueriesOf(searcher.resident, batchSize);
      const parts = await HitParts.open(folder, { key: runKey, batchSize, partQueries, conditions });
      await searchQueries(searching, queries, { batchSize, depth, identicalIds }, parts, progress);
      await parts.join();
      const execution = { buildSeconds, searchSeconds: parts.seconds, conditions };
      return { queries: queries.length, depth: parts.depth, searcher: searcher.name, execution };
    },
    { dataset: dataset.name, system: searching.checkpoint.retriever.architecture.name },
  );
  // Only now, when nothing can be lost any more; and each time, for a process that did not come this far.
  await removeParts(run.folder);
  return run;
}

/** Everything that stays open while queries are searched and timed. */
export interface Searching {
  engine: Engine;
  checkpoint: Checkpoint;
  index: VectorIndex;
  searcher: Searcher;
  queryEncoder: VectorEncoder;
  /** What is searched instead of the shards; absent where the index is Flat. */
  built?: BuiltIndex;
  /** What opening the index took. */
  buildSeconds: number;
}

/** @param folder of the shards @param built from them, to be searched instead */
export async function openSearching(
  { config }: Prepared,
  checkpoint: Checkpoint,
  engine: Engine,
  folder: string,
  built?: BuiltIndex,
): Promise<Searching> {
  const started = performance.now();
  const index = await openIndex(folder);
  const memoryBytes = config.search.memoryMiB * 2 ** 20;
  const name = built === undefined ? await flatSearcher(config) : config.searcher;
  const searcher = await openSearcher(name, index, {
    engine,
    memoryBytes,
    ...(built && { built: builtSearch(built) }),
  });
  const buildSeconds = (performance.now() - started) / 1000;
  const { retriever, weights, facts } = checkpoint;
  const maxTokens = facts.text.maxQueryTokens;
  const { batchTokens } = config.encode;
  const queryEncoder = new VectorEncoder({
    engine,
    retriever,
    weights,
    side: 'query',
    maxTokens,
    batchTokens,
  });
  return { engine, checkpoint, index, searcher, queryEncoder, buildSeconds, ...(built && { built }) };
}

export async function closeSearching({ index, searcher, queryEncoder }: Searching): Promise<void> {
  await searcher.dispose();
  await queryEncoder.dispose();
  await index.close();
}

/** That `auto` did not take the first of its choice. */
export function searcherRemarks({ searcher: { name, fallback } }: Searching): string[] {
  return fallback === undefined ? [] : [`searched with ${name}: ${fallback}`];
}
