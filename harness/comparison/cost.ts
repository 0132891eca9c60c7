/**
 * What a system costs, as a plug-in: every file of `harness/costs` gives columns of the report's tables, and where a figure is
 * measured while the system answers, the meter that does. Such a file is light: it is loaded in the process that is measured.
 */
import type { ReportColumn } from '../contracts.js';
import type { Figure, RunRecord } from '../record.js';

export interface Cost {
  /** Where its columns stand among those of their group: ascending. */
  readonly place: number;
  /** @param records all that are compared: where columns depend on what was measured, they say it */
  columns(records: readonly RunRecord[]): readonly CostColumn[];
  /** Measures while a system answers; each of its figures belongs to the column of that id. */
  readonly meter?: Meter;
}

export interface CostColumn extends ReportColumn {
  /** True where it says what a system is rather than what it costs: no number of it is the best. */
  readonly isNoCost?: boolean;
  /** True where it is so many a second: over several runs it is the rate of all of them together. */
  readonly isRate?: boolean;
  /**
   * A number; a figure that says why there is none; undefined where a system has no such thing. Where it is absent, the meter
   * gave the figure.
   */
  of?(record: RunRecord): number | Figure | undefined;
}

/** Runs in a process that does nothing but open one system and answer queries. */
export interface Meter {
  /**
   * Called once the system is open and warm, in the order of places. What it gives reads the figures once the queries are
   * answered, those of the last place first.
   * @returns figures by column id
   */
  begin(): Promise<(answered: Answered) => Promise<Readonly<Record<string, Figure>>>>;
}

/** What was answered between the two. */
export interface Answered {
  readonly queries: number;
  readonly seconds: number;
  /** `cpu`, `cuda`, `webgpu`; null where nothing is computed on an engine. */
  readonly device: string | null;
}
