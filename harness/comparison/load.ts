/** Systems under load, setting by setting, as reports show them. */
import type { ReportLoad, ReportLoadRow, ReportLoadTimes } from '../contracts.js';
import type { ClosedLoadFacts, LoadValues, OpenLoadFacts, RunRecord } from '../record.js';
import { p99Missing } from '../statistics/percentile-samples.js';
import { meanRate, quantile } from '../statistics/summary.js';
import { deviceDifferences } from './devices.js';

/** A system with the records of its seeds. */
export interface LoadedRuns {
  name: string;
  records: readonly RunRecord[];
}

/**
 * A row for each setting and system that was measured with it, systems beside each other; figures are of the samples of all seeds
 * together. A system whose seeds ran on different devices has none.
 * @returns undefined where nothing was measured under load
 */
export function loadOf(systems: readonly LoadedRuns[]): ReportLoad | undefined {
  const loaded = systems.filter(
    ({ records: [first, ...others] }) =>
      first !== undefined && others.every((record) => deviceDifferences(first, record).length === 0),
  );
  const rows: ReportLoadRow[] = [
    ...rowsOf(
      loaded,
      'clients',
      (record) => record.latency?.load?.closed ?? [],
      ({ clients }) => clients,
    ),
    ...rowsOf(
      loaded,
      'rate',
      (record) => record.latency?.load?.open ?? [],
      (open) => open.ratePerSecond,
    ),
  ];
  const bounds = loaded.flatMap(({ name, records }) => boundsOf(name, records));
  return rows.length + bounds.length === 0 ? undefined : { rows, bounds };
}

function rowsOf<Facts extends OpenLoadFacts | ClosedLoadFacts>(
  systems: readonly LoadedRuns[],
  kind: ReportLoadRow['kind'],
  of: (record: RunRecord) => readonly Facts[],
  settingOf: (facts: Facts) => number,
): ReportLoadRow[] {
  const all = systems.flatMap(({ records }) =>
    records.flatMap((record) =>
      of(record).map((facts) => ({ setting: settingOf(facts), maxBatch: record.latency!.load!.maxBatch })),
    ),
  );
  const settings = [...new Map(all.map((each) => [`${each.setting} ${each.maxBatch}`, each])).values()];
  settings.sort((a, b) => a.setting - b.setting || a.maxBatch - b.maxBatch);
  return settings.flatMap(({ setting, maxBatch }) =>
    systems.flatMap(({ name, records }) => {
      const facts = records.flatMap((record) =>
        record.latency?.load?.maxBatch === maxBatch
          ? of(record).filter((each) => settingOf(each) === setting)
          : [],
      );
      if (facts.length < records.length) return [];
      const kept = facts.every((each) => !('keptUp' in each) || each.keptUp);
      return [{ system: name, kind, setting, maxBatch, keptUp: kept, ...figuresOf(facts) }];
    }),
  );
}

function figuresOf(facts: readonly LoadValues[]): ReportLoadTimes {
  const samples = Float64Array.from(facts.flatMap(({ samplesMs }) => samplesMs)).sort();
  const counts = facts.map(({ queries }) => queries);
  const waitedMs = facts.reduce((sum, { queries, waiting }) => sum + queries * waiting.meanMs, 0);
  return {
    queries: samples.length,
    answeredPerSecond: meanRate(
      facts.map(({ answeredPerSecond }) => answeredPerSecond),
      counts,
    ),
    waitingMs: waitedMs / counts.reduce((sum, count) => sum + count, 0),
    p50Ms: quantile(samples, 0.5),
    p95Ms: quantile(samples, 0.95),
    ...(p99Missing(samples.length) === undefined && { p99Ms: quantile(samples, 0.99) }),
  };
}

function boundsOf(system: string, records: readonly RunRecord[]): ReportLoad['bounds'] {
  const found = records.map(({ latency }) => latency?.load?.bound);
  const [first] = found;
  if (first === undefined || found.some((each) => each?.boundMs !== first.boundMs)) return [];
  const runs = found.map((each) => ({ found: each!.found, ratePerSecond: each!.ratePerSecond }));
  const { maxBatch } = records[0]!.latency!.load!;
  return [{ system, boundMs: first.boundMs, resolution: first.resolution, maxBatch, runs }];
}
