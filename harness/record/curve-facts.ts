/** The part of a run record that says how far an approximate search is from the exact one. */
import type { LatencyValues } from './latency-facts.js';

/** What the hits of a search came to. */
export interface PointMeasures {
  readonly mean: number;
  /** In the order of `queryIds` of the record. */
  readonly perQuery: readonly number[];
}

export interface CurveFacts {
  /** Hits asked for, which the latencies are of. */
  readonly depth: number;
  /** `nprobe` or `efSearch`; null where the kind has neither, and the curve is one point. */
  readonly parameter: string | null;
  /** In the order of the values asked for; the last is what the run's other figures are of. */
  readonly points: readonly CurvePoint[];
  /** The index Flat, on the same queries; absent in what older versions left. */
  readonly exact?: {
    /** By measure id. */
    readonly measures: Readonly<Record<string, PointMeasures>>;
    /** Taking turns with the points; absent where memory does not hold it. */
    readonly execution?: { readonly search: LatencyValues };
  };
}

export interface CurvePoint {
  readonly value: number | null;
  /** By number of hits k: the share of the exact first k that is among the first k, the mean over queries. */
  readonly recall: Readonly<Record<string, number>>;
  /** By measure id. Absent from the last point, whose measures are the record's own, and in what older versions left. */
  readonly measures?: Readonly<Record<string, PointMeasures>>;
  /** On the disk, of what such a search reads, ids and offsets included; absent in what older versions left. */
  readonly sizeBytes?: number;
  /** Searching for one query at a time, the points taking turns. */
  readonly execution?: { readonly search: LatencyValues };
}
