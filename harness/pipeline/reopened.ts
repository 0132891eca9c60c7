/** Systems opened again, in another process, from what their stages have left; nothing is made. */
import { BenchError } from '../errors.js';
import type { Progress } from '../progress.js';
import { inOrder, inputsOf, type StageMaking } from '../stages/graph.js';
import { Store } from '../store/store.js';
import { loadSystem } from '../systems.js';
import type { OpenSystem } from './cell.js';
import { identicalIdsOf } from './own-passages.js';
import { prepare, type Session } from './prepare.js';
import type { RunRequest } from './run-request.js';
import { StageLog } from './stage-log.js';

export interface Reopened {
  open(): Promise<OpenSystem>;
  /** Of the artifacts that it was made of, and of a model that was given. */
  folders: readonly string[];
}

/** @throws BenchError CACHE_INVALID where it is not there */
const onlyFound: StageMaking = {
  artifact: (stage, at) =>
    at.store.artifact(
      stage.kind,
      inputsOf(stage),
      () => {
        throw new BenchError('CACHE_INVALID', `What '${stage.name}' left is not in the cache any more.`, {
          hint: 'Start the same command again, and leave the cache alone meanwhile.',
        });
      },
      stage.about,
    ),
};

/** The dataset of requests that share it. @throws BenchError as a run would */
export function datasetOf(request: RunRequest, progress: Progress): Promise<Session> {
  return prepare(request, progress, new Store(request.config.cache, { isGuest: true }));
}

/** @param shared dataset of this request, opened for another perhaps @throws BenchError CACHE_INVALID, and as a run would */
export async function reopen(
  request: RunRequest,
  { dataset, offline }: Session,
  progress: Progress,
): Promise<Reopened> {
  const { config, architecture } = request;
  const store = new Store(config.cache, { isGuest: true });
  const prepared = { config, offline, store, dataset };
  const { answer } = await (await loadSystem(architecture)).steps();
  const answering = await answer({
    ...{ request, prepared, split: 'test', depth: config.search.depth, progress },
    identicalIds: identicalIdsOf(config, dataset),
    log: new StageLog(store, undefined, onlyFound),
  });
  await answering.close();
  // A published model is no artifact, and what is encoded with it needs it.
  const needs = inOrder(answering.stages.all).flatMap((stage) => Object.values(stage.needs));
  const given = needs.flatMap((need) => (need !== undefined && 'folder' in need ? [need.folder] : []));
  return { open: answering.open, folders: [...store.used.map(({ folder }) => folder), ...given] };
}
