/** The tasks of a grid through a real queue and its real workers, with times that are made: nothing is trained or encoded. */
import { setTimeout as wait } from 'node:timers/promises';
import { computeClass } from '../program/compute-class.js';
import { type Progress, silentProgress } from '../progress.js';
import { loadReproduction } from '../reproduction/files.js';
import { gridOf } from '../reproduction/grid.js';
import { type GridTask, gridTasks } from '../reproduction/grid-tasks.js';
import { keyOf } from '../store/hash.js';
import type { TaskChildren } from '../tasks/children.js';
import { openQueue } from '../tasks/queue.js';
import { workOnQueue } from '../tasks/queue-sweep.js';
import { serve } from '../tasks/queue-worker.js';
import { programHere, type Task, type TaskKind } from '../tasks/task.js';

/** Table 2 of the paper, once for each seed: 24 runs, with their trainings and shards. */
export async function paperTasks(seeds: number, ...set: string[]): Promise<readonly GridTask[]> {
  const grid = await gridOf(loadReproduction('table2'), {
    ...{ scale: 'paper', dataset: 'sample', folders: new Map(), models: new Map(), offline: true },
    ...{ cwd: process.cwd(), set },
    flags: { seeds: Array.from({ length: seeds }, (_, i) => i + 1).join() },
  });
  return (await gridTasks(grid)).tasks;
}

export interface Simulated {
  wallMs: number;
  /** Made times of all tasks together. */
  busyMs: number;
  /** How often each was done. */
  done: ReadonlyMap<string, number>;
  /** Why tasks failed. */
  failed: Readonly<Record<string, string>>;
  /** Most that were worked on at once. */
  mostAtOnce: number;
}

/** @param url of a queue that is empty @param msOf a task, its made time */
export async function simulate(
  url: string,
  tasks: readonly GridTask[],
  workers: number,
  msOf: (task: GridTask) => number,
): Promise<Simulated> {
  const byId = new Map(tasks.map((task) => [keyOf(task.id), task]));
  const beside = { program: await programHere(), computeClass: computeClass() };
  const asTask = (of: GridTask): Task => ({
    ...{
      id: keyOf(of.id),
      kind: of.kind satisfies TaskKind,
      title: of.id.slice(0, 80),
      request: of.run.request,
    },
    ...beside,
  });
  const parts = new Map(tasks.map((task) => [task.id, task]));
  const done = new Map<string, number>();
  let [busyMs, atOnce, mostAtOnce] = [0, 0, 0];
  const run: TaskChildren['run'] = async ({ task }) => {
    const own = byId.get(task.id)!;
    if (done.has(own.id)) return { state: 'done' };
    const missing = readyBefore(own, parts, done);
    if (missing.length > 0) return { state: 'waits', for: missing.map(asTask) };
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    const ms = msOf(own);
    if (ms > 0) await wait(ms);
    busyMs += ms;
    atOnce--;
    done.set(own.id, (done.get(own.id) ?? 0) + 1);
    return { state: 'done' };
  };
  const [over, watched] = [new AbortController(), await openQueue(url)];
  const quiet: Progress = { ...silentProgress(), signal: over.signal };
  const serving = Array.from({ length: workers }, async (_, i) => {
    const queue = await openQueue(url);
    await serve(queue, { store: '', atOnce: 1, progress: quiet, name: `worker ${i}`, run });
    await queue.close();
  });
  const started = performance.now();
  const roots = tasks.filter(({ kind }) => kind === 'cell').map(asTask);
  const failed = await workOnQueue(watched, roots, silentProgress());
  const wallMs = performance.now() - started;
  over.abort();
  await Promise.all(serving);
  await watched.close();
  return { wallMs, busyMs, done, failed, mostAtOnce };
}

/** As a real task finds them: what is missing of its chain and waits for nothing more itself. */
function readyBefore(
  task: GridTask,
  parts: ReadonlyMap<string, GridTask>,
  done: ReadonlyMap<string, number>,
): GridTask[] {
  const missing = task.after.filter((id) => !done.has(id)).map((id) => parts.get(id)!);
  const deeper = new Set(missing.flatMap((each) => readyBefore(each, parts, done)));
  return deeper.size > 0 ? [...deeper] : missing;
}
