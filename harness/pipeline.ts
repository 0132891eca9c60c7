/**
 * The whole flow on one page, the file to read first:
 * dataset -> train -> checkpoint -> encode -> shards -> index -> search -> run -> measures -> record.
 * Each stage leaves an artifact in the cache, named by what it was made from; one that is there is not made again.
 */
import path from 'node:path';
import { openCheckpoint } from './pipeline/checkpoint.js';
import { latencyStage } from './pipeline/latency-stage.js';
import { measureStage } from './pipeline/measure-stage.js';
import { type Plan, planOf } from './pipeline/plan.js';
import { engineOf, prepare, type StageRequest } from './pipeline/prepare.js';
import { recordStage } from './pipeline/record-stage.js';
import {
  closeSearching,
  encodeStage,
  openSearching,
  readHits,
  searchStage,
} from './pipeline/search-stage.js';
import { runSparse } from './pipeline/sparse.js';
import { StageLog } from './pipeline/stage-log.js';
import { trainAll, trainingRemarks } from './pipeline/training.js';
import { winnersOf } from './pipeline/winners.js';
import { loadSparse } from './plugins.js';
import type { Progress } from './progress.js';
import type { RunRecord } from './record.js';
import { AtomicFile, makeFolder } from './store/atomic.js';

/** One architecture on one dataset with one seed. */
export interface RunRequest extends StageRequest {
  /** `mlr-sc` */
  architecture: string;
  seed: number;
  /** Folder of a trained checkpoint to start training from, instead of the configuration's model. */
  init?: string;
  /** Where hard negatives come from: `dataset`, `bm25`, and files; the usual source where absent. */
  negatives?: readonly string[];
}

export type { Plan } from './pipeline/plan.js';

/** What a run would do. Opens the dataset where that needs no network; trains and writes nothing. */
export function planRun(request: RunRequest, _progress: Progress): Promise<Plan> {
  return planOf(request);
}

const split = 'test';

export async function run(request: RunRequest, progress: Progress): Promise<RunRecord> {
  const { config, seed } = request;
  await assertWritable(config.out);
  const sparse = await loadSparse(request.architecture);
  if (sparse !== undefined) return runSparse(request, sparse, progress);
  const log = new StageLog();
  const prepared = await log.plain('prepare', () => prepare(request, progress));
  const { dataset } = prepared;
  const engine = await engineOf(config);
  try {
    const trained = await trainAll(prepared, request, engine, log, progress);
    const checkpoint = await openCheckpoint(trained.checkpoint.folder);
    const shards = await log.artifact('encode', () => encodeStage(prepared, checkpoint, engine, progress));
    const searching = await openSearching(prepared, checkpoint, engine, shards.folder);
    try {
      const { fallback } = searching.searcher;
      if (fallback !== undefined) progress.note(`searching with exact: ${fallback}`);
      const asked = { split, depth: config.search.depth } as const;
      const run = await log.artifact('search', () =>
        searchStage(prepared, searching, shards.key, asked, progress),
      );
      const hits = await readHits(run);
      const { index } = searching;
      const { identicalIds } = config.measure;
      const measured = await log.plain('measure', () =>
        measureStage({ dataset, split, index, hits, measures: config.measures, identicalIds }),
      );
      const { architecture } = checkpoint.retriever;
      const winners = await winnersOf(dataset, split, index, hits, architecture, identicalIds);
      const latency = await log.plain('latency', () =>
        latencyStage(prepared, searching, { split, seed }, run, progress),
      );
      const { record, file } = await recordStage({
        request,
        dataset,
        searching,
        trained,
        measured,
        winners,
        latency,
        stages: log.stages,
        split,
        warnings: [
          ...trainingRemarks(trained),
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
  await makeFolder(path.resolve(folder));
  await (await AtomicFile.create(path.join(path.resolve(folder), 'writable'))).abort();
}
