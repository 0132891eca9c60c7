/** A reproduced table as a document: plain data, markdown, a spreadsheet; the terminal lays out the same parts. */
import { stringify } from 'csv-stringify/sync';
import { describeDevice } from '../comparison/devices.js';
import type { RunRecord } from '../record.js';
import type { Figure, ReproducedRow } from './figures.js';
import type { Grid } from './grid.js';
import type { Outcome } from './outcome.js';
import type { Reproduction, Scale } from './reproduction.js';
import { significanceNotes } from './significance.js';

export interface ReproductionDocument {
  name: string;
  title: string;
  scale: Scale;
  /** False where the figures are not to be compared with those published. */
  comparable: boolean;
  /** Why not, and what was run instead; the scale and the page's words otherwise. */
  heading: string[];
  published: Reproduction['published'];
  rows: ReproducedRow[];
  notes: string[];
}

export function documentOf(grid: Grid, { rows, records }: Outcome): ReproductionDocument {
  const { loaded, scale } = grid;
  const { published } = loaded.reproduction;
  return {
    name: loaded.name,
    title: titleOf(loaded.reproduction),
    scale,
    comparable: scale === 'paper',
    heading: headingOf(grid),
    published,
    rows,
    notes: [
      ...new Set([
        ...[...notesOf(grid), ...machines(rows, records)],
        ...[...stoodIn(rows), ...stars(rows), ...leftOut(rows), ...absences(rows)],
      ]),
    ],
  };
}

/** `Table 2: single-vector retrieval ...` */
export function titleOf({ title, published }: Pick<Reproduction, 'title' | 'published'>): string {
  return `${published.in}: ${title.charAt(0).toLowerCase()}${title.slice(1)}`;
}

/** What a reader must know before the first figure. */
export function headingOf(grid: Grid): string[] {
  const { scale, loaded, groups, runs } = grid;
  const { published } = loaded.reproduction;
  if (scale === 'paper') return [`"${published.quote}"`];
  const [first] = runs;
  const where = `Beside it stands what ${published.in} prints for ${groups[0]!.label}.`;
  if (runs.every(({ counts }) => counts))
    return [`NOT COMPARABLE with the paper: scale small. Counted is ${first?.request.dataset}. ${where}`];
  const { layers, dimensions } = first?.request.config.model.scratch ?? { layers: 0, dimensions: 0 };
  const dataset = first?.request.dataset ?? '';
  return [
    `NOT COMPARABLE with the paper: scale small. What is trained is a BERT of ${layers} layers and D=${dimensions} with`,
    `random weights, for minutes, on ${dataset}. ${where}`,
  ];
}

/** What the file says of the grid and its rows, and what this scale makes of it. */
export function notesOf({ loaded: { reproduction }, rows, coincidences, runs }: Grid): string[] {
  const { published, notes } = reproduction;
  const seeds = [...new Set(runs.map(({ request }) => request.seed))].sort((a, b) => a - b);
  return [
    ...(published.note === undefined ? [] : [published.note]),
    ...notes,
    ...(seeds.length > 1 ? [`Seeds: ${seeds.join(', ')}.`] : []),
    ...noted(rows),
    ...coincidences.map((same) => `${same.join(' and ')} are the same run at this scale.`),
  ];
}

/** A note that several rows share names them once. */
function noted(rows: readonly { label: string; note?: string }[]): string[] {
  const labels = new Map<string, string[]>();
  for (const { label, note } of rows) {
    if (note !== undefined) labels.set(note, [...(labels.get(note) ?? []), label]);
  }
  return [...labels].map(([note, of]) => `${of.join(', ')}: ${note}`);
}

function stoodIn(rows: readonly ReproducedRow[]): string[] {
  const others = rows
    .flatMap(({ figures }) => figures)
    .filter(({ measure }) => measure.startsWith('success@'));
  if (others.length === 0) return [];
  return ['The queries of this dataset have no answers: top-k accuracy is by qrels (success@k) here.'];
}

