/** What `bench check` found, as a report shows it. */
import type { ReportUnit } from './report-table.js';

/** One thing that was compared with a stored baseline. */
export interface ReportCheck {
  system: string;
  dataset: string;
  /** `accuracy mrr@10`, `latency search`, `size index`, `setting`, `run`. */
  name: string;
  /** `changed`: a setting or a seed, not a figure. */
  verdict: 'same' | 'better' | 'worse' | 'changed' | 'not compared';
  baseline?: number;
  current?: number;
  unit?: ReportUnit;
  /** By how much and how sure, in words. */
  detail: string;
  /** Of what got worse by one sign and is not counted: by which sign, and what it was not counted for. */
  spared?: string;
}
