/** The latency part of a run record. */

export interface LatencyFacts {
  /** Queries timed, in the order of the samples; where rounds are many they follow one another. */
  readonly queryIds: readonly string[];
  readonly rounds: number;
  readonly warmup: number;
  /** The systems that took turns. */
  readonly interleavedWith: readonly string[];
  /** Whether the vectors lay in memory; else the disk's share is in the figures. */
  readonly resident?: boolean;
  readonly tokenize?: LatencyValues;
  readonly encode?: LatencyValues;
  readonly search?: LatencyValues;
  readonly total: LatencyValues;
  readonly throughput?: readonly ThroughputValues[];
  /** The paper's figure: building and searching the whole index, over the number of queries. */
  readonly wholeIndexSecondsPerQuery?: number;
  /** About the timer and the number of samples. */
  readonly warnings: readonly string[];
}

export interface LatencyValues {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Bootstrap, 95 %. */
  readonly intervalsMs: Readonly<
    Record<'p50' | 'p95' | 'p99', { readonly low: number; readonly high: number }>
  >;
  readonly samplesMs: readonly number[];
}

export interface ThroughputValues {
  readonly batchSize: number;
  readonly queriesPerSecond: number;
  readonly queries: number;
  readonly seconds: number;
  readonly samplesMs: readonly number[];
}