/** Where the seconds of a table were measured: they mean nothing elsewhere. */
function machines(rows: readonly ReproducedRow[], records: readonly RunRecord[]): string[] {
  const timed = rows.some(({ figures }) => figures.some(({ unit, ours }) => unit === 's' && 'value' in ours));
  if (!timed) return [];
  return [...new Set(records.map(describeDevice))].map(
    (device) => `Our seconds were measured on: ${device}.`,
  );
}

function stars(rows: readonly ReproducedRow[]): string[] {
  return significanceNotes(
    rows.flatMap(({ label, figures }) => figures.map((figure) => ({ row: label, ...figure }))),
  );
}

function leftOut(rows: readonly ReproducedRow[]): string[] {
  const figures = rows.flatMap((row) => row.figures);
  const groups = new Set(
    figures.flatMap(({ group, ours }) => ('reason' in ours && ours.reason === 'left out' ? [group] : [])),
  );
  if (groups.size === 0) return [];
  return [`Left out, for want of a dataset that cannot be downloaded: ${[...groups].join(', ')}.`];
}

function absences(rows: readonly ReproducedRow[]): string[] {
  return rows.flatMap(({ label, figures }) =>
    figures.flatMap(({ group, ours }) =>
      'message' in ours ? [`${label}, ${group}: ${ours.reason}: ${ours.message.replace(/\s+/g, ' ')}`] : [],
    ),
  );
}

/** What stands in the three places of a figure: ours, published, difference. */
export function placesOf({
  ours,
  published,
  difference,
  significance,
  decimals,
}: Figure): [ours: string, published: string, difference: string] {
  const number = (value: number) =>
    value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const spread = (value: number, deviation?: number) =>
    deviation === undefined ? number(value) : `${number(value)}±${number(deviation)}`;
  const star = (isSignificant?: boolean) => (isSignificant === true ? '*' : '');
  return [
    'value' in ours
      ? spread(ours.value, ours.deviation) + star(significance?.isSignificant)
      : 'code' in ours
        ? ours.code
        : '–',
    published === null ? '–' : spread(published.value, published.deviation) + star(published.isSignificant),
    difference === null ? '–' : `${difference < 0 ? '−' : '+'}${number(Math.abs(difference))}`,
  ];
}

export function toMarkdown(document: ReproductionDocument): string {
  const { title, heading, rows, notes, published } = document;
  const columns = rows[0]?.figures ?? [];
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |\n`;
  const header = columns.flatMap(({ group, column }) => [`${group} ${column}`, published.in, 'difference']);
  const table =
    line(['', ...header]) +
    line(['---', ...header.map(() => '---:')]) +
    rows.map(({ label, figures }) => line([label, ...figures.flatMap(placesOf)])).join('');
  const warning = document.comparable ? heading.join(' ') : `**${heading.join(' ')}**`;
  return `# ${title}\n\n${warning}\n\n${table}\n${notes.map((note) => `* ${note}\n`).join('')}`;
}

const escapeCell = (text: string) => text.replace(/[|*]/g, '\\$&').replaceAll('\n', ' ');

/** One line a figure, numbers in full. */
export function toCsv({ name, scale, comparable, rows }: ReproductionDocument): string {
  const lines = rows.flatMap(({ label, figures }) =>
    figures.map(({ group, column, measure, unit, ours, published, difference, significance }) => ({
      reproduction: name,
      scale,
      comparable: String(comparable),
      row: label,
      group,
      column,
      measure,
      unit,
      ours: 'value' in ours ? ours.value : '',
      'ours deviation': 'value' in ours ? (ours.deviation ?? '') : '',
      seeds: 'value' in ours ? ours.seeds : '',
      absent: 'reason' in ours ? ours.reason : '',
      published: published?.value ?? '',
      'published deviation': published?.deviation ?? '',
      difference: difference ?? '',
      'tested over': significance?.over ?? '',
      p: significance?.p ?? '',
      'corrected p': significance?.correctedP ?? '',
      significant: significance === undefined ? '' : String(significance.isSignificant),
      'published significant': published?.isSignificant === undefined ? '' : String(published.isSignificant),
    })),
  );
  return stringify(lines, { header: true });
}
