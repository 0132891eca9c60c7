/** What a grid takes on so many workers that share a store: hours, disk, bytes that go to the store and come from it. */
import type { Grid } from './grid.js';
import { gridTasks } from './grid-tasks.js';
import { schedule } from './schedule.js';
import type { Hours } from './work.js';

export interface OnWorkers {
  workers: number;
  tasks: number;
  /** Fewest and most, from the first task to the last; null at the scale small, which the paper has no figure for. */
  hours: Hours | null;
  /** The longest chain of tasks that wait for each other. */
  chainHours: Hours | null;
  /** Of the workers' time. */
  idleShare: number | null;
  /** Bare vectors that the store holds at the end; also what is written to it. */
  diskBytes: number;
  /** Vectors read again: by searches and mining, and once more by the machine that times. */
  readBytes: number;
  /** Runs that are left out. */
  unknown: number;
}

export async function onWorkers(grid: Grid, workers: number): Promise<OnWorkers> {
  const { tasks, unknown } = await gridTasks(grid);
  const [low, high] = ([0, 1] as const).map((i) => schedule(tasks, workers, ({ hours }) => hours[i]));
  const isKnown = grid.scale === 'paper';
  const sum = (of: (task: (typeof tasks)[number]) => number) =>
    tasks.reduce((all, each) => all + of(each), 0);
  return {
    ...{ workers, tasks: tasks.length, unknown },
    hours: isKnown ? [low!.length, high!.length] : null,
    chainHours: isKnown ? [low!.chain, high!.chain] : null,
    idleShare: isKnown ? high!.idleShare : null,
    diskBytes: sum(({ leavesBytes }) => leavesBytes),
    readBytes: sum(({ kind, readsBytes }) => (kind === 'cell' ? 2 : 1) * readsBytes),
  };
}
