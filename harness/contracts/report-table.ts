/** Columns and cells of the tables of a report. */
import type { ReportInterval } from './comparison.js';

/** One column of the table of systems. */
export interface ReportColumn {
  /** A measure's id, or `index-bytes`, `search-ms`, ... */
  id: string;
  label: string;
  group: 'accuracy' | 'size' | 'build' | 'answering' | 'latency';
  unit: ReportUnit;
  higherIsBetter: boolean;
  /** True for what the first table does without: the parts of an index, slow queries, throughput. */
  detail?: boolean;
  /** How the number is made. */
  description: string;
}

/** The number of one system in one column. */
export interface ReportCell {
  /** The mean over seeds; of latencies the median of all samples. */
  value: number;
  /** Standard deviation over seeds, with n - 1. */
  deviation?: number;
  /** 95 %, by bootstrap over queries or samples. */
  interval?: ReportInterval;
  place?: 'best' | 'second';
  /** Whether it differs from the baseline with a corrected p below 0.05. */
  significant?: { overQueries: boolean; overSeeds: boolean };
}

/** How a number is to be read: `share` is shown in percent. */
export type ReportUnit = 'share' | 'bytes' | 'ms' | 's' | 'J' | 'count';
