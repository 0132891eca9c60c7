/**
 * The whole flow on one page, the file to read first:
 * dataset -> train -> checkpoint -> encode -> shards -> index -> search -> run -> measures -> record.
 * Each stage leaves an artifact in the cache, named by what it was made from; one that is there is not made again.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { BenchConfig } from './config/config.js';
import { fileError } from './errors.js';
import { loadRetrieverWeights } from './model/retriever-files.js';
import { latencyStage } from './pipeline/latency-stage.js';
import { measureStage } from './pipeline/measure-stage.js';
import { type Plan, planOf } from './pipeline/plan.js';
import { prepare } from './pipeline/prepare.js';
import { recordStage } from './pipeline/record-stage.js';
import { runSparse } from './pipeline/sparse.js';
import {
  closeSearching,
  encodeStage,
  openSearching,
  readHits,
  searchStage,
} from './pipeline/search-stage.js';
import { StageLog } from './pipeline/stage-log.js';
import { trainStage } from './pipeline/train-stage.js';
import { loadSparse } from './plugins.js';
import type { Progress } from './progress.js';
import type { RunRecord } from './record.js';
import { openEngine } from './tensor/engines.js';

/** One architecture on one dataset with one seed. */
export interface RunRequest {
  /** `mlr-sc` */
  architecture: string;
  /** `squad`, `dpr/nq` */
  dataset: string;
  seed: number;
  /** Folder that holds the dataset; nothing is downloaded then. */
  data?: string;
  offline: boolean;
  config: BenchConfig;
}

export type { Plan } from './pipeline/plan.js';

/** What a run would do. Opens the dataset where that needs no network; trains and writes nothing. */
export function planRun(request: RunRequest, _progress: Progress): Promise<Plan> {
  return planOf(request);
}

const split = 'test';

export async function run(request: RunRequest, progress: Progress): Promise<RunRecord> {
  const { config } = request;
  await assertWritable(config.out);
  const sparse = await loadSparse(request.architecture);
  if (sparse !== undefined) return runSparse(request, sparse, progress);
  const log = new StageLog();
  const prepared = await log.plain('prepare', () => prepare(request, progress));
  const engine = await openEngine(config.engine, config.threads === null ? {} : { threads: config.threads });
  try {
    const checkpoint = await log.artifact('train', () => trainStage(prepared, engine, progress));
    const weights = await loadRetrieverWeights(checkpoint.folder, prepared.retriever, config.model);
    const shards = await log.artifact('encode', () =>
      encodeStage(prepared, engine, checkpoint.key, weights, progress),
    );
    const searching = await openSearching(prepared, engine, weights, shards.folder);
    try {
      if (searching.searcher.fallback !== undefined)
        progress.note(`searching with exact: ${searching.searcher.fallback}`);
      const run = await log.artifact('search', () =>
        searchStage(prepared, searching, shards.key, split, progress),
      );
      const hits = await readHits(run);
      const measured = await log.plain('measure', () =>
        measureStage({
          dataset: prepared.dataset,
          split,
          index: searching.index,
          hits,
          measures: config.measures,
          identicalIds: config.measure.identicalIds,
        }),
      );
      const latency = await log.plain('latency', () =>
        latencyStage(prepared, searching, split, run, progress),
      );
      const { fallback } = searching.searcher;
      const { record, file } = await recordStage({
        prepared,
        searching,
        trained: checkpoint.facts.training,
        measured,
        latency,
        stages: log.stages,
        split,
        warnings: [
          ...measured.warnings,
          ...(fallback === undefined ? [] : [`searched with exact: ${fallback}`]),
        ],
      });
      progress.note(`record: ${file}`);
      return record;
    } finally {
      await closeSearching(searching);
    }
  } finally {
    await engine.dispose();
  }
}

/** A folder that cannot be written to is better known before an hour of training than after. */
async function assertWritable(folder: string): Promise<void> {
  try {
    await mkdir(path.resolve(folder), { recursive: true });
  } catch (error) {
    throw fileError(error, folder);
  }
}
