/** Systems under load, as reports show them. Times are milliseconds, of all seeds together. */

export interface ReportLoad {
  /** Number of clients by number, then rate by rate; the systems of each beside each other. */
  rows: readonly ReportLoadRow[];
  /** The largest rate at which p99 stayed within a bound, found by search. */
  bounds: readonly {
    system: string;
    boundMs: number;
    /** The lowest rate that failed lies no further above the one found: 0.05 for 5 %. */
    resolution: number;
    maxBatch: number;
    /** Of every seed. `above`: more than the highest that was tried; `none`: `ratePerSecond` is null. */
    runs: readonly { found: 'rate' | 'above' | 'none'; ratePerSecond: number | null }[];
  }[];
}

export interface ReportLoadTimes {
  queries: number;
  answeredPerSecond: number;
  /** Mean of the time before an answer is begun. */
  waitingMs: number;
  /** From the moment at which a query was to come, or was sent, to its answer. */
  p50Ms: number;
  p95Ms: number;
  /** Absent where the samples are too few. */
  p99Ms?: number;
}

export interface ReportLoadRow extends ReportLoadTimes {
  system: string;
  /** An open loop of a rate, in queries per second, or a closed one of so many clients. */
  kind: 'rate' | 'clients';
  setting: number;
  /** Most queries that waited which were answered together. */
  maxBatch: number;
  /** False where the queue grew as long as the load lasted. */
  keptUp: boolean;
}
