/** Records whose every figure a test gives, so that what is made of them can be worked out by hand. */
import assert from 'node:assert/strict';
import type { LatencyFacts, LatencyValues, RunRecord, StoredRecord } from '../harness/record.js';
import { madeRecord } from './made-records.js';

export interface Given {
  arch?: string;
  seed?: number | null;
  /** By measure id: a value for each query; all of one length. */
  measures: Readonly<Record<string, readonly number[]>>;
  /** Those of the measures of which less is better. */
  lower?: readonly string[];
  /** By part, ms; where there are none the record has no latencies. */
  samples?: Partial<Record<'tokenize' | 'encode' | 'search' | 'total', readonly number[]>>;
  latency?: Partial<LatencyFacts>;
  index?: Partial<NonNullable<RunRecord['index']>>;
  device?: Partial<RunRecord['device']>;
  machine?: Partial<RunRecord['device']['machine']>;
}

function timesOf(samplesMs: readonly number[]): LatencyValues {
  // Nothing is read off these: reports and checks go by the samples.
  const none = { low: 0, high: 0 };
  return {
    ...{ meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, samplesMs },
    intervalsMs: { p50: none, p95: none, p99: none },
  };
}

export function given(request: Given): StoredRecord {
  const { arch = 'dual-encoder', seed = 1, measures, lower = [], samples, latency } = request;
  const made = madeRecord({ arch, seed, queries: Object.values(measures)[0]!.length });
  const { latency: _, ...untimed } = made;
  const parts = Object.fromEntries(
    Object.entries(samples ?? {}).map(([part, list]) => [part, timesOf(list)]),
  );
  const timed: LatencyFacts = {
    ...{ queryIds: made.queryIds, rounds: 1, warmup: 0, interleavedWith: [], resident: true, warnings: [] },
    total: timesOf([1, 1]),
    ...parts,
    ...latency,
  };
  const record: RunRecord = {
    ...untimed,
    device: {
      ...made.device,
      ...request.device,
      machine: { ...made.device.machine, ...request.machine },
    },
    index: { ...made.index!, ...request.index },
    measures: Object.fromEntries(
      Object.entries(measures).map(([id, perQuery]) => {
        const mean = perQuery.reduce((sum, value) => sum + value, 0) / perQuery.length;
        return [id, { mean, higherIsBetter: !lower.includes(id), description: 'given', perQuery }];
      }),
    ),
    ...((samples ?? latency) !== undefined && { latency: timed }),
  };
  return { file: `given-${arch}-${seed}.record.json`, record };
}

/** A value for each query: 1 for the first so many, 0 for the others. */
export const ones = (count: number, queries: number): number[] =>
  Array.from({ length: queries }, (_, q) => (q < count ? 1 : 0));

/** Equal but for rounding. */
export function near(actual: number | undefined, expected: number, what: string): void {
  assert.ok(Math.abs(actual! - expected) < 1e-12 * Math.max(1, Math.abs(expected)), `${what}: ${actual}`);
}
