/** Latencies that the machine of one worker measures: runs that are made already, in turns, whole, and with nothing beside them. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { openRun } from '../pipeline/open-run.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { parseMeasures } from '../plugins/measures.js';
import type { Code } from '../program/code.js';
import { computeClass } from '../program/compute-class.js';
import type { Progress } from '../progress.js';
import type { DatasetFacts, RunRecord, StoredRecord } from '../record.js';
import { stageCode } from '../stages/code.js';
import { inputKey, isChosen } from '../stages/graph.js';
import { canonicalJson, keyOf } from '../store/hash.js';
import { waitForOthers } from '../store/lock.js';
import { removeUnlocked } from '../store/prune.js';
import { type Inputs, Store } from '../store/store.js';
import { collectionOf } from '../sweep/cell-lines.js';
import { recordFailure } from '../sweep/recording.js';
import { refusedOf } from '../sweep/runnable.js';
import { sweep } from '../sweep.js';
import { bareRequest } from './bare-request.js';
import { programHere, type Task, type Together, taskBeside } from './task.js';

/** What a run is made of, by what it holds: a folder that is named alone may hold other things the next time. */
export interface MadeOf {
  readonly dataset: object;
  /** The input keys of its stages, the code that makes them included. */
  readonly stages: readonly string[];
  /** That of its hits, as its record will have it; null behind a choice that is not made yet. */
  readonly hits: string | null;
  readonly code: Code;
}

/** Makes nothing. @throws BenchError as the run would */
export async function madeOf(request: RunRequest, progress: Progress): Promise<MadeOf> {
  const { dataset, stages, run, close } = await openRun(request, { ...progress, note: () => undefined });
  await close();
  const measures = parseMeasures(request.config.measures).map(({ family }) => family);
  return {
    dataset: stateOf(dataset),
    stages: stages.map(inputKey),
    hits: isChosen(run) ? inputKey(run) : null,
    code: stageCode('measure', { dataset, measures }),
  };
}

/** Of a dataset and of the record of one. */
const stateOf = ({ version, files }: Pick<DatasetFacts, 'version' | 'files'>): object => ({
  version,
  files: files.map(({ name, sha256 }) => ({ name, sha256 })),
});

/** Whether a record is of what a run is made of; one that failed came to none of it, perhaps. */
export const isOf = ({ dataset, hits }: MadeOf, { status, dataset: recorded, stages }: RunRecord): boolean =>
  status !== 'ok' ||
  (canonicalJson(dataset) === canonicalJson(stateOf(recorded)) &&
    (hits === null || stages.some(({ key }) => key === hits)));

/** @param requests that take turns @param made of each, as it is now: other data are another task */
export async function latencyTask(
  requests: readonly RunRequest[],
  pinned: string,
  made: readonly MadeOf[],
): Promise<Task> {
  const beside = { program: await programHere(), computeClass: computeClass() };
  const bare = await Promise.all(requests.map(bareRequest));
  const [first] = bare;
  const together = { pinned, requests: bare, asked: new Date().toISOString() };
  const artifact = keyOf({ made: 'latencies', requests: bare, of: made, pinned, ...beside });
  const systems =
    requests.length > 3
      ? counted(requests.length, 'systems')
      : requests.map(({ architecture }) => architecture).join(', ');
  return taskBeside(beside, {
    kind: 'latency',
    title: `latencies at ${pinned}: ${systems} on ${collectionOf(first!)}, seed ${first!.seed}`,
    ...{ request: first!, artifact, latency: together },
    leaves: { kind: 'findings', key: keyOf(inputsOf(artifact, together)) },
  });
}

const inputsOf = (of: string, { pinned, asked }: Together): Inputs => ({
  made: 'latencies 1',
  of,
  pinned,
  asked,
});

/** Measures, as a sweep on this machine alone, which makes what is not there any more. What one that was killed had measured does not count. */
export async function measure(
  task: Task,
  together: Together,
  store: Store,
  progress: Progress,
): Promise<void> {
  const { requests } = together;
  const make = async (folder: string) => {
    const out = path.join(folder, 'records');
    await rm(out, { recursive: true, force: true });
    const here = requests.map((request) => ({
      ...request,
      config: { ...request.config, cache: store.root, out },
    }));
    const files = requests.map((): string | null => null);
    let full: string | undefined;
    const told = ({ file, record: { error } }: StoredRecord, request: RunRequest) => {
      files[here.indexOf(request)] = path.basename(file);
      if (error?.code === 'DISK_FULL') full ??= error.message;
    };
    // No run fails since another process is at what it needs.
    waitForOthers({ waits: true, job: progress });
    // What this machine lacks for one of them is no fault of the others.
    const refused = await refusedOf(here, progress);
    for (const { request, error } of refused)
      told(await recordFailure(request, error, { stages: [] }), request);
    const runnable = here.filter((request) => !refused.some((each) => each.request === request));
    if (runnable.length > 0) await sweep(runnable, progress, told);
    // It is no fault of the runs: they are measured once there is room.
    if (full !== undefined) throw new BenchError('DISK_FULL', full);
    return { files };
  };
  const about = { dataset: task.request.dataset };
  await store.artifact('findings', inputsOf(task.artifact!, together), make, about);
}

/** What was measured is recorded: nobody asks for it any more. Of a store behind the cache only what lies here goes. */
export async function removeMeasured({ artifact, latency, request }: Task): Promise<void> {
  const store = new Store(request.config.cache);
  // What cannot go stays, for `bench cache prune`.
  await removeUnlocked(store.folderOf('findings', keyOf(inputsOf(artifact!, latency!)))).catch(
    () => undefined,
  );
}

/**
 * The files of the records, in the order of the requests; null for a run that left none.
 * @throws BenchError CACHE_INVALID where they are not there any more, or damaged
 */
export async function measuredBy({ title, artifact, latency, request }: Task): Promise<(string | null)[]> {
  const { cache } = request.config;
  const gone = async (): Promise<{ files: (string | null)[] }> => {
    throw new BenchError('CACHE_INVALID', `What was measured is not in ${cache}: ${title}.`, {
      hint: 'Do this command and its workers name one store?',
    });
  };
  const { folder, facts } = await new Store(cache).artifact('findings', inputsOf(artifact!, latency!), gone);
  return facts.files.map((name) => name && path.join(folder, 'records', name));
}
