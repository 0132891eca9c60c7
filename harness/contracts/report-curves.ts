/** What a report is told of indexes that are not exact. */
import type { ReportInterval } from './comparison.js';

/** What the index of a system finds of the exact hits, by what its search looks at. */
export interface ReportIndexCurve {
  system: string;
  /** As its searcher calls it, `HNSW32`; Flat is exact. */
  kind: string;
  /** `nprobe`, `efSearch`; null where there is only one point. */
  parameter: string | null;
  indexBytes: number;
  points: readonly {
    value: number | null;
    /** Share of the exact first k hits among the first k, by k; the mean over queries and seeds. */
    recall: Readonly<Record<string, number>>;
    /** On the disk, of what such a search reads; absent where all points read the same. */
    indexBytes?: number;
    /** Against the index Flat; absent where its hits were not measured. */
    loss?: ReportIndexLoss;
    /** How many times as fast as the index Flat, which took turns with it. */
    speed?: number;
    /** Median of searching for one query; absent where it was not timed, or on several devices. */
    searchMs?: { value: number; p95: number; interval?: ReportInterval };
  }[];
  /** Of an index that is not exact, where it was timed. */
  rates?: readonly ReportIndexRate[];
}

/** How much worse an index is than Flat on the same queries: positive where it is worse. */
export interface ReportIndexLoss {
  /** Id of a measure of which more is better. */
  measure: string;
  value: number;
  /** Of the difference, paired by query; absent where nothing varies to make it of. */
  interval?: ReportInterval;
}

/** Queries per second, one at a time, where an index is as good as this. */
export interface ReportIndexRate {
  /** `recall@10`, `loss of ndcg@10`. */
  of: string;
  target: number;
  /** Absent where no point is that good. */
  perSecond?: number;
  /** Whether it lies between two points that were measured. */
  interpolated?: boolean;
}
