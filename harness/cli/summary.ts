/** What `bench run` says when it is done: accuracy and cost of every run, one table each per dataset. */

import { costOver } from '../comparison/costs.js';
import { settingsOf } from '../comparison/names.js';
import type { ReportCell } from '../contracts.js';
import { counted } from '../counted.js';
import { byteSize, duration } from '../progress.js';
import type { LatencyValues, RunRecord } from '../record.js';
import { p99Missing, samplesForP99 } from '../statistics/percentile-samples.js';
import { mean, standardDeviation } from '../statistics/summary.js';
import { figure, noteLines } from './lines.js';
import { loadTable, protocolTable } from './protocol-text.js';
import { renderTable } from './table.js';

/** Tables for the terminal. Measures are in percent, latencies in milliseconds. */
export function summarize(records: readonly RunRecord[]): string {
  const byDataset = groupBy(records, ({ dataset }) => dataset.name);
  const told = new Set<string>();
  const sections = [...byDataset.values()].map((runs) =>
    // A run that failed has no queries to count.
    [
      headingOf(runs.find(({ status }) => status === 'ok') ?? runs[0]!),
      accuracyTable(runs),
      costTable(runs),
      protocolTable(named(runs)),
      loadTable(named(runs)),
      notesOf(runs, told),
    ]
      .filter((part) => part !== '')
      .join('\n'),
  );
  return sections.join('\n');
}

function headingOf({ dataset, queryIds }: RunRecord): string {
  const { name, split, members, passageCount } = dataset;
  const passages = passageCount === null ? '' : `, ${counted(passageCount, 'passages')}`;
  const units = members === undefined ? 'queries' : 'datasets';
  const averaged = members === undefined ? '' : ', their means averaged';
  return `${name}, ${split}: ${counted(queryIds.length, units)}${averaged}${passages}\n`;
}

function accuracyTable(runs: readonly RunRecord[]): string {
  const measures = [...new Set(runs.flatMap((run) => Object.keys(run.measures)))];
  if (measures.length === 0) return '';
  const rows: string[][] = [];
  for (const sameSystem of systemsOf(runs)) {
    const [first] = sameSystem;
    const cells = measures.map((id) => overSeeds(sameSystem.map((run) => run.measures[id]?.mean)));
    rows.push([nameIn(runs, first!), seedsOf(sameSystem), ...cells]);
  }
  return renderTable(['percent', 'seed', ...measures], rows, `lr${'r'.repeat(measures.length)}`, 2);
}

/** What building and answering take, as the tables of reports have it. */
const ownColumns: readonly { id: string; spell(value: number): string }[] = [
  { id: 'build-s', spell: (seconds) => duration(seconds * 1000) },
  { id: 'memory-bytes', spell: byteSize },
];

const isCell = (found: ReturnType<typeof costOver>): found is ReportCell =>
  found !== undefined && 'value' in found;

function costTable(runs: readonly RunRecord[]): string {
  // Of records that do not say it there is no column.
  const own = ownColumns.filter(({ id }) =>
    runs.some((run) => run.status === 'ok' && isCell(costOver([run], id))),
  );
  const header = [
    ...['cost', 'seed', 'vectors', 'index', 'encode ms', 'search ms', 'train'],
    ...own.map(({ id }) => id.replace(/-\w+$/, '')),
    'run by',
  ];
  const rows = systemsOf(runs).map((same) => {
    const { device, status, error } = same[0]!;
    const failure = status === 'failed' ? [`failed: ${error?.code ?? 'unknown'}`] : [];
    const { engine, precision = null, searcher } = device;
    const here = [engine, device.device, precision, searcher].filter((part) => part !== null).join(' ');
    const runBy = here === '' ? 'elsewhere' : device.hits === undefined ? here : `${here}, hits given`;
    const vectors = meanOf(same, ({ index }) => index?.vectorsPerPassage);
    const bytes = meanOf(same, ({ index }) => index?.sizeBytes.total);
    const seconds = meanOf(same, ({ training }) => training?.execution.seconds);
    return [
      nameIn(runs, same[0]!),
      seedsOf(same),
      vectors === undefined ? '-' : vectors.toFixed(Number.isInteger(vectors) ? 0 : 1),
      bytes === undefined ? '-' : byteSize(bytes),
      percentiles(same, ({ latency }) => latency?.encode),
      percentiles(same, ({ latency }) => latency?.search),
      seconds === undefined ? '-' : duration(seconds * 1000),
      ...own.map(({ id, spell }) => {
        const found = status === 'failed' ? undefined : costOver(same, id);
        if (found === undefined) return '-';
        return isCell(found) ? spell(found.value) : 'not measured';
      }),
      ...(failure.length > 0 ? failure : [runBy]),
    ];
  });
  const several = systemsOf(runs).some((same) => same.length > 1);
  const means = several ? '; means over seeds' : '';
  const legend = `vectors: per passage; encode and search: p50/p95/p99 of one query at a time${means}`;
  return `${renderTable(header, rows, `lrrrrrr${'r'.repeat(own.length)}l`, 2)}${legend}\n${missingOf(runs)}`;
}

