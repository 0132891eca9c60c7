/**
 * The whole flow on one page, the file to read first:
 * dataset -> train -> checkpoint -> encode -> shards -> index -> search -> run -> measures -> record.
 * Each stage leaves an artifact in the cache, named by what it was made from; one that is there is not made again.
 */
import { builtIndex } from './pipeline/built-index.js';
import type { Cell } from './pipeline/cell.js';
import { openCheckpoint } from './pipeline/checkpoint.js';
import { curveRemarks, curveStage, exactRun } from './pipeline/curve-stage.js';
import { devWinnersStage } from './pipeline/dev-winners.js';
import { encodeStage } from './pipeline/encode-stage.js';
import { readHits } from './pipeline/hit-files.js';
import { indexBuilder, indexStage } from './pipeline/index-stage.js';
import { identicalIdsOf } from './pipeline/judgements.js';
import { measureStage } from './pipeline/measure-stage.js';
import { openDense } from './pipeline/open-system.js';
import { type Plan, planOf } from './pipeline/plan.js';
import { engineOf, type Prepared, type StageRequest } from './pipeline/prepare.js';
import { recordStage } from './pipeline/record-stage.js';
import {
  closeSearching,
  openSearching,
  searcherRemarks,
  searchStage,
  timeOf,
} from './pipeline/search-stage.js';
import { makeSparseCell } from './pipeline/sparse.js';
import { stageCode } from './pipeline/stage-code.js';
import type { StageLog } from './pipeline/stage-log.js';
import { trainAll, trainingRemarks } from './pipeline/training.js';
import { conditionsHere, wholeIndexTime } from './pipeline/whole-index.js';
import { hasWinners, winnersOf } from './pipeline/winners.js';
import { loadSparse } from './plugins.js';
import type { Progress } from './progress.js';

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
export function planRun(request: RunRequest): Promise<Plan> {
  return planOf(request);
}

const split = 'test';

/**
 * Everything but the latencies, which are measured when all that is to be compared is ready: see `sweep`.
 * @param log gets the stages, those before a failure too
 */
export async function makeCell(
  request: RunRequest,
  prepared: Prepared,
  log: StageLog,
  progress: Progress,
): Promise<Cell> {
  const { config } = request;
  const sparse = await loadSparse(request.architecture);
  if (sparse !== undefined) return makeSparseCell(request, sparse, prepared, log, progress);
  const builder = await indexBuilder(config);
  const { dataset } = prepared;
  const engine = await engineOf(config);
  try {
    const trained = await trainAll(prepared, request, engine, log, progress);
    const checkpoint = await openCheckpoint(trained.checkpoint.folder);
    const shards = await log.artifact('encode', () => encodeStage(prepared, checkpoint, engine, progress));
    const asked = { split, depth: config.search.depth } as const;
    const identicalIds = identicalIdsOf(config, dataset);
    const built =
      builder &&
      builtIndex(
        await log.artifact('index', () =>
          indexStage(prepared, shards, builder, engine, request.seed, progress),
        ),
        config,
        builder,
      );
    const exact = built && (await exactRun(prepared, checkpoint, engine, shards, asked, log, progress));
    const searching = await openSearching(prepared, checkpoint, engine, shards.folder, built);
    try {
      const run = await log.artifact('search', () =>
        searchStage(prepared, searching, shards.key, { ...asked, identicalIds }, progress),
      );
      const hits = await readHits(run);
      const { index } = searching;
      const measured = await log.plain(
        'measure',
        () => measureStage({ dataset, split, index, hits, measures: config.measures, identicalIds }),
        stageCode('measure', { dataset }),
      );
      const { architecture } = checkpoint.retriever;
      const dev =
        hasWinners(architecture) && (await dataset.queries('dev')).length > 0
          ? await log.artifact('dev winners', () =>
              devWinnersStage(prepared, searching, shards.key, progress),
            )
          : undefined;
      const winners = await winnersOf({
        ...{ dataset, split, index, hits, architecture, identicalIds },
        ...{ answerFlags: measured.answerFlags, dev: dev?.facts },
      });
      const curve =
        exact &&
        (await log.plain('recall', () =>
          curveStage(prepared, searching, built!, exact, { ...asked, seed: request.seed }, progress),
        ));
      const { record, file } = await recordStage({
        request,
        dataset,
        searching,
        trained,
        measured,
        winners,
        ...(curve && { curve }),
        stages: [...log.stages],
        split,
        warnings: [
          ...trainingRemarks(trained),
          ...measured.warnings,
          ...(curve ? curveRemarks(built!, curve, exact!) : []),
          ...searcherRemarks(searching),
        ],
      });
      const indexBytes = searching.searcher.resident
        ? record.index!.sizeBytes.total
        : config.search.memoryMiB * 2 ** 20;
      return {
        request,
        file,
        record,
        queries: await dataset.queries(split),
        wholeIndex: wholeIndexTime(run.facts.queries, {
          run: { timed: timeOf(run.facts), wanted: await conditionsHere(engine.threads) },
          ...(built && {
            index: { timed: built.artifact.facts.execution, wanted: await conditionsHere(config.threads) },
          }),
        }),
        openBytes: indexBytes + 4 * record.model!.parameterCount,
        rereads: !searching.searcher.resident,
        searchable: [trained.checkpoint.key, shards.key, ...(built ? [built.artifact.key] : [])],
        cached: log.cached,
        open: () => openDense(prepared, trained.checkpoint.folder, shards.folder, built),
      };
    } finally {
      await closeSearching(searching);
    }
  } finally {
    await engine.dispose();
  }
}
