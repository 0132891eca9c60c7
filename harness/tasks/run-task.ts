/** The only thing that an engine of tasks calls: does a task, or says what is to be done before. */
import { BenchError } from '../errors.js';
import { prepare } from '../pipeline/prepare.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { StageLog } from '../pipeline/stage-log.js';
import { makeCell } from '../pipeline.js';
import { computeClass } from '../program/compute-class.js';
import type { Progress } from '../progress.js';
import { Store } from '../store/store.js';
import { titleOf } from '../sweep/cell-lines.js';
import { recordFailure } from '../sweep/recording.js';
import { sweep } from '../sweep.js';
import { Finished, Sharing, Waits } from './sharing.js';
import { programHere, type Task } from './task.js';

export type TaskOutcome =
  | {
      readonly state: 'done' /** Files of the records that were written. */;
      readonly records: readonly string[];
    }
  | { readonly state: 'waits'; readonly for: readonly Task[] };

export interface TaskPlace {
  /** Folder of the store that all machines share. */
  readonly store: string;
  /** Why tasks failed that this one waited for, by their ids. */
  readonly failed: Readonly<Record<string, string>>;
  readonly progress: Progress;
}

/**
 * Work that was begun and killed goes on.
 * @throws BenchError UNAVAILABLE for a task of another program or another class of machines, and whatever its run fails with
 */
export async function runTask(task: Task, place: TaskPlace): Promise<TaskOutcome> {
  await assertOurs(task);
  const { progress } = place;
  const requests = task.requests.map((request) => ({
    ...request,
    config: { ...request.config, cache: place.store },
  }));
  const { leaves } = task;
  // Another has done it meanwhile.
  if (leaves !== undefined && (await new Store(place.store).has(leaves.kind, leaves.key)))
    return { state: 'done', records: [] };
  const waits: Task[] = [];
  const failures = new Map<RunRequest, string>();
  for (const request of requests) {
    const missing = await missingFor(task, request, place);
    const reason = missing.map(({ id }) => place.failed[id]).find((each) => each !== undefined);
    if (reason === undefined) waits.push(...missing);
    else failures.set(request, reason);
  }
  if (waits.length > 0) return { state: 'waits', for: waits };
  if (task.kind !== 'latency') {
    for (const reason of failures.values()) throw new BenchError('TASK_FAILED', reason);
    return { state: 'done', records: [] };
  }
  return { state: 'done', records: await timeGroup(requests, failures, progress) };
}

/** Goes through a run as far as it can: what there is of it is done then. @returns what it waits for */
async function missingFor(task: Task, request: RunRequest, place: TaskPlace): Promise<readonly Task[]> {
  const { progress } = place;
  const store = new Store(place.store, { told: progress });
  const log = new StageLog(store, undefined, new Sharing(task, request));
  const prepared = await log.plain('prepare', () => prepare(request, progress, store));
  try {
    await makeCell(request, prepared, log, progress);
    return [];
  } catch (error) {
    if (error instanceof Waits) return error.tasks;
    if (error instanceof Finished) return [];
    throw error;
  }
}

/** Times what could be made, in turns, and leaves a record of every run. */
async function timeGroup(
  requests: readonly RunRequest[],
  failures: ReadonlyMap<RunRequest, string>,
  progress: Progress,
): Promise<string[]> {
  const records: string[] = [];
  for (const [request, reason] of failures) {
    const error = new BenchError('TASK_FAILED', reason);
    const { file } = await recordFailure(request, error, { stages: [] });
    progress.note(`${titleOf(request)}: ${reason}\nrecord of the failure: ${file}`);
    records.push(file);
  }
  const whole = requests.filter((request) => !failures.has(request));
  if (whole.length > 0) await sweep(whole, progress, ({ file }) => records.push(file));
  return records;
}

async function assertOurs({ program, computeClass: wanted, title }: Task): Promise<void> {
  const refuse = (what: string, asked: string, here: string) => {
    throw new BenchError('UNAVAILABLE', `${title}: it is a task for ${what} ${asked}, and this is ${here}.`, {
      hint: 'Its numbers would be others. Let machines of one kind, with one version of bench, work on one sweep.',
    });
  };
  const own = await programHere();
  if (program !== own) refuse('bench', program, own);
  if (wanted !== computeClass()) refuse('machines of the class', wanted, computeClass());
}
