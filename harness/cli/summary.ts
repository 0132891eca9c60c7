/** What `bench run` says when it is done: accuracy and cost of every run, one table each per dataset. */
import { byteSize, duration } from '../progress.js';
import type { LatencyValues, RunRecord } from '../record.js';
import { mean, standardDeviation } from '../statistics/summary.js';
import { renderTable } from './table.js';

/** Tables for the terminal. Measures are in percent, latencies in milliseconds. */
export function summarize(records: readonly RunRecord[]): string {
  const byDataset = groupBy(records, ({ dataset }) => dataset.name);
  const sections = [...byDataset.values()].map((runs) =>
    [headingOf(runs[0]!), accuracyTable(runs), costTable(runs), notesOf(runs)]
      .filter((part) => part !== '')
      .join('\n'),
  );
  return sections.join('\n');
}

function headingOf({ dataset, queryIds }: RunRecord): string {
  const passages =
    dataset.passageCount === null ? '' : `, ${dataset.passageCount.toLocaleString('en-US')} passages`;
  return `${dataset.name}, ${dataset.split}: ${queryIds.length.toLocaleString('en-US')} queries${passages}\n`;
}

function accuracyTable(runs: readonly RunRecord[]): string {
  const measures = [...new Set(runs.flatMap((run) => Object.keys(run.measures)))];
  if (measures.length === 0) return '';
  const rows: string[][] = [];
  for (const [name, sameSystem] of groupBy(runs, ({ arch }) => arch.name)) {
    for (const run of sameSystem) {
      rows.push([name, seedOf(run), ...measures.map((id) => percent(run.measures[id]?.mean))]);
    }
    if (sameSystem.length < 2) continue;
    const spread = measures.map((id) => meanAndDeviation(sameSystem.map((run) => run.measures[id]?.mean)));
    rows.push([name, `mean of ${sameSystem.length}`, ...spread]);
  }
  return renderTable(['percent', 'seed', ...measures], rows, `lr${'r'.repeat(measures.length)}`, 2);
}

function costTable(runs: readonly RunRecord[]): string {
  const header = ['cost', 'seed', 'vectors', 'index', 'encode ms', 'search ms', 'train', 'run by'];
  const rows = runs.map((run) => {
    const { arch, index, latency, training, device, status, error } = run;
    const failure = status === 'failed' ? [`failed: ${error?.code ?? 'unknown'}`] : [];
    const runBy = [device.engine, device.device, device.searcher].filter((part) => part !== null).join(' ');
    return [
      arch.name,
      seedOf(run),
      index === undefined
        ? '-'
        : index.vectorsPerPassage.toFixed(Number.isInteger(index.vectorsPerPassage) ? 0 : 1),
      index === undefined ? '-' : byteSize(index.sizeBytes.total),
      percentiles(latency?.encode),
      percentiles(latency?.search),
      training === undefined ? '-' : duration(training.execution.seconds * 1000),
      ...(failure.length > 0 ? failure : [runBy]),
    ];
  });
  const legend = 'vectors: per passage; encode and search: p50/p95/p99 of one query at a time';
  return `${renderTable(header, rows, 'lrrrrrrl', 2)}${legend}\n`;
}

/** What the records want their readers to know, each thing once. */
function notesOf(runs: readonly RunRecord[]): string {
  const notes = runs.flatMap(({ warnings, latency }) => [...warnings, ...(latency?.warnings ?? [])]);
  return [...new Set(notes)].map((note) => `note: ${note}\n`).join('');
}

/** In the order in which each name comes first. */
function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return groups;
}

function seedOf({ seed }: RunRecord): string {
  return seed === null ? '-' : String(seed);
}

function percent(share: number | undefined): string {
  return share === undefined ? '-' : (100 * share).toFixed(1);
}

function percentiles(values: LatencyValues | undefined): string {
  if (values === undefined) return '-';
  return [values.p50Ms, values.p95Ms, values.p99Ms]
    .map((ms) => ms.toFixed(ms < 1 ? 2 : ms < 100 ? 1 : 0))
    .join('/');
}

/** Over seeds; the deviation is the sample's, with n - 1. */
function meanAndDeviation(shares: readonly (number | undefined)[]): string {
  const known = shares.filter((share) => share !== undefined);
  if (known.length < shares.length) return '-';
  const deviation = standardDeviation(known);
  return deviation === undefined ? '-' : `${percent(mean(known))}±${percent(deviation)}`;
}
