/** Makes the runs of a grid and puts what they measured beside what was published. */
import { BenchError } from '../errors.js';
import type { RunRequest } from '../pipeline.js';
import type { Progress } from '../progress.js';
import type { RunRecord } from '../record.js';
import { mean, standardDeviation } from '../statistics/summary.js';
import { Store } from '../store/store.js';
import type { Cell, Grid, GridRun } from './grid.js';
import type { ColumnGroup, Row } from './reproduction.js';
import { twinOf } from './settings.js';

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

export interface Makers {
  sweep: Sweep;
  train: Train;
}

/** Why a figure is absent. */
export type Absence =
  | { reason: 'quoted' | 'not run here' }
  | { reason: 'failed' | 'not measured'; code: string; message: string };

/** One column of one row; figures in the unit of the table. */
export interface Figure {
  group: string;
  column: string;
  /** What was measured; `success@5` where it stands in for `answer@5`. */
  measure: string;
  ours: { value: number; deviation?: number; seeds: number } | Absence;
  published: { value: number; deviation?: number } | null;
  /** ours - published; null where either is absent. */
  difference: number | null;
}

export interface ReproducedRow {
  label: string;
  note?: string;
  figures: Figure[];
}

export interface Outcome {
  rows: ReproducedRow[];
  failures: Error[];
  records: RunRecord[];
}

/** Every run of the grid, then the table. A run that fails leaves its error in the cells that it was for. */
export async function reproduce(grid: Grid, { sweep, train }: Makers, progress: Progress): Promise<Outcome> {
  const done = new Map<string, RunRecord | Error>();
  const trained = grid.runs.filter(({ after, trainsOnly }) => after === undefined && !trainsOnly);
  await make(trained, (run) => run.request, done, sweep, progress);
  const checkpoints = await trainAlone(grid.runs, done, train, progress);
  const evaluated = grid.runs.filter(({ after }) => after !== undefined);
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
    records: results.filter((result): result is RunRecord => !(result instanceof Error)),
  };
}

/** The runs that only train: their checkpoints by key, their failures among what is done. */
async function trainAlone(
  runs: readonly GridRun[],
  done: Map<string, RunRecord | Error>,
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
  done: Map<string, RunRecord | Error>,
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

function reproducedRow(grid: Grid, row: Row, done: ReadonlyMap<string, RunRecord | Error>): ReproducedRow {
  const { reproduction } = grid.loaded;
  const scale = reproduction.published.unit === 'percent' ? 100 : 1;
  const figures: Figure[] = [];
  for (const group of grid.groups) {
    // What stands for another dataset goes by its own name.
    const label = grid.scale === 'small' ? (grid.runs[0]?.request.dataset ?? group.label) : group.label;
    const cell = grid.cells.find((each) => each.row === row && each.group === group);
    const first = firstColumn(reproduction.groups, group);
    for (const [i, { label: column, measure }] of group.columns.entries()) {
      const { measured, ours } = oursOf(row, cell, measure, scale, done);
      figures.push(figureOf({ group: label, column, measure: measured }, ours, row, first + i));
    }
  }
  if (reproduction.average !== undefined && grid.scale === 'paper') {
    const column = { group: reproduction.average, column: reproduction.groups[0]!.columns[0]!.label };
    const measure = reproduction.groups[0]!.columns[0]!.measure;
    figures.push(figureOf({ ...column, measure }, averageOf(figures), row, figures.length));
  }
  return { label: row.label, ...(row.note !== undefined && { note: row.note }), figures };
}

/** Where a group's columns begin among all columns of the file. */
function firstColumn(groups: readonly ColumnGroup[], group: ColumnGroup): number {
  return groups.slice(0, groups.indexOf(group)).reduce((sum, { columns }) => sum + columns.length, 0);
}

function figureOf(
  column: Pick<Figure, 'group' | 'column' | 'measure'>,
  ours: Figure['ours'],
  row: Row,
  place: number,
): Figure {
  const value = row.published[place] ?? null;
  const deviation = row.deviations?.[place] ?? null;
  const published = value === null ? null : { value, ...(deviation !== null && { deviation }) };
  const difference = published === null || !('value' in ours) ? null : ours.value - published.value;
  return { ...column, ours, published, difference };
}

function oursOf(
  row: Row,
  cell: Cell | undefined,
  measure: string,
  scale: number,
  done: ReadonlyMap<string, RunRecord | Error>,
): { measured: string; ours: Figure['ours'] } {
  if (row.architecture === undefined) return { measured: measure, ours: { reason: 'quoted' } };
  if (cell === undefined) return { measured: measure, ours: { reason: 'not run here' } };
  const results = cell.seeds.map(({ runs }) => runs.map(({ key }) => done.get(key)!));
  const error = results.flat().find((result) => result instanceof Error);
  if (error !== undefined) {
    const code = error instanceof BenchError ? error.code : error.name;
    return { measured: measure, ours: { reason: 'failed', code, message: error.message } };
  }
  const records = results as RunRecord[][];
  const holds = (id: string) => records.flat().every(({ measures }) => measures[id] !== undefined);
  const measured = [measure, ...twinOf(measure)].find(holds);
  if (measured === undefined) {
    const message = `${measure} cannot be measured on ${records[0]![0]!.dataset.name}`;
    return { measured: measure, ours: { reason: 'not measured', code: 'absent', message } };
  }
  const values = records.map((each) => scale * mean(each.map(({ measures }) => measures[measured]!.mean)));
  const deviation = standardDeviation(values);
  return {
    measured,
    ours: { value: mean(values), ...(deviation !== undefined && { deviation }), seeds: values.length },
  };
}

/** The mean over the columns so far, where each of them has a figure. */
function averageOf(figures: readonly Figure[]): Figure['ours'] {
  const values = figures.map(({ ours }) => ('value' in ours ? ours.value : undefined));
  const known = values.filter((value) => value !== undefined);
  if (known.length === values.length) {
    const seeds = figures.map(({ ours }) => ('value' in ours ? ours.seeds : 0));
    return { value: mean(known), seeds: Math.min(...seeds) };
  }
  const quoted = figures.every(({ ours }) => 'reason' in ours && ours.reason === 'quoted');
  if (quoted) return { reason: 'quoted' };
  const message = `${values.length - known.length} of ${values.length} figures are absent`;
  return { reason: 'not measured', code: 'absent', message };
}
