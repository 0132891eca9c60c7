/** How `bench reproduce` prints a plan and a table on the terminal. */

import path from 'node:path';
import { counted } from '../counted.js';
import { byteSize, duration } from '../progress.js';
import {
  headingOf,
  notesOf,
  placesOf,
  type ReproductionDocument,
  titleOf,
} from '../reproduction/document.js';
import type { Estimate, RunEstimate } from '../reproduction/estimate.js';
import type { Grid } from '../reproduction/grid.js';
import type { OnWorkers } from '../reproduction/grid-tasks.js';
import type { TimeHere } from '../reproduction/time-here.js';
import type { EpochSteps } from '../reproduction/work.js';
import { lined, noteLines } from './lines.js';
import { renderTable } from './table.js';

/** A table for each group of columns: ours, published, difference. */
export function tableText({ title, heading, rows, notes }: ReproductionDocument): string {
  const groups = [...new Set(rows.flatMap(({ figures }) => figures.map(({ group }) => group)))];
  const tables = groups.map((group) => {
    const ofGroup = (figures: ReproductionDocument['rows'][number]['figures']) =>
      figures.filter((figure) => figure.group === group);
    const columns = ofGroup(rows[0]?.figures ?? []);
    const header = [group, ...columns.flatMap(({ column }) => [column, 'paper', 'diff'])];
    const lines = rows.map(({ label, figures }) => [label, ...ofGroup(figures).flatMap(placesOf)]);
    return renderTable(header, lines, `l${'r'.repeat(header.length - 1)}`, 1);
  });
  return `${title}\n${lined(heading)}\n${tables.join('\n')}\n${noteLines(notes)}`;
}

/**
 * What would be run, and what it would take.
 * @param missing datasets that cannot be downloaded and have no folder
 * @param here what this machine has, in words, and how long it takes there
 * @param shared on many machines; not asked for where absent
 */
export function planText(
  grid: Grid,
  estimate: Estimate,
  missing: readonly string[],
  here: { room: string; time: TimeHere },
  shared?: OnWorkers,
): string {
  const { loaded, scale } = grid;
  const models = new Set(grid.runs.map(({ request }) => request.config.model.name));
  const cost = scale === 'small' ? [] : ['GPU hours'];
  const header = [
    '',
    'run',
    'dataset',
    'seed',
    'passages',
    'vectors',
    'index',
    ...cost,
    'time here',
    'fills',
  ];
  const lines = estimate.runs.map((run, i) => {
    const hoursCell = scale === 'small' ? [] : [run.gpuHours === null ? '-' : hours(run.gpuHours)];
    const time = here.time.runs[i];
    const timeCell = time ? duration(1000 * time.seconds) : '?';
    return [String(i + 1), ...planLine(run, models.size > 1), ...hoursCell, timeCell, run.rows.join('; ')];
  });
  const table = renderTable(header, lines, `rllrrrr${scale === 'small' ? '' : 'r'}rl`, 1);
  const { passages, indexBytes, gpuHours, unknown } = estimate;
  const totals = [
    `${counted(grid.runs.length, 'runs')}; ${counted(passages, 'passages')} to encode, what several runs share counted once`,
    `index bytes: ${byteSize(indexBytes)} of bare vectors (${count(indexBytes)} bytes), all indexes together`,
    gpuHours === null
      ? 'GPU hours: none, this runs on any machine'
      : `GPU hours: ${hours(gpuHours)} of ${loaded.reproduction.cost.gpu}, an estimate: ${basisOf(grid)}`,
    `this machine: ${here.room}; the largest index is ${byteSize(largestIndex(estimate))}`,
    `time here: ${timeText(here.time)}`,
    ...(shared === undefined ? [] : sharedLines(shared, loaded.reproduction.cost.gpu)),
    ...(unknown === 0
      ? []
      : [
          `${counted(unknown, 'runs are', 'run is')} left out of some sum: not all of what is done is known beforehand`,
        ]),
    'what is in the cache is not made again',
    ...(missing.length === 0
      ? []
      : [`MISSING, to be given with --data NAME=DIR (or --without-missing): ${missing.join(', ')}`]),
  ];
  const head = [titleOf(loaded.reproduction), `plan of ${loaded.name}, scale ${scale}`, ...headingOf(grid)];
  const steps = stepsTable(estimate);
  return `${lined(head)}\n${table}\n${lined(totals)}\n${steps}${noteLines(notesOf(grid))}`;
}

