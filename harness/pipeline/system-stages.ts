/** The stages of a system that has no checkpoint of its own: as far as its vectors, its hits, or what is mined from them. */
import { closing } from '../closing.js';
import type { Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { Progress } from '../progress.js';
import { loadSystem } from '../systems.js';
import { type EncodedIndex, encodedIndex } from './one-stage.js';
import { identicalIdsOf } from './own-passages.js';
import { assertQueries, prepare, type Session, type StageRequest } from './prepare.js';
import { assertFinds, assertRequirements } from './requirements.js';
import type { RunRequest } from './run-request.js';
import { assertRunTakes, type SearchedRun, writeSearched } from './searched-run.js';
import { StageLog } from './stage-log.js';
import type { AnsweredSystem, AnswerRequest } from './system.js';

export interface SystemRequest extends StageRequest {
  /** The system: `bm25`, `pretrained:FOLDER`, `fuse:A+B`. */
  system: string;
}

/** Opens the dataset once the request is seen to be one that this machine can do. */
async function begin(
  { system: architecture, ...request }: SystemRequest,
  progress: Progress,
): Promise<Pick<AnswerRequest, 'request' | 'prepared' | 'log' | 'progress'>> {
  // Of an index that is trained: as in a run with that seed. What is studied of a whole system beside its hits is not asked for.
  const whole: RunRequest = { ...request, architecture, seed: request.config.seeds[0]!, component: true };
  await assertRequirements(whole);
  const prepared = await prepare(whole, progress);
  return { request: whole, prepared, log: new StageLog(prepared.store), progress };
}

/** @throws BenchError USAGE where it has no vectors, or those of several systems */
export async function encodeSystem(request: SystemRequest, progress: Progress): Promise<EncodedIndex> {
  const system = await loadSystem(request.system);
  assertFinds(system);
  const { name, components, steps } = system;
  if (components !== undefined) {
    throw new BenchError('USAGE', `${name} is put together of ${components.join(' and ')}.`, {
      hint: 'Each of them that has vectors is encoded alone.',
    });
  }
  const { encode } = await steps();
  if (encode === undefined) {
    throw new BenchError('USAGE', `${name} has no vectors: there is nothing to encode.`, {
      hint: `bench search --arch ${name} indexes and searches the dataset at once.`,
    });
  }
  const begun = await begin(request, progress);
  const { dataset, config } = begun.prepared;
  const asked = { split: 'test', depth: config.search.depth } as const;
  const encoding = await encode({ ...begun, ...asked, identicalIds: identicalIdsOf(config, dataset) });
  return closing(encoding, () => encodedIndex(encoding.shards, progress));
}

/**
 * Every stage as far as the hits of a split; what the cache has is not made again.
 * @param asked `missing` as `assertQueries` has it; `identicalIds` as the configuration says where absent
 */
export async function withHits<T>(
  request: SystemRequest,
  asked: { split: Split; missing: string; depth?: number; identicalIds?: AnswerRequest['identicalIds'] },
  progress: Progress,
  work: (answering: AnsweredSystem, prepared: Session, log: StageLog) => Promise<T>,
): Promise<T> {
  const { answer } = await (await loadSystem(request.system)).steps();
  const begun = await begin(request, progress);
  const { prepared, log } = begun;
  const { dataset, config } = prepared;
  const { split, missing, depth = config.search.depth } = asked;
  await assertQueries(prepared, split, missing);
  const identicalIds = asked.identicalIds ?? identicalIdsOf(config, dataset);
  const answering = await answer({ ...begun, ...{ split, depth, identicalIds } });
  return closing(answering, () => work(answering, prepared, log));
}

/** @param file where the hits are written to; into `config.out`, under a name of their own, where absent */
export async function searchSystem(
  request: SystemRequest & { split: Split; run?: string },
  progress: Progress,
): Promise<SearchedRun> {
  const { split, run } = request;
  await assertRunTakes(request);
  return withHits(request, { split, missing: 'queries' }, progress, async (answering, prepared) => {
    for (const remark of answering.remarks) progress.note(remark);
    const { run: found, index, facts, remarks, hasTies } = answering;
    return writeSearched(
      {
        ...{ found, index, facts, warnings: remarks, prepared, asked: { split, run } },
        ...(hasTies && { hasTies }),
      },
      progress,
    );
  });
}
