/** The latency part of a run record. */
import type { LoadFacts } from './load-facts.js';

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
  /** Where queries came at a rate, or of so many clients. */
  readonly load?: LoadFacts;
  /** The paper's figure: building and searching the whole index, over the number of queries. */
  readonly wholeIndexSecondsPerQuery?: number;
  /** About the timer, and what was not measured. */
  readonly warnings: readonly string[];
}

export interface LatencyValues {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Null where there are fewer samples than it takes; older versions left one of any number. */
  readonly p99Ms: number | null;
  /** Bootstrap, 95 %. */
  readonly intervalsMs: {
    readonly p50: IntervalMs;
    readonly p95: IntervalMs;
    readonly p99: IntervalMs | null;
  };
  readonly samplesMs: readonly number[];
}

export interface IntervalMs {
  readonly low: number;
  readonly high: number;
}

export interface ThroughputValues {
  readonly batchSize: number;
  readonly queriesPerSecond: number;
  readonly queries: number;
  readonly seconds: number;
  readonly samplesMs: readonly number[];
}
