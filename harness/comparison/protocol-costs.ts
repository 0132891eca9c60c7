/** Latencies measured in processes of their own: with one thread, from cold, and how far processes differ. */
import type { ReportCell, ReportColumn } from '../contracts.js';
import type { ColdFacts, LatencyFacts } from '../record.js';
import { mean, median, standardDeviation } from '../statistics/summary.js';
import { deviceDifferences } from './devices.js';
import type { System } from './systems.js';

interface ProtocolColumn extends ReportColumn {
  of(system: System): ReportCell | undefined;
}

export const protocolCosts: readonly ProtocolColumn[] = [
  {
    ...column(
      'search-one-thread-ms',
      'search, one thread',
      'Searching the index for one query, with one thread in a fresh process: median.',
    ),
    of: (system) => pooled(system, ({ oneThread }) => oneThread?.search?.samplesMs, median),
  },
  {
    ...column(
      'total-one-thread-ms',
      'total, one thread',
      'From the text of one query to its hits, with one thread in a fresh process: median.',
    ),
    of: (system) => pooled(system, ({ oneThread }) => oneThread?.total.samplesMs, median),
  },
  {
    ...column(
      'processes-ms',
      'total between processes',
      'How far fresh processes differ: the standard deviation of their medians, from text to hits, mean over seeds.',
    ),
    of: betweenProcesses,
  },
  {
    ...column(
      'cold-open-ms',
      'cold, open',
      'Until the system can answer in a fresh process, its files read from the disk: mean over processes.',
    ),
    of: (system) => pooled(system, ({ cold }) => cold?.map(({ openMs }) => openMs), mean),
  },
  {
    ...column(
      'cold-first-ms',
      'cold, first query',
      'The first query after such a start, from text to hits: mean over processes.',
    ),
    of: (system) =>
      pooled(system, ({ cold }) => cold?.flatMap(({ samplesMs }) => samplesMs.slice(0, 1)), mean),
  },
  {
    ...column('cold-next-ms', 'cold, next queries', 'The queries after that one, without a warm-up: median.'),
    of: (system) =>
      pooled(system, ({ cold }) => cold?.flatMap(({ samplesMs }) => samplesMs.slice(1)), median),
  },
];

function column(id: string, label: string, description: string): ReportColumn {
  return { id, label, group: 'latency', unit: 'ms', higherIsBetter: false, detail: true, description };
}

/** Of all runs together; undefined unless every run has some and all ran on one kind of device. */
function pooled(
  system: System,
  samplesOf: (latency: LatencyFacts) => readonly number[] | undefined,
  of: (samples: readonly number[]) => number,
): ReportCell | undefined {
  const lists = latenciesOf(system)?.map(samplesOf);
  if (lists === undefined || lists.some((list) => list === undefined || list.length === 0)) return undefined;
  return { value: of(lists.flatMap((list) => list!)) };
}

function betweenProcesses(system: System): ReportCell | undefined {
  const deviations = latenciesOf(system)?.map(({ processes, queryIds, total }) =>
    processes === undefined
      ? undefined
      : standardDeviation(
          Array.from({ length: processes }, (_, p) =>
            median(total.samplesMs.slice(p * queryIds.length, (p + 1) * queryIds.length)),
          ),
        ),
  );
  if (deviations === undefined || deviations.includes(undefined)) return undefined;
  return { value: mean(deviations as number[]) };
}

function latenciesOf({ runs }: System): LatencyFacts[] | undefined {
  const first = runs[0]!.record;
  const latencies = runs.map(({ record }) =>
    deviceDifferences(first, record).length > 0 ? undefined : record.latency,
  );
  return latencies.includes(undefined) ? undefined : (latencies as LatencyFacts[]);
}

/** Why what is called cold was not: the files lay in memory all the same. */
export function coldNotes(systems: readonly System[]): string[] {
  return systems.flatMap(({ name, runs }) => {
    const starts: ColdFacts[] = runs.flatMap(({ record }) => record.latency?.cold ?? []);
    const kept = starts.filter(({ pageCache }) => !pageCache.dropped);
    if (kept.length === 0) return [];
    const reasons = [
      ...new Set(kept.map(({ pageCache }) => pageCache.reason ?? 'for no reason that is known')),
    ];
    return `Cold starts of ${name} are of new processes alone, ${kept.length} of ${starts.length} with files that may lie in memory: ${reasons.join('; ')}.`;
  });
}
