/**
 * The stages of a run one at a time. Each reads only what the one before left on disk, and leaves in the cache what
 * `run` would leave there: a run takes it up, and the other way round.
 */
import { closing } from '../closing.js';
import type { Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import { indexSize } from '../index/size.js';
import { readIndexFacts } from '../index/vector-index.js';
import type { Progress } from '../progress.js';
import { bareArchitecture, type StageFacts } from '../record.js';
import { given, givenShards } from '../stages/given.js';
import { type Known, knownOf } from '../stages/known.js';
import { askedOf, modelStages, type VectorStages } from '../stages/systems.js';
import { trainingStages } from '../stages/training.js';
import type { Workbench } from '../stages/workbench.js';
import type { Artifact, Store } from '../store/store.js';
import { loadSystem } from '../systems.js';
import { type Checkpoint, noteUnchecked, openCheckpoint } from './checkpoint.js';
import type { NamedBuilder } from './choose-searcher.js';
import { onEngine } from './dense.js';
import { tryForeign } from './foreign-index.js';
import { indexBuilder } from './index-builder.js';
import { assertQueries, prepare, type StageRequest, storeOf } from './prepare.js';
import { deviceFacts, trainingFacts } from './record-parts.js';
import { assertFinds } from './requirements.js';
import type { RunRequest } from './run-request.js';
import { assertRunTakes, type SearchedRun, writeSearched } from './searched-run.js';
import { searcherRemarks } from './searching.js';
import { StageLog } from './stage-log.js';
import { assertTraining } from './trained-requirements.js';
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
  const system = await loadSystem(architecture);
  assertFinds(system);
  const { isTrained, components } = system;
  if (components !== undefined) {
    throw new BenchError('USAGE', `${architecture} is put together of ${components.join(' and ')}.`, {
      hint: 'Each of them is trained alone, or bench run trains what it needs.',
    });
  }
  if (!isTrained) {
    throw new BenchError('USAGE', `${architecture} needs no training.`, {
      hint: `bench run --arch ${architecture} indexes and searches the dataset at once.`,
    });
  }
  await assertTraining(request.config);
  const log = new StageLog(store);
  const prepared = await log.plain('prepare', () => prepare(request, progress, store));
  return atWorkbench({ prepared, progress, log }, async (bench) => {
    const trained = await trainAll(bench, await trainingStages(request, await knownOf(bench)));
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
  return withCheckpoint(request, progress, async (bench, { stages: { encoding } }) => {
    return encodedIndex(await bench.made(encoding), progress);
  });
}

/** @param shards of every passage */
export async function encodedIndex(
  { folder, key, cached }: Artifact<unknown>,
  progress: Progress,
): Promise<EncodedIndex> {
  if (cached) progress.note('encode: from cache');
  const { passages, vectors, dimensions } = await readIndexFacts(folder);
  const { totalBytes: sizeBytes } = await indexSize(folder);
  return { index: folder, key, cached, passages, vectors, dimensions, sizeBytes };
}

interface SearchRequest extends EncodeRequest {
  /** Folder of the index that belongs to the checkpoint and the dataset. */
  index: string;
  split: Split;
  /** Where the hits are written to, in TREC's format; absent: into `config.out`, under a name of its own. */
  run?: string;
}

export async function searchOnly(request: SearchRequest, progress: Progress): Promise<SearchedRun> {
  const { split, config } = request;
  const asked = { split, missing: 'queries' };
  await assertRunTakes(request);
  // An index of another kind is built from these vectors first, as in a run.
  const by = await indexBuilder(config);
  return withCheckpoint({ ...request, asked, by }, progress, async (bench, { checkpoint, stages }) => {
    const found = await bench.made(stages.run);
    // Behind the search, which may open the index part by part.
    const searching = await bench.searching(stages.shards, stages.index);
    const warnings = searcherRemarks(searching);
    for (const warning of warnings) progress.note(warning);
    const { index, searcher, engine } = searching;
    const facts = {
      arch: bareArchitecture(checkpoint.facts.architecture),
      device: deviceFacts(engine, searcher),
    };
    const asked = { split, run: request.run };
    return writeSearched({ found, index, warnings, facts, prepared: bench.prepared, asked }, progress);
  });
}

/** What a stage with a checkpoint is given, and what comes of it. */
interface WithCheckpoint {
  checkpoint: Checkpoint;
  known: Known;
  stages: VectorStages;
}

/**
 * Puts the stages behind a checkpoint together; an index that is handed in stands for the encoding.
 * @param request `asked` where queries of a split are searched, `by` where an index is built of the vectors
 */
export async function withCheckpoint<T>(
  request: EncodeRequest & {
    index?: string;
    asked?: { split: Split; missing: string };
    by?: NamedBuilder | undefined;
  },
  progress: Progress,
  work: (bench: Workbench, given: WithCheckpoint) => Promise<T>,
): Promise<T> {
  const { config, index } = request;
  // The checkpoint is read first: the dataset may have to be downloaded, and a slip is better known before.
  const checkpoint = await openCheckpoint(request.checkpoint, request.architecture);
  await noteUnchecked(request.checkpoint, progress);
  const prepared = await prepare(request, progress);
  const { split = 'test', missing } = request.asked ?? {};
  if (missing !== undefined) await assertQueries(prepared, split, missing);
  return atWorkbench({ prepared, progress, log: new StageLog(prepared.store) }, async (bench) => {
    const known = await knownOf(bench, request.by);
    const need = await given(request.checkpoint, async () => checkpoint.key);
    const { name, code } = checkpoint;
    const model = { name, code, need, open: async () => checkpoint };
    // The seed of an index that is trained, as in a run.
    const seeded = { config, seed: config.seeds[0]! };
    const asked = askedOf(request, known, split);
    const stages = modelStages(model, seeded, known, asked);
    if (index === undefined) return work(bench, { checkpoint, known, stages });
    const shards = await givenShards(index, stages.encoding, checkpoint, progress);
    await tryForeign(index, prepared, progress);
    return work(bench, { checkpoint, known, stages: modelStages(model, seeded, known, asked, shards) });
  });
}

/** Opens the engine for a piece of work, and closes it after with all that was opened on it. */
async function atWorkbench<T>(
  at: Parameters<typeof onEngine>[0],
  work: (bench: Workbench) => Promise<T>,
): Promise<T> {
  return closing(
    await onEngine(at, async (bench) => ({ made: await work(bench) })),
    async ({ made }) => made,
  );
}