/** Why a p99 is a dash; empty where none is. */
function missingOf(runs: readonly RunRecord[]): string {
  const few = runs.map(({ latency }) => latency?.total.samplesMs.length ?? samplesForP99);
  const missing = p99Missing(Math.min(...few));
  return missing === undefined
    ? ''
    : `p99: ${missing}, and it takes ${samplesForP99.toLocaleString('en-US')} (latency.queries)\n`;
}

/** What the records want their readers to know, each thing once. @param told what was said before; gets what is said now */
export function notesOf(runs: readonly RunRecord[], told: Set<string> = new Set()): string {
  const notes = runs.flatMap(({ warnings, latency }) => [...warnings, ...(latency?.warnings ?? [])]);
  const unsaid = [...new Set(notes)].filter((note) => !told.has(note));
  for (const note of unsaid) told.add(note);
  return noteLines(unsaid);
}

/** In the order in which each name comes first. */
function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return groups;
}

/** Runs that differ in nothing but the seed; one that failed stands by itself. */
function systemsOf(runs: readonly RunRecord[]): RunRecord[][] {
  const settings = ({ config }: RunRecord) => ({ ...config, seeds: undefined });
  const keyOf = (run: RunRecord) =>
    JSON.stringify([run.arch, hitsIn(run), settings(run), run.status === 'failed' ? run.seed : null]);
  return [...groupBy(runs, keyOf).values()];
}

const named = (runs: readonly RunRecord[]) =>
  systemsOf(runs).map((records) => ({ name: nameIn(runs, records[0]!), records }));

/** What tells files of hits apart; null where none was read. */
const hitsIn = (run: RunRecord): string | null => settingsOf(run).hits ?? null;

/** The system's name, and beside another file of the same name what the file holds. */
function nameIn(runs: readonly RunRecord[], run: RunRecord): string {
  const { name } = run.arch;
  const hits = hitsIn(run);
  const isShared = runs.some((other) => other.arch.name === name && ![null, hits].includes(hitsIn(other)));
  return hits !== null && isShared ? `${name} (hits=${hits})` : name;
}

/** The seed, or how many there are. */
function seedsOf(runs: readonly RunRecord[]): string {
  if (runs.length > 1) return `${runs.length} seeds`;
  const { seed } = runs[0]!;
  return seed === null ? '-' : String(seed);
}

const percent = (share: number): string => (100 * share).toFixed(1);

/** Undefined unless every run has a value. */
function meanOf(runs: readonly RunRecord[], of: (run: RunRecord) => number | undefined): number | undefined {
  const known = runs.map(of).filter((value) => value !== undefined);
  return known.length < runs.length ? undefined : mean(known);
}

function percentiles(runs: readonly RunRecord[], of: (run: RunRecord) => LatencyValues | undefined): string {
  const known = (values: LatencyValues | undefined, percentile: 'p50Ms' | 'p95Ms' | 'p99Ms') =>
    values === undefined || (percentile === 'p99Ms' && p99Missing(values.samplesMs.length) !== undefined)
      ? undefined
      : (values[percentile] ?? undefined);
  const values = (['p50Ms', 'p95Ms', 'p99Ms'] as const).map((each) =>
    meanOf(runs, (run) => known(of(run), each)),
  );
  if (values[0] === undefined) return '-';
  return values.map((ms) => (ms === undefined ? '-' : figure(ms))).join('/');
}

/** The share in percent; of several seeds the mean, with the sample's deviation, n - 1. */
function overSeeds(shares: readonly (number | undefined)[]): string {
  const known = shares.filter((share) => share !== undefined);
  if (known.length < shares.length) return '-';
  const deviation = standardDeviation(known);
  return deviation === undefined ? percent(known[0]!) : `${percent(mean(known))}±${percent(deviation)}`;
}