function sharedLines(
  { workers, tasks, hours: all, chainHours, idleShare, diskBytes, readBytes, unknown }: OnWorkers,
  gpu: string,
): string[] {
  const rest =
    unknown === 0
      ? ''
      : `; ${counted(unknown, 'runs, of which not all is known, are', 'run, of which not all is known, is')} left out`;
  const time =
    all === null || chainHours === null || idleShare === null
      ? 'hours not known: the paper has a figure for its own scale alone'
      : `${hours(all)} hours, with a ${gpu} each, ${(100 * idleShare).toFixed(1)} % of them idle; the longest chain of one run takes ${hours(chainHours)} hours, which no more workers shorten; without searches, which the paper has no figure for`;
  return [
    `${counted(workers, 'workers')}: ${counted(tasks, 'tasks')}; ${time}${rest}`,
    `shared disk: ${byteSize(diskBytes)} of bare vectors, which stay while machines share it (keep=all); checkpoints and collections beside`,
    `bytes moved: ${byteSize(diskBytes)} of vectors written to it, ${byteSize(readBytes)} read, by searches and, once more, where latencies are measured`,
  ];
}

/** The figures that were measured, and why others were not. */
function timeText({ runs, seconds, unknown, reasons, engine }: TimeHere): string {
  const by = engine === undefined ? '' : ` with ${engine}`;
  const why = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
  if (unknown === runs.length) return `not known${by}${why}`;
  const rest = unknown === 0 ? '' : `; of ${counted(unknown, 'runs')} not all is known${why}`;
  return `about ${duration(1000 * seconds)}${by}, every run by itself, measured now for seconds (bench run --dry-run says of one what each figure rests on)${rest}`;
}

/** Steps per epoch beside those of the paper's code; nothing where the file does not know them. */
function stepsTable({ steps }: Estimate): string {
  if (steps.length === 0) return '';
  const bound = (steps: EpochSteps['ours']) =>
    steps === null ? '?' : `${steps.atMost ? 'at most ' : ''}${count(steps.value)}`;
  const lines = steps.map(({ dataset, stage, batchSize, ours, published }) => [
    dataset,
    stage === 1 ? 'first or only' : 'second',
    count(batchSize),
    bound(ours),
    bound(published),
  ]);
  const header = ['steps per epoch', 'stage', 'batch', 'here', "paper's code"];
  return `${renderTable(header, lines, 'llrrr', 1)}\n`;
}

function planLine(
  { run, passages, encodings, vectors, atMost, usesLambda, indexBytes }: RunEstimate,
  severalModels: boolean,
): string[] {
  const { architecture, dataset, seed, config } = run.request;
  if (run.counts) return ['(counts its queries)', dataset, '-', '-', '-', '-'];
  const { layers, vectors: m, lambda } = config.arch;
  const isSearched = !run.trainsOnly || encodings > 0;
  const settings = [
    ...(layers === null ? [] : [`S=${listed(layers)}`]),
    ...(m === null ? [] : [`m=${m}`]),
    ...(lambda === null || !usesLambda ? [] : [`λ=${listed(lambda)}`]),
    ...(config.stages === 2 ? ['2 stages'] : []),
    ...(severalModels && vectors !== null ? [path.basename(config.model.name)] : []),
    ...(run.after === undefined ? [] : [`trained on ${run.after.request.dataset}`]),
    ...(run.trainsOnly ? ['(trains only)'] : []),
  ];
  return [
    [architecture, ...settings].join(' '),
    dataset,
    String(seed),
    isSearched ? passagesCell(passages, encodings) : '-',
    vectors === null || !isSearched ? '-' : `${atMost ? '<= ' : ''}${vectors}`,
    indexBytes === null ? '-' : byteSize(indexBytes),
  ];
}

function largestIndex({ runs }: Estimate): number {
  return Math.max(0, ...runs.map(({ indexBytes }) => indexBytes ?? 0));
}

function basisOf({ loaded: { reproduction } }: Grid): string {
  const { quote, trainedPassageWeight: weight } = reproduction.cost;
  return `in proportion to passages encoded and trained on (one trained counts as ${weight} encoded), from the paper's "${quote}"`;
}

function passagesCell(passages: number | null, encodings: number): string {
  return passages === null ? '?' : `${count(passages)}${encodings > 1 ? ` x ${encodings}` : ''}`;
}

const listed = (value: unknown) => (Array.isArray(value) ? `{${value.join(',')}}` : String(value));
const count = (value: number) => value.toLocaleString('en-US');
const hour = (value: number) => (value > 0 && value < 0.5 ? '<1' : count(Math.round(value)));
const hours = ([low, high]: readonly [number, number]) =>
  hour(low) === hour(high) ? hour(low) : `${hour(low)} to ${hour(high)}`;
