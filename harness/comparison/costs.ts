/** What a system costs: columns of the report's tables. */
import type { ReportCell, ReportColumn } from '../contracts.js';
import type { Figure, RunRecord } from '../record.js';
import { answeringFigure } from '../record.js';
import { bootstrapStatistic } from '../statistics/bootstrap.js';
import type { StatisticName } from '../statistics/resample.js';
import { mean, meanRate, standardDeviation } from '../statistics/summary.js';
import type { CostColumn as RecordedColumn } from './cost.js';
import { costs } from './known-costs.js';
import { fewSamples, samplesOf } from './latency.js';
import { protocolCosts } from './protocol-costs.js';
import type { System } from './systems.js';

export interface CostColumn extends ReportColumn {
  /** Whether it says what a system is rather than what it costs. */
  isNoCost?: boolean;
  /** The number, or why there is none; undefined where a system has no such thing. */
  of(system: System): ReportCell | NotMeasured | undefined;
}

/** The reason is absent where a record does not say it. */
export interface NotMeasured {
  notMeasured: string | undefined;
}

/** Columns worked out from all samples of a system, with where they stand among those of their group. */
const fromSamples: readonly { place: number; columns: readonly CostColumn[] }[] = [
  {
    place: 50,
    columns: [
      latency('encode', 'encode', 'Tokenizing excluded: turning one query into its vector.'),
      latency('search', 'search', 'Searching the index for one query.'),
      latency('total', 'total', 'From the text of one query to its hits.'),
    ],
  },
  { place: 80, columns: [slowQueries(95), slowQueries(99)] },
  { place: 85, columns: protocolCosts },
];

const groups: readonly ReportColumn['group'][] = ['accuracy', 'size', 'build', 'answering', 'latency'];

/**
 * Every column of what a system costs, whether or not any of the systems has a number for it: those of the first table, then
 * its details, group by group.
 */
export function costsOf(systems: readonly System[]): CostColumn[] {
  const records = systems.flatMap(({ runs }) => runs.map(({ record }) => record));
  const recorded = costs.map(({ place, columns }) => ({ place, columns: columns(records).map(overRuns) }));
  const placed = [...recorded, ...fromSamples]
    .sort((a, b) => a.place - b.place)
    .flatMap(({ columns }) => columns);
  return [false, true].flatMap((isDetail) =>
    groups.flatMap((group) =>
      placed.filter(({ detail = false, group: own }) => detail === isDetail && own === group),
    ),
  );
}

/** The number of one column over runs of one system, or why there is none; undefined where they have no such thing. */
export function costOver(records: readonly RunRecord[], id: string): ReportCell | NotMeasured | undefined {
  const system = { name: '', runs: records.map((record) => ({ file: '', record })) };
  return costsOf([system])
    .find((column) => column.id === id)
    ?.of(system);
}

/** A column of single records as one of systems: the mean over the runs, unless one of them has no number. */
function overRuns({ isRate, ...column }: RecordedColumn): CostColumn {
  const { id, of = (record: RunRecord) => answeringFigure(record, id) } = column;
  const over = isRate === true ? meanRate : mean;
  return { ...column, of: (system) => each(system, of, over) };
}

function latency(part: 'encode' | 'search' | 'total', label: string, what: string): CostColumn {
  return {
    ...latencyColumn(part, 'median'),
    id: `${part}-ms`,
    label,
    description: `${what} Median over all queries timed, one at a time; the interval is a bootstrap over them.`,
  };
}

/** The slow queries: `percent` of a hundred take no longer. */
function slowQueries(percent: 95 | 99): CostColumn {
  const column = latencyColumn('search', { quantile: percent / 100 });
  return {
    ...column,
    id: `search-p${percent}-ms`,
    label: `search p${percent}`,
    detail: true,
    description: `${percent} of 100 queries are searched for in no more time, of all queries timed one at a time; the interval is a bootstrap over them.`,
    of: (system) => (percent === 99 && fewSamples(system) !== undefined ? undefined : column.of(system)),
  };
}

function latencyColumn(part: 'encode' | 'search' | 'total', of: StatisticName) {
  return {
    group: 'latency',
    unit: 'ms',
    higherIsBetter: false as boolean,
    of(system: System): ReportCell | undefined {
      const samples = samplesOf(system, part);
      if (samples === undefined) return undefined;
      if (samples.length < 2) return { value: samples[0]! };
      const { estimate, interval } = bootstrapStatistic(samples, of);
      return { value: estimate, interval: { low: interval.low, high: interval.high } };
    },
  } as const;
}

function each(
  { runs }: System,
  of: (record: RunRecord) => number | Figure | undefined,
  over: (values: readonly number[]) => number,
): ReportCell | NotMeasured | undefined {
  const found = runs.map(({ record }) => of(record));
  if (found.includes(undefined)) return undefined;
  const figures = found.map((each) => (typeof each === 'number' ? { value: each } : each!));
  const missing = figures.filter(({ value }) => value === null);
  if (missing.length > 0) return { notMeasured: missing.find(({ reason }) => reason !== undefined)?.reason };
  const values = figures.map(({ value }) => value!);
  const deviation = standardDeviation(values);
  return { value: over(values), ...(deviation !== undefined && { deviation }) };
}
