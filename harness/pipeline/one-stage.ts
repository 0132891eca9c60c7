/**
 * The stages of a run one at a time. Each reads only what the one before left on disk, and leaves in the cache what
 * `run` would leave there: a run takes it up, and the other way round.
 */
import path from 'node:path';
import type { Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import { indexSize } from '../index/size.js';
import { readIndexFacts } from '../index/vector-index.js';
import { writeRun } from '../interchange/trec.js';
import type { Progress } from '../progress.js';
import { runSuffix, type StageFacts } from '../record.js';
import { removePartialsOf } from '../store/atomic.js';
import type { Store } from '../store/store.js';
import { loadSystem } from '../systems.js';
import type { Engine } from '../tensor/engine.js';
import { builtIndex } from './built-index.js';
import { noteUnchecked, openCheckpoint } from './checkpoint.js';
import { encodeStage, indexKey } from './encode-stage.js';
import { tryForeign } from './foreign-index.js';
import { readHits } from './hit-files.js';
import { indexBuilder, indexStage } from './index-stage.js';
import { identicalIdsOf } from './own-passages.js';
import { engineOf, type Prepared, prepare, type StageRequest, storeOf } from './prepare.js';
import { queryStage } from './query-stage.js';
import { trainingFacts } from './record-parts.js';
import { runOf } from './run-of-hits.js';
import type { RunRequest } from './run-request.js';
import { searchStage } from './search-stage.js';
import { closeSearching, openSearching, searcherRemarks } from './searching.js';
import { StageLog } from './stage-log.js';
import { trainAll, trainingRemarks } from './training.js';

/** A trained checkpoint, as `bench train --json` prints it. */
export interface TrainedCheckpoint {
  architecture: string;
  dataset: string;
  seed: number;
  /** Folder of the checkpoint. */
  checkpoint: string;
  key: string;
  stages: readonly StageFacts[];
  training: ReturnType<typeof trainingFacts>;
  warnings: readonly string[];
}

/** @throws BenchError USAGE for an architecture that needs no training, and whatever training says */
export async function trainOnly(
  request: RunRequest,
  progress: Progress,
  store: Store = storeOf(request, progress),
): Promise<TrainedCheckpoint> {
  const { architecture, seed } = request;
  if (!(await loadSystem(architecture)).isTrained) {
    throw new BenchError('USAGE', `${architecture} needs no training.`, {
      hint: `bench run --arch ${architecture} indexes and searches the dataset at once.`,
    });
  }
  const log = new StageLog(store);
  const prepared = await log.plain('prepare', () => prepare(request, progress, store));
  return withEngine(prepared, async (engine) => {
    const trained = await trainAll(prepared, request, engine, log, progress);
    if (log.found.length > 0) progress.note(`from cache: ${log.found.join(', ')}`);
    return {
      architecture,
      dataset: prepared.dataset.name,
      seed,
      checkpoint: trained.checkpoint.folder,
      key: trained.checkpoint.key,
      stages: log.stages,
      training: trainingFacts(trained, log.stages),
      warnings: trainingRemarks(trained),
    };
  });
}

export interface EncodeRequest extends StageRequest {
  /** Folder of a trained checkpoint. */
  checkpoint: string;
  /** The architecture it is said to be of; any where absent. */
  architecture?: string;
}

/** An index, as `bench encode --json` prints it. */
export interface EncodedIndex {
  /** Folder of the index. */
  index: string;
  key: string;
  cached: boolean;
  passages: number;
  vectors: number;
  dimensions: number;
  sizeBytes: number;
}

export async function encodeOnly(request: EncodeRequest, progress: Progress): Promise<EncodedIndex> {
  // Before the dataset, which may have to be downloaded: a slip in the checkpoint is better known first.
  const checkpoint = await openCheckpoint(request.checkpoint, request.architecture);
  await noteUnchecked(request.checkpoint, progress);
  const prepared = await prepare(request, progress);
  const { folder, key, cached } = await withEngine(prepared, (engine) =>
    encodeStage(prepared, checkpoint, engine, progress),
  );
  if (cached) progress.note('encode: from cache');
  const { passages, vectors, dimensions } = await readIndexFacts(folder);
  const { totalBytes: sizeBytes } = await indexSize(folder);
  return { index: folder, key, cached, passages, vectors, dimensions, sizeBytes };
}

export interface SearchRequest extends EncodeRequest {
  /** Folder of the index that belongs to the checkpoint and the dataset. */
  index: string;
  split: Split;
  /** Where the hits are written to, in TREC's format; absent: into `config.out`, under a name of its own. */
  run?: string;
}

/** A run, as `bench search --json` prints it. */
export interface SearchedRun {
  /** The file of hits. */
  run: string;
  sha256: string;
  key: string;
  cached: boolean;
  queries: number;
  depth: number;
  searcher: string;
  warnings: readonly string[];
}

export async function searchOnly(request: SearchRequest, progress: Progress): Promise<SearchedRun> {
  const { split, config } = request;
  const checkpoint = await openCheckpoint(request.checkpoint, request.architecture);
  await noteUnchecked(request.checkpoint, progress);
  const prepared = await prepare(request, progress);
  const { dataset } = prepared;
  const queries = await dataset.queries(split);
  if (queries.length === 0) {
    throw new BenchError('DATA_INVALID', `${dataset.name} has no ${split} queries.`, {
      hint: 'Choose another part of it with --split train, dev or test.',
    });
  }
  return withEngine(prepared, async (engine) => {
    const indexedAs = await indexKey(request.index, prepared, checkpoint, engine, progress);
    // With `index.kind` of another kind, that of these vectors is built first, as in a run.
    await tryForeign(request.index, prepared, progress);
    const shards = { key: indexedAs, folder: request.index };
    const builder = await indexBuilder(config);
    const built =
      builder &&
      builtIndex(
        await indexStage(prepared, shards, builder, engine, config.seeds[0]!, progress),
        config,
        builder,
      );
    const searching = await openSearching(prepared, checkpoint, engine, request.index, built);
    try {
      const warnings = searcherRemarks(searching);
      for (const warning of warnings) progress.note(warning);
      const identicalIds = identicalIdsOf(config, dataset);
      const encoded = await queryStage(prepared, checkpoint, engine, { split }, progress);
      const asked = { split, encoded, depth: config.search.depth, identicalIds };
      const found = await searchStage(prepared, searching, indexedAs, asked, progress);
      const { architecture } = checkpoint.facts;
      const name = `${dataset.name.replace(/[/:]/g, '-')}-${architecture}-${split}-${found.key.slice(0, 8)}`;
      const file = path.resolve(request.run ?? path.join(config.out, `${name}${runSuffix}`));
      const run = await runOf(queries, searching.index, await readHits(found));
      await removePartialsOf(file);
      const { sha256 } = await writeRun(file, run, architecture);
      const { key, cached, facts } = found;
      if (cached) progress.note('search: from cache');
      const { depth, searcher } = facts;
      return { run: file, sha256, key, cached, queries: queries.length, depth, searcher, warnings };
    } finally {
      await closeSearching(searching);
    }
  });
}

/** Opens the engine for a piece of work and closes it after. */
export async function withEngine<T>(
  { config }: Pick<Prepared, 'config'>,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await engineOf(config);
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}
