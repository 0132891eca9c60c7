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
import { given, givenShards } from '../stages/given.js';
import { type Known, knownOf } from '../stages/known.js';
import type { RunFacts } from '../stages/search.js';
import { askedOf, modelStages, type VectorStages } from '../stages/systems.js';
import { trainingStages } from '../stages/training.js';
import { Workbench } from '../stages/workbench.js';
import { removePartialsOf } from '../store/atomic.js';
import type { Artifact, Store } from '../store/store.js';
import { loadSystem } from '../systems.js';
import { type Checkpoint, noteUnchecked, openCheckpoint } from './checkpoint.js';
import type { NamedBuilder } from './choose-searcher.js';
import { tryForeign } from './foreign-index.js';
import { readHits } from './hit-files.js';
import { indexBuilder } from './index-builder.js';
import { assertQueries, engineOf, type Prepared, prepare, type StageRequest, storeOf } from './prepare.js';
import { trainingFacts } from './record-parts.js';
import { fileName, tagOf } from './record-stage.js';
import { type NamedPassages, runOf } from './run-of-hits.js';
import type { RunRequest } from './run-request.js';
import { searcherRemarks } from './searching.js';
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
  const { isTrained, components } = await loadSystem(architecture);
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
  const log = new StageLog(store);
  const prepared = await log.plain('prepare', () => prepare(request, progress, store));
  return atWorkbench(prepared, progress, log, async (bench) => {
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
  const asked = { split, missing: 'queries' };
  // With `index.kind` of another kind, that of these vectors is built first, as in a run.
  const by = await indexBuilder(config);
  return withCheckpoint({ ...request, asked, by }, progress, async (bench, { checkpoint, stages }) => {
    const searching = await bench.searching(stages.shards, stages.index);
    const warnings = searcherRemarks(searching);
    for (const warning of warnings) progress.note(warning);
    const found = await bench.made(stages.run);
    const { index } = searching;
    const written = { split, run: request.run, system: checkpoint.facts.architecture };
    return writeSearched({ found, index, warnings, prepared: bench.prepared, asked: written }, progress);
  });
}

interface Searched {
  found: Artifact<RunFacts>;
  index: NamedPassages;
  warnings: readonly string[];
  prepared: Prepared;
  /** `run` as a request has it; `system` by its name. */
  asked: { split: Split; run?: string | undefined; system: string };
}

/** Writes the hits that a search left. */
export async function writeSearched(
  { found, index, warnings, prepared: { dataset, config }, asked }: Searched,
  progress: Progress,
): Promise<SearchedRun> {
  const { split, system } = asked;
  const name = `${fileName(dataset.name)}-${fileName(system)}-${split}-${found.key.slice(0, 8)}`;
  const file = path.resolve(asked.run ?? path.join(config.out, `${name}${runSuffix}`));
  const queries = await dataset.queries(split);
  const run = await runOf(queries, index, await readHits(found));
  await removePartialsOf(file);
  const { sha256 } = await writeRun(file, run, tagOf(system));
  const { key, cached, facts } = found;
  if (cached) progress.note('search: from cache');
  const { depth, searcher } = facts;
  return { run: file, sha256, key, cached, queries: queries.length, depth, searcher, warnings };
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
  // Before the dataset, which may have to be downloaded: a slip in the checkpoint is better known first.
  const checkpoint = await openCheckpoint(request.checkpoint, request.architecture);
  await noteUnchecked(request.checkpoint, progress);
  const prepared = await prepare(request, progress);
  const { split = 'test', missing } = request.asked ?? {};
  if (missing !== undefined) await assertQueries(prepared, split, missing);
  return atWorkbench(prepared, progress, new StageLog(prepared.store), async (bench) => {
    const known = await knownOf(bench, request.by);
    const need = await given(request.checkpoint, async () => checkpoint.key);
    const { name, code } = checkpoint;
    const model = { name, code, need, open: async () => checkpoint };
    // Of an index that is trained: as in a run with that seed.
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
  prepared: Prepared,
  progress: Progress,
  log: StageLog,
  work: (bench: Workbench) => Promise<T>,
): Promise<T> {
  const engine = await engineOf(prepared.config, progress);
  const bench = new Workbench(prepared, progress, log, engine);
  try {
    return await work(bench);
  } finally {
    await bench.close();
    await engine.dispose();
  }
}
