/** Encoding the collection and searching it, as stages. */
import type { Split } from '../contracts.js';
import { encodeCollection } from '../encode/encode.js';
import { BenchError } from '../errors.js';
import { openIndex, readIndexFacts, type VectorIndex } from '../index/vector-index.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import type { Progress } from '../progress.js';
import { openSearcher, type Searcher } from '../search/search.js';
import { keyOf } from '../store/hash.js';
import { type Artifact, readManifest } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import type { Checkpoint } from './checkpoint.js';
import { HitParts, removeParts } from './hit-files.js';
import { type BuiltIndex, factoryIndex } from './index-stage.js';
import { datasetIdentity, engineIdentity, type Prepared } from './prepare.js';
import { type Asked, partQueriesOf, searchQueries } from './query-search.js';
import { type Conditions, conditionsHere, type Timed } from './whole-index.js';

export function encodeStage(
  { config: { encode }, store, dataset }: Prepared,
  { key, facts, retriever, weights, texts }: Checkpoint,
  engine: Engine,
  progress: Progress,
): Promise<Artifact<{ vectors: number }>> {
  const inputs: ShardInputs = {
    made: 'shards 3',
    checkpoint: key,
    dataset: datasetIdentity(dataset),
    shardPassages: encode.shardPassages,
    engine: engineIdentity(engine),
  };
  return store.artifact('shards', inputs, async (folder) => {
    const { batchTokens } = encode;
    const maxTokens = facts.text.maxPassageTokens;
    const encoder = new VectorEncoder({
      engine,
      retriever,
      weights,
      side: 'passage',
      maxTokens,
      batchTokens,
    });
    try {
      const { vectors } = await encodeCollection({
        passages: dataset.passages(),
        count: dataset.passageCount,
        tokenize: texts.passage,
        encoder,
        vectorsPerPassage: retriever.indexedVectors,
        folder,
        shardPassages: encode.shardPassages,
        memoryBytes: encode.memoryMiB * 2 ** 20,
        progress,
      });
      return { vectors };
    } finally {
      await encoder.dispose();
    }
  });
}

/** What an index was made from, as its manifest says. */
interface ShardInputs {
  made: 'shards 3';
  checkpoint: string;
  dataset: ReturnType<typeof datasetIdentity>;
  shardPassages: number;
  engine: ReturnType<typeof engineIdentity>;
}

/**
 * The key of an index that `encodeStage` made, wherever it lies now.
 * @throws BenchError PATH_INVALID where it is none; CONFIG_INVALID where it is of other weights or another dataset
 */
export async function indexKey(
  folder: string,
  { dataset }: Pick<Prepared, 'dataset'>,
  { key, folder: checkpoint }: Pick<Checkpoint, 'key' | 'folder'>,
): Promise<string> {
  await readIndexFacts(folder);
  const inputs = (await readManifest(folder))?.inputs as ShardInputs | undefined;
  const hint =
    'bench encode with this checkpoint and dataset prints the folder of the index that belongs to them.';
  if (inputs?.made !== 'shards 3') {
    throw new BenchError('PATH_INVALID', `${folder} does not say what its index was made from.`, { hint });
  }
  const other = keyOf(inputs.dataset) !== keyOf(datasetIdentity(dataset));
  const faults = [
    ...(inputs.checkpoint === key ? [] : [`with other weights than those in ${checkpoint}`]),
    ...(other ? [`from ${inputs.dataset.name}, version ${inputs.dataset.version}, and other files`] : []),
  ];
  if (faults.length === 0) return keyOf(inputs);
  throw new BenchError('CONFIG_INVALID', `The index ${folder} was made ${faults.join(' and ')}.`, { hint });
}

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
    split,
    depth,
    searcher: { name: searcher.name, versions: searcher.versions },
    engine: engineIdentity(engine),
    ...(identicalIds === 'dropped' && { identicalIds }),
    ...(built && { index: built.artifact.key, parameter: factoryIndex(built).parameter ?? null }),
  };
  const run = await store.artifact('runs', inputs, async (folder, runKey) => {
    const queries = await dataset.queries(split);
    const { batchSize } = config.search;
    const conditions = await conditionsHere(engine.threads);
    const partQueries = partQueriesOf(searcher.resident, batchSize);
    const parts = await HitParts.open(folder, { key: runKey, batchSize, partQueries, conditions });
    await searchQueries(searching, queries, { batchSize, depth, identicalIds }, parts, progress);
    await parts.join();
    const execution = { buildSeconds, searchSeconds: parts.seconds, conditions };
    return { queries: queries.length, depth: parts.depth, searcher: searcher.name, execution };
  });
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
  const searcher = await openSearcher(config.searcher, index, {
    engine,
    memoryBytes,
    ...(built && { built: factoryIndex(built) }),
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
