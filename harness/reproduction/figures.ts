/** What the runs of a grid measured beside what was published: a table's rows, figure by figure. */
import { BenchError } from '../errors.js';
import type { RunRecord } from '../record.js';
import { mean, standardDeviation } from '../statistics/summary.js';
import type { Cell, Grid } from './grid.js';
import type { ColumnGroup, Row } from './reproduction.js';
import { twinOf } from './settings.js';
import { type Significance, significanceOf } from './significance.js';

/** Why a figure is absent. */
export type Absence =
  | { reason: 'quoted' | 'not run here' | 'left out' }
  | { reason: 'failed' | 'not measured'; code: string; message: string };

/** One column of one row; figures in the unit of the table. */
export interface Figure {
  group: string;
  column: string;
  /** What was measured; `success@5` where it stands in for `answer@5`. */
  measure: string;
  ours: { value: number; deviation?: number; seeds: number } | Absence;
  published: { value: number; deviation?: number; isSignificant?: boolean } | null;
  /** Our own test, where the paper tests this row against another. */
  significance?: Significance;
  /** ours - published; null where either is absent. */
  difference: number | null;
}

export interface ReproducedRow {
  label: string;
  note?: string;
  figures: Figure[];
}

/** @param done what became of each run, by its key */
export function reproducedRow(
  grid: Grid,
  row: Row,
  done: ReadonlyMap<string, RunRecord | Error>,
): ReproducedRow {
  const { reproduction } = grid.loaded;
  const scale = reproduction.published.unit === 'percent' ? 100 : 1;
  const figures: Figure[] = [];
  for (const group of grid.groups) {
    // What stands for another dataset goes by its own name.
    const label = grid.scale === 'small' ? (grid.runs[0]?.request.dataset ?? group.label) : group.label;
    const cellIn = (name?: string) =>
      grid.cells.find((each) => each.row.label === name && each.group === group);
    const cell = cellIn(row.label);
    const first = firstColumn(reproduction.groups, group);
    const own: Figure[] = [];
    for (const [i, { label: column, measure }] of group.columns.entries()) {
      const { measured, ours } = oursOf(row, cell, measure, scale, done);
      own.push(figureOf({ group: label, column, measure: measured }, ours, row, first + i));
    }
    figures.push(...tested(own, cell, cellIn(row.testedAgainst), done));
  }
  if (reproduction.average !== undefined && grid.scale === 'paper') {
    const column = { group: reproduction.average, column: reproduction.groups[0]!.columns[0]!.label };
    const measure = reproduction.groups[0]!.columns[0]!.measure;
    figures.push(figureOf({ ...column, measure }, averageOf(figures), row, figures.length));
  }
  return { label: row.label, ...(row.note !== undefined && { note: row.note }), figures };
}

/** Figures of one cell with the tests against another row; as they are where there is no such row. */
function tested(
  figures: readonly Figure[],
  cell: Cell | undefined,
  other: Cell | undefined,
  done: ReadonlyMap<string, RunRecord | Error>,
): readonly Figure[] {
  const measures = figures.flatMap(({ ours, measure }) => ('value' in ours ? [measure] : []));
  if (cell === undefined || other === undefined || measures.length === 0) return figures;
  const found = significanceOf(cell, other, measures, done);
  return figures.map((figure) => {
    const significance = 'value' in figure.ours ? found?.get(figure.measure) : undefined;
    return significance === undefined ? figure : { ...figure, significance };
  });
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
  const isSignificant = row.significant?.[place];
  const published =
    value === null
      ? null
      : {
          value,
          ...(deviation !== null && { deviation }),
          ...(isSignificant !== undefined && { isSignificant }),
        };
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
  if (cell.seeds.some(({ runs }) => runs.some(({ key }) => !done.has(key))))
    return { measured: measure, ours: { reason: 'left out' } };
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
