/** Numbers as people read them, the same in every report. */
import type {
  ReportCell,
  ReportColumn,
  ReportInterval,
  ReportSection,
  ReportTest,
  ReportUnit,
} from '../../harness/contracts.js';

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** One number without its unit, except for bytes, whose unit varies. */
export function formatNumber(value: number, unit: ReportUnit): string {
  switch (unit) {
    case 'share':
      return (100 * value).toFixed(1);
    case 'bytes':
      return formatBytes(value);
    case 'ms':
    case 's':
    case 'J':
      return significant(value);
    case 'count':
      if (Number.isInteger(value)) return String(value);
      return value.toFixed(Math.abs(value) < 100 ? 2 : 0);
  }
}

function formatBytes(bytes: number): string {
  let value = bytes;
  let at = 0;
  while (value >= 1024 && at < byteUnits.length - 1) {
    value /= 1024;
    at++;
  }
  return `${at === 0 ? String(Math.round(value)) : significant(value)} ${byteUnits[at]}`;
}

/** Three figures, without an exponent. */
function significant(value: number): string {
  if (value === 0) return '0';
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(decimals, 8));
}

/** `62.0±0.3`; the deviation over seeds where there are several. */
export function formatCell(cell: ReportCell, column: ReportColumn): string {
  const text = formatNumber(cell.value, column.unit);
  return showsDeviation(cell, column) ? `${text}±${formatNumber(cell.deviation!, column.unit)}` : text;
}

/** Of accuracy alone: the seeds of a latency are one machine's. */
export function showsDeviation({ deviation }: ReportCell, { group }: ReportColumn): boolean {
  return deviation !== undefined && group === 'accuracy';
}

/** Whether a table has its interval beside a number: of the details, and of accuracy where one seed leaves no deviation. */
export function showsInterval({ deviation, interval }: ReportCell, { group, detail }: ReportColumn): boolean {
  return interval !== undefined && (detail === true || (group === 'accuracy' && deviation === undefined));
}

export function formatInterval({ low, high }: ReportInterval, unit: ReportUnit): string {
  // The minus of formatSigned, beside which it stands.
  return `${formatNumber(low, unit)} to ${formatNumber(high, unit)}`.replaceAll('-', '−');
}

/** A difference or an effect with its sign, unless nothing of it is seen. */
export function formatSigned(value: number, unit: ReportUnit): string {
  const text = formatNumber(Math.abs(value), unit);
  return isZero(text) ? text : `${value < 0 ? '−' : '+'}${text}`;
}

/** `0.0`, `0 B` */
const isZero = (text: string) => !/[1-9]/.test(text);

export function formatP(p: number | undefined): string {
  if (p === undefined) return '–';
  return p < 0.001 ? '<0.001' : p.toFixed(3);
}

/** `d_z 0.31`; `–` where there is none. */
export function formatEffect(effect: ReportTest['effectSize']): string {
  if (effect === undefined) return '–';
  const { name, value } = effect;
  if (value === null) return `${name} ∞`;
  const text = Math.abs(value).toFixed(2);
  return `${name} ${value < 0 && !isZero(text) ? '−' : ''}${text}`;
}

/** What follows a number: `*` over queries, `†` over seeds. */
export function marksOf({ significant: verdict }: ReportCell): string {
  return `${verdict?.overQueries ? '*' : ''}${verdict?.overSeeds ? '†' : ''}`;
}

/** The unit as it stands in a heading; bytes bring their own with each number. */
export function headingOf({ label, unit }: ReportColumn): string {
  if (unit === 'share') return `${label} %`;
  return ['ms', 's', 'J'].includes(unit) ? `${label} ${unit}` : label;
}

/** In what the numbers of a measure count; the tables of a section hold a column for each measure that is compared. */
export function unitOf({ columns }: ReportSection, measure: string): ReportUnit {
  return columns.find(({ id }) => id === measure)?.unit ?? 'share';
}

/** Seeds in words: `3 seeds`, `seed 12345`, `–` where the system has none. */
export function seedsOf(seeds: readonly (number | null)[]): string {
  if (seeds.every((seed) => seed === null)) return '–';
  return seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds`;
}

/** `1 test`, `1,080 tests` */
export function countOf(count: number, thing: string): string {
  return `${count.toLocaleString('en-US')} ${thing}${count === 1 ? '' : 's'}`;
}

/** Tests that were corrected together: `1 pair`, `all 60 pairs`. */
export const pairsOf = (familySize: number): string =>
  `${familySize === 1 ? '' : 'all '}${countOf(familySize, 'pair')}`;
