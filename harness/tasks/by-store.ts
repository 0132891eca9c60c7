/**
 * Work on a sweep beside others, with nothing between them but the store that they share: each does what nobody else is at,
 * and ends when nothing is left. Whoever holds an artifact's lock is at it; one that dies lets go of it.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { closing } from '../closing.js';
import { BenchError } from '../errors.js';
import type { Progress } from '../progress.js';
import { KeptRun } from './kept-run.js';
import { runTask as doTask, type TaskOutcome, type TaskPlace } from './run-task.js';
import type { Task } from './task.js';

export interface Worked {
  /** Tasks that this process did, in the order in which they were done. */
  readonly done: readonly Task[];
  readonly failed: readonly { readonly task: Task; readonly error: Error }[];
}

export interface Working {
  readonly store: string;
  readonly progress: Progress;
  /** Which worker this is, from 0: each begins at another task. */
  readonly worker?: number;
  /** Between two looks at what others are at. */
  readonly pauseMs?: number;
  readonly runTask?: (task: Task, place: TaskPlace) => Promise<TaskOutcome>;
}

/** @throws BenchError INTERRUPTED */
export async function workBeside(roots: readonly Task[], working: Working): Promise<Worked> {
  const { progress, pauseMs = 5000 } = working;
  const work = new Work(working);
  return closing(work.kept, async () => {
    for (;;) {
      const states = [];
      for (const root of turned(roots, working.worker)) states.push(await work.on(root));
      if (!states.includes('busy')) return work;
      progress.checkInterrupted();
      await wait(pauseMs);
      progress.checkInterrupted();
    }
  });
}

/** Begun at another place by every worker, so that they seldom want the same. */
function turned<T>(all: readonly T[], worker = 0): T[] {
  const start = all.length === 0 ? 0 : worker % all.length;
  return [...all.slice(start), ...all.slice(0, start)];
}

class Work implements Worked {
  readonly done: Task[] = [];
  readonly failed: { task: Task; error: Error }[] = [];
  readonly kept = new KeptRun();
  readonly #states = new Map<string, 'done' | 'failed'>();
  readonly #reasons: Record<string, string> = {};

  constructor(readonly working: Working) {}

  /** @returns busy where another is at it, or at what it waits for */
  async on(task: Task): Promise<'done' | 'failed' | 'busy'> {
    const { progress, store, worker, runTask = doTask } = this.working;
    const known = this.#states.get(task.id);
    if (known !== undefined) return known;
    for (;;) {
      progress.checkInterrupted();
      let outcome: TaskOutcome;
      try {
        outcome = await runTask(task, { store, progress, failed: this.#reasons, kept: this.kept });
      } catch (error) {
        return this.#ended(task, error);
      }
      if (outcome.state === 'done') {
        this.done.push(task);
        progress.note(`done: ${task.title}`);
        this.#states.set(task.id, 'done');
        return 'done';
      }
      const states = [];
      for (const before of turned(outcome.for, worker)) states.push(await this.on(before));
      if (states.includes('busy')) return 'busy';
    }
  }

  async #ended(task: Task, error: unknown): Promise<'failed' | 'busy'> {
    // Asked for before anything is made: what is open is as it was.
    if (error instanceof BenchError && error.code === 'LOCKED') return 'busy';
    // It may have left anything open.
    await this.kept.close();
    if (error instanceof BenchError && error.code === 'INTERRUPTED') throw error;
    if (!(error instanceof Error)) throw error;
    this.failed.push({ task, error });
    this.#states.set(task.id, 'failed');
    this.#reasons[task.id] = error.message;
    this.working.progress.note(`failed: ${task.title}: ${error.message}`);
    return 'failed';
  }
}
