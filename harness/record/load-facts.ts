/** What systems did under load, as a run record has it. Times are milliseconds. */

export interface LoadFacts {
  /** Most queries that waited which were answered together; 1 where each was answered by itself. */
  readonly maxBatch: number;
  /** In the order in which the settings name the rates. */
  readonly open: readonly OpenLoadFacts[];
  readonly closed: readonly ClosedLoadFacts[];
  /** Where the largest rate under a bound was sought. */
  readonly bound?: BoundFacts;
}

export interface LoadTimes {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Null where there are fewer samples than it takes. */
  readonly p99Ms: number | null;
}

export interface LoadValues {
  readonly queries: number;
  /** Over the time from the beginning to the last answer. */
  readonly answeredPerSecond: number;
  /** From the moment at which a query was to come, or was sent, to its answer. */
  readonly response: LoadTimes;
  /** The part of it before the answer was begun. */
  readonly waiting: LoadTimes;
  /** Of a call, which answers `maxBatch` queries at most. */
  readonly callMeanMs: number;
  readonly calls: number;
  /** By how much the harness itself was late, which is part of the waiting. */
  readonly lag: { readonly meanMs: number; readonly mostMs: number };
  /** Of the response, in the order in which queries came. */
  readonly samplesMs: readonly number[];
}

/** Queries came by themselves: Poisson arrivals. */
export interface OpenLoadFacts extends LoadValues {
  readonly ratePerSecond: number;
  /** As it came out for these arrivals. */
  readonly offeredPerSecond: number;
  /** Whether 95 % of what was offered or more was answered meanwhile. */
  readonly keptUp: boolean;
}

/** Each client sent its next query when it had the answer to its last. */
export interface ClosedLoadFacts extends LoadValues {
  readonly clients: number;
}

export interface BoundFacts {
  /** Of p99 of the response. */
  readonly boundMs: number;
  readonly found: 'rate' | 'above' | 'none';
  /** The largest that was tried and stayed within the bound; null where none did. */
  readonly ratePerSecond: number | null;
  /** The lowest rate that failed lies no further above it: 0.05 for 5 %. */
  readonly resolution: number;
  readonly tried: readonly {
    readonly ratePerSecond: number;
    readonly p99Ms: number | null;
    readonly passed: boolean;
  }[];
}
