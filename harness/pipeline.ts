/**
 * The whole flow on one page, the file to read first:
 * dataset -> train -> checkpoint -> encode -> shards -> index -> search -> run -> measures -> record.
 * Each stage leaves an artifact in the cache, named by what it was made from; one that is there is not made again. What lies
 * between the dataset and the run is the system's own: see `systems/`, and `pipeline/trained.ts` for the usual one.
 */
import { closing } from './closing.js';
import type { Cell } from './pipeline/cell.js';
import { readHits } from './pipeline/hit-files.js';
import { measureStage } from './pipeline/measure-stage.js';
import { identicalIdsOf } from './pipeline/own-passages.js';
import type { Session } from './pipeline/prepare.js';
import { recordStage } from './pipeline/record-stage.js';
import { runOf } from './pipeline/run-of-hits.js';
import type { RunRequest } from './pipeline/run-request.js';
import type { StageLog } from './pipeline/stage-log.js';
import { wholeIndexTime } from './pipeline/whole-index.js';
import { parseMeasures } from './plugins/measures.js';
import type { Progress } from './progress.js';
import { stageCode } from './stages/code.js';
import { loadSystem } from './systems.js';

const split = 'test';

/**
 * Everything but the latencies, which are measured when all that is to be compared is ready: see `sweep`.
 * @param log gets the stages, those before a failure too
 */
export async function makeCell(
  request: RunRequest,
  prepared: Session,
  log: StageLog,
  progress: Progress,
): Promise<Cell> {
  const { config, architecture } = request;
  const { dataset } = prepared;
  const identicalIds = identicalIdsOf(config, dataset);
  const { answer } = await (await loadSystem(architecture)).steps();
  const { depth } = config.search;
  const answering = await answer({ request, prepared, split, depth, identicalIds, log, progress });
  return closing(answering, async () => {
    const { index, openBytes, rereads, stages, searchable, opening, work, untimed } = answering;
    const hits = await readHits(answering.run);
    const queries = await dataset.queries(split);
    const run = await runOf(queries, index, hits);
    const measured = await log.plain(
      'measure',
      () => measureStage({ dataset, split, run, measures: config.measures, identicalIds }),
      stageCode('measure', { dataset, measures: parseMeasures(config.measures).map(({ family }) => family) }),
    );
    const studied = await answering.study?.(hits, measured);
    const { record, file } = await recordStage({
      ...{ request, dataset, split, answering, run, measured, studied },
      stages: [...log.stages],
    });
    return {
      ...{ request, file, record, queries, openBytes, rereads, searchable, opening },
      stages: stages.all,
      ...(untimed !== undefined && { untimed }),
      wholeIndex: wholeIndexTime(answering.run.facts.queries, work),
      cached: log.cached,
    };
  });
}
