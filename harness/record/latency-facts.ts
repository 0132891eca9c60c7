/** The latency part of a run record. */
import type { LoadFacts } from './load-facts.js';

/** By part, as far as the system has it. */
export interface PartLatencies {
  readonly tokenize?: LatencyValues;
  readonly encode?: LatencyValues;
  readonly search?: LatencyValues;
  readonly total: LatencyValues;
}

export interface LatencyFacts extends PartLatencies {
  /** Queries timed, in the order of the samples; where rounds are many they follow one another. */
  readonly queryIds: readonly string[];
  readonly rounds: number;
  readonly warmup: number;
  /** The systems that took turns. */
  readonly interleavedWith: readonly string[];
  /** Whether the vectors lay in memory; else the disk's share is in the figures. */
  readonly resident?: boolean;
  /** Fresh processes that the rounds ran in, one each; absent where they ran in the process of the run. */
  readonly processes?: number;
  /** The same queries with one thread, in a fresh process. */
  readonly oneThread?: PartLatencies;
  /** Fresh processes in which the system was opened from the disk and asked without a warm-up. */
  readonly cold?: readonly ColdFacts[];
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

/** A start from the disk. */
export interface ColdFacts {
  /** Whether the files of its artifacts were dropped from the page cache before, and why not. */
  readonly pageCache: { readonly dropped: boolean; readonly reason?: string };
  /** Until it could answer. */
  readonly openMs: number;
  /** From text to hits, in the order of `queryIds`: the first is that of the first query after the start. */
  readonly samplesMs: readonly number[];
}

export interface ThroughputValues {
  readonly batchSize: number;
  readonly queriesPerSecond: number;
  readonly queries: number;
  readonly seconds: number;
  readonly samplesMs: readonly number[];
}
