/** The part of a run record that says how far an approximate search is from the exact one. */
import type { LatencyValues } from './latency-facts.js';

export interface CurveFacts {
  /** Hits asked for, which the latencies are of. */
  readonly depth: number;
  /** `nprobe` or `efSearch`; null where the kind has neither, and the curve is one point. */
  readonly parameter: string | null;
  /** In the order of the values asked for; the last is what the run's other figures are of. */
  readonly points: readonly CurvePoint[];
}

export interface CurvePoint {
  readonly value: number | null;
  /** By number of hits k: the share of the exact first k that is among the first k, the mean over queries. */
  readonly recall: Readonly<Record<string, number>>;
  /** Searching for one query at a time, the points taking turns. */
  readonly execution?: { readonly search: LatencyValues };
}
