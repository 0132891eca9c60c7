/** A grid as tasks of many machines (trainings whole, shards of the passages, what is left of a run, and what each waits for), and what they take. */
import { vectorsBytes } from '../index/size.js';
import type { Grid, GridRun } from './grid.js';
import { schedule } from './schedule.js';
import { CollectionSizes } from './sizes.js';
import { encodingHours, type Hours, storedVectors, trainingHours, workOf } from './work.js';

export interface GridTask {
  readonly id: string;
  readonly kind: 'train' | 'encode' | 'cell';
  /** Of which it is a part, the first of those that share it. */
  readonly run: GridRun;
  /** Ids of tasks. */
  readonly after: readonly string[];
  /** Of one GPU, fewest and most, as the paper's figure counts them: it has none for searching. */
  readonly hours: Hours;
  /** What it leaves, of bare vectors. */
  readonly leavesBytes: number;
  /** Vectors that it reads again. */
  readonly readsBytes: number;
}

export interface GridTasks {
  /** Each once, what is waited for first. */
  readonly tasks: readonly GridTask[];
  /** Runs that are left out: of their collection or their training not all is known beforehand. */
  readonly unknown: number;
}

export async function gridTasks(grid: Grid): Promise<GridTasks> {
  const collections = new CollectionSizes(grid);
  const tasks = new Map<string, GridTask>();
  const trained = new Map<string, readonly string[]>();
  let unknown = 0;
  for (const run of grid.runs) {
    if (run.counts) continue;
    const found = await tasksOf(grid, run, collections, trained);
    if (found === undefined) unknown++;
    // One that several runs share is made once.
    for (const task of found ?? []) if (!tasks.has(task.id)) tasks.set(task.id, task);
  }
  return { tasks: [...tasks.values()], unknown };
}

/** @param trained by the key of a run the ids of its last trainings; gets those of this run */
async function tasksOf(
  grid: Grid,
  run: GridRun,
  collections: CollectionSizes,
  trained: Map<string, readonly string[]>,
): Promise<GridTask[] | undefined> {
  const { config } = run.request;
  const sizes = await collections.of(run.request);
  const stored = await storedVectors(grid, run);
  const cell = (after: readonly string[], readsBytes: number): GridTask => ({
    ...{ id: `cell ${run.key}`, kind: 'cell', run, after, hours: [0, 0], leavesBytes: 0, readsBytes },
  });
  if (stored === null) return [cell([], 0)];
  if (sizes === null) return undefined;
  const bytesOf = (passages: number) => vectorsBytes(stored, passages);
  const { trainings, encodings } = await workOf(grid, run);
  const tasks: GridTask[] = [];
  let before = run.after === undefined ? [] : (trained.get(run.after.key) ?? []);
  let mined = 0;
  for (const stage of [1, 2] as const) {
    const ofStage = trainings.filter((each) => each.stage === stage);
    for (const training of ofStage) {
      const hours = trainingHours(grid, run, sizes, training);
      if (hours === null) return undefined;
      const id = `train ${training.key}`;
      tasks.push({ id, kind: 'train', run, after: before, hours, leavesBytes: 0, readsBytes: mined });
    }
    if (ofStage.length > 0) before = ofStage.map(({ key }) => `train ${key}`);
    trained.set(run.key, before);
    for (const { key } of encodings.filter((each) => each.stage === stage)) {
      const shards = shardsOf(sizes.passages, config.encode.shardPassages).map(
        (passages, i): GridTask => ({
          ...{ id: `encode ${key} ${i}`, kind: 'encode', run, after: before },
          ...{ hours: encodingHours(grid, passages), leavesBytes: bytesOf(passages), readsBytes: 0 },
        }),
      );
      tasks.push(...shards);
      before = shards.map(({ id }) => id);
      mined = bytesOf(sizes.passages);
    }
  }
  if (!run.trainsOnly) tasks.push(cell(before, mined));
  return tasks;
}

/** Passages of each. */
function shardsOf(passages: number, shardPassages: number): number[] {
  const count = Math.ceil(passages / shardPassages);
  return Array.from({ length: count }, (_, i) => Math.min(shardPassages, passages - i * shardPassages));
}

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
