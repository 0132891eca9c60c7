/** What a report is told of systems in collections that grow. */
import type { ReportInterval } from './comparison.js';
import type { ReportCell, ReportColumn } from './report-table.js';

/** One dataset with more and more passages that no query needs. */
export interface ReportGrowth {
  dataset: { name: string; version: string; split: string };
  /** The dataset that they come from; null where they are passages of the dataset itself. */
  from: string | null;
  /** Of what changes with the size. */
  columns: readonly ReportColumn[];
  systems: readonly ReportGrowingSystem[];
  /** What a line through the sizes has to keep to be a law. */
  lawBounds: ReportLawBounds;
  notes: readonly string[];
}

export interface ReportLawBounds {
  /** At least so many. */
  sizes: number;
  /** The largest size is at least so many times the smallest. */
  spread: number;
  /** At least. */
  r2: number;
  /** No size is missed by more than this share of what was measured. */
  residual: number;
}

export interface ReportGrowingSystem {
  system: string;
  /** As measured, the smallest collection first. */
  points: readonly {
    /** N */
    passages: number;
    distractors: number;
    seeds: readonly (number | null)[];
    /** By column id. */
    cells: Readonly<Record<string, ReportCell>>;
  }[];
  /** What nobody measured; absent where nothing can be said. */
  projected?: {
    passages: number;
    /** Bare vectors, or postings. */
    bytes?: number;
    /** By the law; the interval, at 95 %, is that of the line. */
    searchMs?: { value: number; interval: ReportInterval };
  };
  /** How searching slows down; absent where it was not timed. */
  law?: ReportGrowthLaw;
}

/** Milliseconds of a search = intercept + slope N, by least squares of the medians. */
export type ReportGrowthLaw =
  | {
      interceptMs: number;
      msPerPassage: number;
      r2: number;
      /** By size: measured less what the law says, over what was measured. */
      residuals: readonly number[];
      /** Absent: the fit is good enough to project by. */
      refused?: string;
      /** What the line says of the size that is projected to. */
      projectedMs: { value: number; interval: ReportInterval };
    }
  /** Why there is none. */
  | { refused: string };
