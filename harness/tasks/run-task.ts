/** The only thing that an engine of tasks calls: does a task, or says what is to be done before. */
import { BenchError } from '../errors.js';
import { prepare } from '../pipeline/prepare.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { StageLog } from '../pipeline/stage-log.js';
import { makeCell } from '../pipeline.js';
import { computeClass } from '../program/compute-class.js';
import type { Progress } from '../progress.js';
import { lockOf } from '../store/artifact.js';
import { assertNotHeld } from '../store/lock.js';
import { Store } from '../store/store.js';
import { standAsAsked } from './bare-request.js';
import type { KeptRun } from './kept-run.js';
import { Finished, Sharing, Waits } from './sharing.js';
import { programHere, type Task } from './task.js';

export type TaskOutcome =
  | { readonly state: 'done' }
  | { readonly state: 'waits'; readonly for: readonly Task[] };

export interface TaskPlace {
  /** Folder of the store that all machines share. */
  readonly store: string;
  /** Why tasks failed that this one waited for, by their ids. */
  readonly failed: Readonly<Record<string, string>>;
  readonly progress: Progress;
  /** What stays open for the next task; nothing where absent. */
  readonly kept?: KeptRun;
}

/**
 * Work that was begun and killed goes on.
 * @throws BenchError UNAVAILABLE for a task of another program or another class of machines, and whatever its run fails with
 */
export async function runTask(
  task: Task,
  { store: root, failed, progress, kept }: TaskPlace,
): Promise<TaskOutcome> {
  await assertOurs(task);
  const store = new Store(root, { told: progress });
  if (await isDone(task, store)) return { state: 'done' };
  const request = { ...task.request, config: { ...task.request.config, cache: root } };
  try {
    if (task.leaves !== undefined) {
      // Before the run is opened for it.
      await assertNotHeld(lockOf(store.folderOf(task.leaves.kind, task.leaves.key)));
    }
    for (const each of task.latency?.requests ?? [request]) standAsAsked(each);
    if (task.latency !== undefined) {
      const { measure } = await import('./latency.js');
      await measure(task, task.latency, store, progress);
    } else if (!(await isPieceMade(task, request, kept, progress)))
      await makeRun(task, request, store, progress);
  } catch (error) {
    if (error instanceof Waits) return waiting(error.tasks, failed);
    if (!(error instanceof Finished)) throw error;
  }
  return { state: 'done' };
}

/** Another may have done it meanwhile, or made the whole of its pieces, which are gone then. */
async function isDone({ leaves, artifact }: Task, store: Store): Promise<boolean> {
  if (leaves === undefined) return false;
  const keys = new Set([leaves.key, artifact!]);
  for (const key of keys) if (await store.has(leaves.kind, key)) return true;
  return false;
}

/**
 * Goes straight to the stage that a piece is of, rather than by all that its run does before.
 * @returns false where nothing is kept, or the stage is not known before others are made
 * @throws Waits, Finished
 */
async function isPieceMade(
  task: Task,
  request: RunRequest,
  kept: KeptRun | undefined,
  progress: Progress,
): Promise<boolean> {
  const { artifact, piece } = task;
  // Trainings and indexes need the memory.
  if (artifact === undefined || piece === undefined) await kept?.close();
  else {
    const found = await kept?.stage(request, artifact, progress);
    if (found !== undefined) {
      await found.run.place(progress, new Sharing(task)).made(found.stage);
      return true;
    }
  }
  return false;
}

/** @throws Waits, Finished */
async function makeRun(task: Task, request: RunRequest, store: Store, progress: Progress): Promise<void> {
  const log = new StageLog(store, undefined, new Sharing(task));
  const prepared = await log.plain('prepare', () => prepare(request, progress, store));
  await makeCell(request, prepared, log, progress);
}

/** @throws BenchError TASK_FAILED where one of them has failed */
function waiting(tasks: readonly Task[], failed: TaskPlace['failed']): TaskOutcome {
  const reason = tasks.map(({ id }) => failed[id]).find((each) => each !== undefined);
  if (reason !== undefined) throw new BenchError('TASK_FAILED', reason);
  return { state: 'waits', for: tasks };
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
