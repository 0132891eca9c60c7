/** What a system costs: columns of the report's tables. */
import type { ReportCell, ReportColumn } from '../contracts.js';
import type { RunRecord } from '../record.js';
import { bootstrapStatistic } from '../statistics/bootstrap.js';
import type { StatisticName } from '../statistics/resample.js';
import { mean, standardDeviation } from '../statistics/summary.js';
import { samplesOf } from './latency.js';
import { fewSamples } from './p99.js';
import { protocolCosts } from './protocol-costs.js';
import type { System } from './systems.js';

/** Id of a column that says what a system is rather than what it costs. */
export const vectorsColumn = 'vectors-per-passage';

export interface CostColumn extends ReportColumn {
  of(system: System): ReportCell | undefined;
}

const usualCosts: readonly CostColumn[] = [
  {
    ...size(
      vectorsColumn,
      'vectors',
      'count',
      'Vectors per passage in the index: a mean where passages differ.',
    ),
    of: (system) => each(system, ({ index }) => index?.vectorsPerPassage),
  },
  {
    ...size('index-bytes', 'index', 'bytes', 'Bytes of the index on disk: vectors, passage ids and offsets.'),
    of: (system) => each(system, ({ index }) => index?.sizeBytes.total),
  },
  {
    ...size(
      'bytes-per-passage',
      'per passage',
      'bytes',
      'Bytes of the index on disk over the number of passages.',
    ),
    of: (system) =>
      each(system, ({ index, dataset }) =>
        index === undefined || !dataset.passageCount
          ? undefined
          : index.sizeBytes.total / dataset.passageCount,
      ),
  },
  {
    ...size(
      'projected-bytes',
      'at 21 M',
      'bytes',
      "Bare vectors, or postings, of the 21,015,324 passages of Wikipedia, projected from this index; the paper's take 60 GiB at one vector of 768 numbers per passage and 481 GiB at eight.",
    ),
    of: (system) => each(system, ({ index }) => index?.projectedBytes),
  },
  {
    ...size(
      'index-recall',
      'recall',
      'share',
      'Share of the exact hits that the index finds, at the depth of the run; absent where the index is exact.',
    ),
    higherIsBetter: true,
    of: (system) =>
      each(system, ({ index }) => {
        const curve = index?.curve;
        return curve?.points.at(-1)?.recall[curve.depth];
      }),
  },
  latency('encode', 'encode', 'Tokenizing excluded: turning one query into its vector.'),
  latency('search', 'search', 'Searching the index for one query.'),
  latency('total', 'total', 'From the text of one query to its hits.'),
  {
    id: 'whole-index-s',
    label: 'whole index',
    group: 'latency',
    unit: 's',
    higherIsBetter: false,
    description:
      "The paper's figure: opening the index and searching it for all queries, over the number of queries.",
    of: (system) => each(system, (record) => record.latency?.wholeIndexSecondsPerQuery),
  },
];

/** The parts of an index on disk, which sum to `index-bytes`. */
const parts: readonly CostColumn[] = (
  [
    ['vectors', 'vectors', 'Bytes of the vectors, with the headers of their files.'],
    ['postings', 'postings', 'Bytes of the lists of the passages that hold each term.'],
    ['terms', 'terms', 'Bytes of the dictionary of terms.'],
    ['lengths', 'lengths', "Bytes of the passages' lengths."],
    ['offsets', 'offsets', "Bytes of the tables of each passage's first vector, where their number varies."],
    ['identifiers', 'passage ids', 'Bytes of the passage ids.'],
  ] as const
).map(([part, label, description]) => ({
  ...size(`${part}-bytes`, label, 'bytes', description),
  detail: true,
  // A part that an index does not have is no number.
  of: (system) => each(system, ({ index }) => index?.sizeBytes[part] || undefined),
}));

/** Queries per second, a column for each size of batch that was measured. */
function throughputs(systems: readonly System[]): CostColumn[] {
  const values = ({ latency }: RunRecord) => latency?.throughput ?? [];
  const sizes = systems.flatMap(({ runs }) =>
    runs.flatMap(({ record }) => values(record).map((of) => of.batchSize)),
  );
  return [...new Set(sizes)]
    .sort((a, b) => a - b)
    .map((batchSize) => ({
      id: `throughput-${batchSize}`,
      label: `queries/s, ${batchSize} at once`,
      group: 'latency',
      unit: 'count',
      higherIsBetter: true,
      detail: true,
      description: `Queries answered per second, from text to hits, ${batchSize} at once.`,
      of: (system) =>
        each(system, (record) => values(record).find((of) => of.batchSize === batchSize)?.queriesPerSecond),
    }));
}

/** Every column of what a system costs, whether or not any of the systems has a number for it. */
export function costsOf(systems: readonly System[]): CostColumn[] {
  return [
    ...usualCosts,
    ...parts,
    slowQueries(95),
    slowQueries(99),
    ...protocolCosts,
    ...throughputs(systems),
  ];
}

function size(id: string, label: string, unit: 'count' | 'bytes' | 'share', description: string) {
  return { id, label, group: 'size', unit, higherIsBetter: false as boolean, description } as const;
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

/** The mean over the runs; undefined unless every run has a value. */
function each(system: System, of: (record: RunRecord) => number | undefined): ReportCell | undefined {
  const values = system.runs.map(({ record }) => of(record));
  const known = values.filter((value) => value !== undefined);
  if (known.length < values.length) return undefined;
  const deviation = standardDeviation(known);
  return { value: mean(known), ...(deviation !== undefined && { deviation }) };
}
