/** Makes the runs of a grid, and then its table. */
import { BenchError } from '../errors.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import type { DatasetFacts, RunRecord } from '../record.js';
import { Store } from '../store/store.js';
import type { Made } from './facts.js';
import { type ReproducedRow, reproducedRow } from './figures.js';
import type { Grid, GridRun } from './grid.js';
import { runsWithout } from './missing.js';

/** What makes runs: see harness/sweep.ts. */
export type Sweep = (
  requests: readonly RunRequest[],
  progress: Progress,
) => Promise<{
  records: readonly RunRecord[];
  failures: readonly { request: RunRequest; error: Error }[];
}>;

/** What trains and does no more: see harness/sweep/trainings.ts. */
export type Train = (
  requests: readonly RunRequest[],
  progress: Progress,
) => Promise<{
  /** Folders of the checkpoints. */
  checkpoints: ReadonlyMap<RunRequest, string>;
  failures: readonly { request: RunRequest; error: Error }[];
}>;

/** What opens datasets and counts their queries: see harness/sweep/counts.ts. */
export type Count = (
  requests: readonly RunRequest[],
  progress: Progress,
) => Promise<ReadonlyMap<RunRequest, DatasetFacts | Error>>;

/** Whether all of them can begin: see harness/sweep/runnable.ts. */
export type AssertRunnable = (requests: readonly RunRequest[], progress: Progress) => Promise<void>;

export interface Makers {
  assertRunnable: AssertRunnable;
  sweep: Sweep;
  train: Train;
  count: Count;
}

export interface Outcome {
  rows: ReproducedRow[];
  failures: Error[];
  records: RunRecord[];
}

/**
 * Every run of the grid, then the table. A run that fails leaves its error in the cells that it was for.
 * @param without datasets that nothing is run on: the cells that need one stay empty
 * @throws BenchError PATH_INVALID where no run is left; what is wrong with one of them, before any is begun
 */
export async function reproduce(
  grid: Grid,
  { assertRunnable, sweep, train, count }: Makers,
  progress: Progress,
  without: readonly string[] = [],
): Promise<Outcome> {
  const done = new Map<string, Made | Error>();
  const all = runsWithout(grid, without);
  const runs = all.filter(({ counts }) => !counts);
  // What the last run lacks is better known before the first, not after a week of others.
  await assertRunnable(
    runs.map(({ request }) => request),
    progress,
  );
  await countAlone(all, done, count, progress);
  const trained = runs.filter(({ after, trainsOnly }) => after === undefined && !trainsOnly);
  await make(trained, (run) => run.request, done, sweep, progress);
  const checkpoints = await trainAlone(runs, done, train, progress);
  const evaluated = runs.filter(({ after }) => after !== undefined);
  const ready = evaluated.filter(({ key, after }) => {
    const training = done.get(after!.key);
    if (training instanceof Error) done.set(key, training);
    return !(training instanceof Error);
  });
  const fromCheckpoint = ({ request, after }: GridRun) => ({
    ...request,
    init: checkpoints.get(after!.key) ?? checkpointOf(done.get(after!.key) as RunRecord, request),
  });
  await make(ready, fromCheckpoint, done, sweep, progress);
  const results = [...done.values()];
  return {
    rows: grid.rows.map((row) => reproducedRow(grid, row, done)),
    failures: [...new Set(results.filter((result) => result instanceof Error))],
    records: results.filter((result): result is RunRecord => 'measures' in result),
  };
}

/** The runs whose datasets are counted, among what is done. */
async function countAlone(
  runs: readonly GridRun[],
  done: Map<string, Made | Error>,
  count: Count,
  progress: Progress,
): Promise<void> {
  const alone = runs.filter(({ counts }) => counts);
  if (alone.length === 0) return;
  const found = await count(
    alone.map(({ request }) => request),
    progress,
  );
  for (const { key, request } of alone) {
    const dataset = found.get(request)!;
    done.set(key, dataset instanceof Error ? dataset : { dataset });
  }
}

/** The runs that only train: their checkpoints by key, their failures among what is done. */
async function trainAlone(
  runs: readonly GridRun[],
  done: Map<string, Made | Error>,
  train: Train,
  progress: Progress,
): Promise<Map<string, string>> {
  const alone = runs.filter(({ trainsOnly }) => trainsOnly);
  if (alone.length === 0) return new Map();
  const { checkpoints, failures } = await train(
    alone.map(({ request }) => request),
    progress,
  );
  for (const { request, error } of failures)
    done.set(alone.find((run) => run.request === request)!.key, error);
  return new Map(
    alone.flatMap(({ key, request }) => {
      const folder = checkpoints.get(request);
      return folder === undefined ? [] : [[key, folder] as const];
    }),
  );
}

async function make(
  runs: readonly GridRun[],
  requestOf: (run: GridRun) => RunRequest,
  done: Map<string, Made | Error>,
  sweep: Sweep,
  progress: Progress,
): Promise<void> {
  if (runs.length === 0) return;
  const requests = runs.map(requestOf);
  const { records, failures } = await sweep(requests, progress);
  const failed = new Map(failures.map(({ request, error }) => [request, error]));
  // Records come in the order of the requests that did not fail.
  const kept = requests.filter((request) => !failed.has(request));
  if (kept.length !== records.length) {
    throw new Error(`${kept.length} runs ended well and left ${records.length} records`);
  }
  for (const [i, request] of requests.entries()) {
    done.set(runs[i]!.key, failed.get(request) ?? records[kept.indexOf(request)]!);
  }
}

/** The folder of the checkpoint that a run trained and searched. */
function checkpointOf({ stages, arch, dataset }: RunRecord, { config }: RunRequest): string {
  const key = stages.find(({ name }) => name === 'train')?.key;
  if (key === undefined || key === null) {
    throw new BenchError('RECORD_INVALID', `The run of ${arch.name} on ${dataset.name} left no checkpoint.`);
  }
  return new Store(config.cache).folderOf('checkpoints', key);
}
