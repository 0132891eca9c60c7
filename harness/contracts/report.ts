/**
 * What a report is made of. Everything is worked out before a report sees it: a report only lays it out. All of it is
 * plain data, so that it can be written as JSON; a member that is absent was not measured.
 */

import type { ReportCheck } from './check.js';
import type { ReportComparison, ReportRanks } from './comparison.js';
import type { ReportFront, ReportIsoCost } from './report-costs.js';
import type { ReportIndexCurve } from './report-curves.js';
import type { ReportGrowth } from './report-growth.js';
import type { ReportLoad } from './report-load.js';
import type { ReportCell, ReportColumn } from './report-table.js';

export type { ReportCheck } from './check.js';
export type * from './comparison.js';
export type * from './report-costs.js';
export type * from './report-curves.js';
export type * from './report-growth.js';
export type * from './report-load.js';
export type * from './report-table.js';
export type { ReportUnit } from './report-table.js';

/** Runs that differ in nothing but the seed. */
export interface ReportSystem {
  name: string;
  arch: string;
  layers: readonly number[] | null;
  /** M of E(d), before pooling. */
  vectors: number | 'varies' | null;
  seeds: readonly (number | null)[];
  /** Everything that makes it what it is, apart from the architecture's name and the data. */
  settings: Readonly<Record<string, string>>;
  /** What its latencies were measured on, in words. */
  device: string;
  /** By column id. */
  cells: Readonly<Record<string, ReportCell>>;
  /** By column id, why there is no cell; a column that is in neither is nothing that the system has. */
  notMeasured?: Readonly<Record<string, string>>;
}

/** Systems on slices of the queries. */
export interface ReportSlices {
  /** One for each slice and each system beside the baseline; all corrected together. */
  comparisons: readonly ReportComparison[];
  slices: readonly {
    name: string;
    queryCount: number;
    /** By column id, measures alone. */
    systems: readonly { system: string; cells: Readonly<Record<string, ReportCell>> }[];
  }[];
}

/** What systems cost in money, by the prices that were given. */
export interface ReportPrices {
  currency: string;
  /** In a month's price; absent where that is of the index alone. */
  queriesPerMonth?: number;
  systems: readonly {
    system: string;
    /** Of a million queries. */
    millionQueries?: ReportCell;
    month?: ReportCell;
    /** What was not measured, and has no price. */
    missing?: string;
  }[];
}

/** Systems of one architecture whose layers or number of vectors differ. */
export interface ReportVariation {
  by: 'layers' | 'vectors';
  arch: string;
  points: readonly { x: string; system: string }[];
}

/** Which vectors of a passage win the maximum, on some hits or passages; all seeds together. */
export interface ReportWinners {
  system: string;
  /** On what: `first hits`, `dev gold, by qrels`. */
  on: string;
  /** Of these hits or passages. */
  total: number;
  /** By vector, in the order of E(d), those that win at least once. */
  vectors: readonly { name: string; count: number }[];
}

export interface ReportTraining {
  system: string;
  seed: number | null;
  bestEpoch: number | null;
  epochs: readonly { epoch: number; loss: number; dev: Readonly<Record<string, number>> }[];
}

export interface ReportHit {
  passageId: string;
  rank: number;
  score?: number;
  /** As judged; absent where it is not judged or the qrels are not at hand. */
  relevance?: number;
  title?: string;
  text?: string;
}

/** The two best systems query by query. */
export interface ReportQueryDifferences {
  measure: string;
  systems: readonly [string, string];
  seed: number | null;
  /** First - second of every query, descending. */
  differences: readonly number[];
  /** Those that differ most. */
  queries: readonly {
    queryId: string;
    text?: string;
    answers?: readonly string[];
    values: readonly [number, number];
    /** The first hits of either system; empty where its run is not at hand. */
    hits: readonly [readonly ReportHit[], readonly ReportHit[]];
  }[];
  /** Where texts and hits come from, or why they are absent. */
  notes: readonly string[];
}

/** How the numbers of one run came to be. */
export interface ReportRun {
  file: string;
  system: string;
  seed: number | null;
  status: 'ok' | 'failed';
  error?: { code: string; message: string };
  createdAt: string;
  command: string;
  model?: string;
  device: string;
  versions: Readonly<Record<string, string>>;
  /** Of this program. */
  commit: string | null;
  stages: readonly { name: string; seconds: number; cached: boolean }[];
  warnings: readonly string[];
}

/** One run, query by query. */
export interface ReportValues {
  system: string;
  seed: number | null;
  queryIds: readonly string[];
  /** By measure id, in the order of `queryIds`. */
  measures: Readonly<Record<string, readonly number[]>>;
}

/** All runs on one dataset, version and split. */
export interface ReportSection {
  dataset: {
    name: string;
    version: string;
    split: string;
    licence: string | null;
    passageCount: number | null;
    queryCount: number;
    /** Present where figures are means over these datasets; `queryCount` counts them then. */
    members?: readonly string[];
    files: readonly { name: string; sizeBytes: number; sha256: string }[];
  };
  /** The system that the others are compared with; absent where there is only one. */
  baseline?: string;
  /** The measure that charts and the two best systems go by; absent where every run failed. */
  measure?: string;
  columns: readonly ReportColumn[];
  systems: readonly ReportSystem[];
  comparisons: readonly ReportComparison[];
  /** Absent where fewer than two systems can be ranked. */
  ranks?: ReportRanks;
  /** Present where slices were given. */
  slices?: ReportSlices;
  /** Present where something was measured under load. */
  load?: ReportLoad;
  /** Absent where fewer than two systems have a cost. */
  isoCost?: ReportIsoCost;
  /** Present where prices were given. */
  prices?: ReportPrices;
  fronts: readonly ReportFront[];
  variations: readonly ReportVariation[];
  training: readonly ReportTraining[];
  /** Of systems that are searched with several vectors per passage. */
  winners: readonly ReportWinners[];
  /** Present where a system's index is not exact. */
  indexCurves?: { depth: number; curves: readonly ReportIndexCurve[] };
  queries?: ReportQueryDifferences;
  runs: readonly ReportRun[];
  /** Every value of every query, where a report needs them. */
  values?: readonly ReportValues[];
  /** What a reader of the figures should know. */
  notes: readonly string[];
}

export interface Report {
  /** ISO 8601, UTC */
  createdAt: string;
  benchVersion: string;
  /** What it is called, where somebody said so. */
  title?: string;
  /** What a paper refers to its first table by. */
  label?: string;
  /** Whether the columns were chosen by name; else a report shows those that suit it. */
  columnsChosen?: boolean;
  sections: readonly ReportSection[];
  /** Present where a dataset was searched in several sizes. */
  growth?: readonly ReportGrowth[];
  /** Of `bench check`. */
  checks?: readonly ReportCheck[];
}
