/** All tasks of a sweep before any is done, numbered, with what they wait for: for a scheduler that takes arrays of jobs. */
import { closing } from '../closing.js';
import { openRun } from '../pipeline/open-run.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { computeClass } from '../program/compute-class.js';
import type { Progress } from '../progress.js';
import { inOrder, inputKey, isChosen, type Need } from '../stages/graph.js';
import { bareRequest } from './bare-request.js';
import { tasksOf } from './sharing.js';
import { cellTask, programHere, type Task } from './task.js';

export interface PlannedTask {
  /** From 0; the same for the same command on the same version of bench, whatever is done. */
  readonly number: number;
  /** Tasks of one level wait for tasks of lower levels alone, and stand one behind the other. */
  readonly level: number;
  /** Numbers of tasks. */
  readonly waits: readonly number[];
  readonly task: Task;
}

interface Found {
  readonly task: Task;
  readonly after: readonly string[];
}

/**
 * Opens every dataset, and brings it and the models where they are not here. What is chosen by a training is not known before:
 * whatever is behind such a choice is a part of its run's last task.
 * @throws BenchError as the runs would
 */
export async function planTasks(requests: readonly RunRequest[], progress: Progress): Promise<PlannedTask[]> {
  const beside = { program: await programHere(), computeClass: computeClass() };
  // A training that several runs share is one task.
  const found = new Map<string, Found>();
  for (const request of await Promise.all(requests.map(bareRequest))) {
    progress.checkInterrupted();
    for (const each of await ofRun(cellTask(beside, request), progress))
      if (!found.has(each.task.id)) found.set(each.task.id, each);
  }
  return numbered([...found.values()]);
}

async function ofRun(cell: Task, progress: Progress): Promise<Found[]> {
  return closing(await openRun(cell.request, progress), async (run) => {
    const bench = run.place(progress);
    const found: Found[] = [];
    const tasks = new Map<Need, readonly Task[]>();
    for (const stage of inOrder(run.stages)) {
      if (stage.task === undefined || !isChosen(stage)) continue;
      // How an index is cut that is not made in pieces is known once it is there: numbers would change with what is done.
      const { shards } = stage.needs;
      if (stage.task === 'search' && shards && 'make' in shards && shards.pieces === undefined) continue;
      const pieces = await stage.pieces?.(bench, inputKey(stage));
      // Too little to be cut: it belongs to the cell.
      if (stage.pieces !== undefined && pieces === undefined) continue;
      const own = tasksOf(cell, stage, pieces);
      tasks.set(stage, own);
      const after = idsBefore(Object.values(stage.needs), tasks);
      found.push(...own.map((task) => ({ task, after })));
    }
    return [...found, { task: cell, after: idsBefore(run.stages, tasks) }];
  });
}

const needsOf = (need: Need): readonly (Need | undefined)[] =>
  'among' in need ? need.among : 'make' in need ? Object.values(need.needs) : [];

/** Of the nearest stages that are tasks of their own. */
function idsBefore(
  needs: readonly (Need | undefined)[],
  tasks: ReadonlyMap<Need, readonly Task[]>,
): string[] {
  const ids = needs.flatMap((need) => {
    if (need === undefined) return [];
    return tasks.get(need)?.map(({ id }) => id) ?? idsBefore(needsOf(need), tasks);
  });
  return [...new Set(ids)];
}

/** @param found what is waited for first */
function numbered(found: readonly Found[]): PlannedTask[] {
  const levels = new Map<string, number>();
  const before = new Map<string, ReadonlySet<string>>();
  for (const { task, after } of found) {
    levels.set(task.id, Math.max(-1, ...after.map((id) => levels.get(id)!)) + 1);
    before.set(task.id, new Set(after.flatMap((id) => [id, ...before.get(id)!])));
  }
  const isSaid = (id: string, after: readonly string[]) => after.some((other) => before.get(other)!.has(id));
  const sorted = [...found].sort((a, b) => levels.get(a.task.id)! - levels.get(b.task.id)!);
  const numbers = new Map(sorted.map(({ task }, number) => [task.id, number]));
  return sorted.map(({ task, after }, number) => ({
    ...{ number, level: levels.get(task.id)!, task },
    // Who waits for a shard waits for its training.
    waits: after
      .filter((id) => !isSaid(id, after))
      .map((id) => numbers.get(id)!)
      .sort((a, b) => a - b),
  }));
}
