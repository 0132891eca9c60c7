/** What the runs of a grid measured beside what was published: a table's rows, figure by figure. */
import { BenchError } from '../errors.js';
import type { RunRecord } from '../record.js';
import { mean, standardDeviation } from '../statistics/summary.js';
import { factNamed, type Made } from './facts.js';
import type { Grid, GridEntry } from './grid.js';
import {
  type Column,
  type ColumnGroup,
  type Reproduction,
  type Row,
  shownIn,
  type Unit,
} from './reproduction.js';
import { twinOf } from './settings.js';
import { type Significance, significanceOf } from './significance.js';

/** Why a figure is absent. */
export type Absence =
  | { reason: 'quoted' | 'not run here' | 'left out' }
  | { reason: 'failed' | 'not measured'; code: string; message: string };

/** One column of one row; figures in the unit of the column. */
export interface Figure {
  group: string;
  column: string;
  /** What was measured; `success@5` where it stands in for `answer@5`. Of a column that shows a fact, the fact. */
  measure: string;
  unit: Unit;
  /** Digits after the point, as printed. */
  decimals: number;
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
export function reproducedRow(grid: Grid, row: Row, done: ReadonlyMap<string, Made | Error>): ReproducedRow {
  const { reproduction } = grid.loaded;
  const figures: Figure[] = [];
  for (const group of grid.groups) {
    // What stands for another dataset goes by its own name.
    const label = grid.scale === 'small' ? (grid.runs[0]?.request.dataset ?? group.label) : group.label;
    const entryIn = (name?: string) =>
      grid.entries.find((each) => each.row.label === name && each.group === group);
    const entry = entryIn(row.label);
    const first = firstColumn(reproduction.groups, group);
    const own: Figure[] = [];
    for (const [i, column] of group.columns.entries()) {
      const { measured, ours } = oursOf(row, entry, column, inUnit(column, reproduction), done);
      own.push(figureOf({ group: label, column, measured, reproduction }, ours, row, first + i));
    }
    figures.push(...tested(own, entry, entryIn(row.testedAgainst), done));
  }
  if (reproduction.average !== undefined && grid.scale === 'paper') {
    const column = reproduction.groups[0]!.columns[0]!;
    const place = { group: reproduction.average, column, measured: shownIn(column), reproduction };
    figures.push(figureOf(place, averageOf(figures), row, figures.length));
  }
  return { label: row.label, ...(row.note !== undefined && { note: row.note }), figures };
}

/** Figures of one entry with the tests against another row; as they are where there is no such row. */
function tested(
  figures: readonly Figure[],
  entry: GridEntry | undefined,
  other: GridEntry | undefined,
  done: ReadonlyMap<string, Made | Error>,
): readonly Figure[] {
  const measures = figures.flatMap(({ ours, measure }) => ('value' in ours ? [measure] : []));
  if (entry === undefined || other === undefined || measures.length === 0) return figures;
  const found = significanceOf(entry, other, measures, done);
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
  {
    group,
    column,
    measured: measure,
    reproduction,
  }: { group: string; column: Column; measured: string; reproduction: Reproduction },
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
  const { unit, decimals } = { ...reproduction.published, ...column };
  return { group, column: column.label, measure, unit, decimals, ours, published, difference };
}

/** What a number of a record is multiplied by. */
function inUnit({ unit }: Column, { published }: Reproduction): number {
  const factors: Partial<Record<Unit, number>> = { percent: 100, GiB: 2 ** -30 };
  return factors[unit ?? published.unit] ?? 1;
}

function oursOf(
  row: Row,
  entry: GridEntry | undefined,
  column: Column,
  scale: number,
  done: ReadonlyMap<string, Made | Error>,
): { measured: string; ours: Figure['ours'] } {
  const measure = shownIn(column);
  if (row.architecture === undefined && !row.counts) return { measured: measure, ours: { reason: 'quoted' } };
  if (entry === undefined) return { measured: measure, ours: { reason: 'not run here' } };
  if (entry.seeds.some(({ runs }) => runs.some(({ key }) => !done.has(key))))
    return { measured: measure, ours: { reason: 'left out' } };
  const results = entry.seeds.map(({ runs }) => runs.map(({ key }) => done.get(key)!));
  const error = results.flat().find((result) => result instanceof Error);
  if (error !== undefined) {
    const code = error instanceof BenchError ? error.code : error.name;
    return { measured: measure, ours: { reason: 'failed', code, message: error.message } };
  }
  const records = results as Made[][];
  const candidates = column.fact === undefined ? [measure, ...twinOf(measure)] : [measure];
  const read = (id: string) => (made: Made) => valueIn(made, column, id);
  const measured = candidates.find((id) => records.flat().every((made) => read(id)(made) !== undefined));
  if (measured === undefined) {
    const [first] = records.flat().filter((made) => read(measure)(made) === undefined);
    const why = column.fact && factNamed(column.fact)?.why?.(first as Partial<RunRecord>);
    const message = why ?? `${measure} cannot be measured on ${first!.dataset.name}`;
    return { measured: measure, ours: { reason: 'not measured', code: 'absent', message } };
  }
  const values = records.map((each) => scale * mean(each.map((made) => read(measured)(made)!)));
  const deviation = standardDeviation(values);
  return {
    measured,
    ours: { value: mean(values), ...(deviation !== undefined && { deviation }), seeds: values.length },
  };
}

/** @param id of the column's fact, or of a measure */
function valueIn(made: Made, { fact }: Column, id: string): number | undefined {
  if (fact !== undefined) return factNamed(fact)?.of(made);
  return 'measures' in made ? made.measures[id]?.mean : undefined;
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
