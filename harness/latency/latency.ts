/** Latency: one query at a time, part by part, the systems compared taking turns so that drift hits all alike. */
import { BenchError } from '../errors.js';
import { stream } from '../random.js';
import { p99Missing } from '../statistics/percentile-samples.js';
import { quantileIntervals } from '../statistics/quantile-intervals.js';
import { type Interval, mean, quantile } from '../statistics/summary.js';
import { drive, timerWarning } from './drive.js';

/** A step from a query's text to its hits: `tokenize`, `encode`, `search`. */
export interface Part {
  name: string;
  /** Takes what the part before it gave; the first part takes the query. What a part returns is not looked at. */
  run(value: never): unknown;
}

export interface System {
  name: string;
  parts: readonly Part[];
}

export interface LatencyOptions<Query = string> {
  /** The systems compared; all get the same queries in the same order. */
  systems: readonly System[];
  /** One or more; sample i of every part belongs to queries[i]. */
  queries: readonly Query[];
  /** Queries each system answers before the clock counts. */
  warmup: number;
  /** Of the order of queries and systems, and of the bootstrap. */
  seed: number;
  /** How often each query is timed, 1 by default; the samples of round r follow those of the rounds before it. */
  rounds?: number;
  /** Resamples of the bootstrap, 2000 by default. */
  resamples?: number;
  signal?: AbortSignal;
  /** Told how many queries have been timed, all systems together, while no clock runs. */
  onProgress?: (done: number) => void;
}

/** Milliseconds. Percentiles by linear interpolation, see `quantile`; intervals by bootstrap, 95 %. */
export interface LatencySummary {
  meanMs: number;
  p50Ms: number;
  p95Ms: number;
  /** Null where the samples are fewer than it takes; its interval too. */
  p99Ms: number | null;
  intervalsMs: Record<'p50' | 'p95', Ends> & { p99: Ends | null };
  /** All samples, [rounds * queries], in the order of the queries, whatever the order they were run in. */
  samplesMs: readonly number[];
}

type Ends = Pick<Interval, 'low' | 'high'>;

export interface SystemLatency {
  name: string;
  /** By part name, in the order of the parts. */
  parts: Readonly<Record<string, LatencySummary>>;
  /** The sum of the parts, sample by sample. */
  total: LatencySummary;
  /** Those of the whole measurement, and of its own parts. */
  warnings: readonly string[];
}

export interface LatencyMeasurement {
  systems: readonly SystemLatency[];
  /** tinybench's about the timer, of all systems. */
  warnings: readonly string[];
}

/**
 * Times every query on every system.
 * @throws BenchError INTERRUPTED on an abort; TypeError for no queries, no systems, or names that repeat
 */
export async function measureLatency<Query>(options: LatencyOptions<Query>): Promise<LatencyMeasurement> {
  const { systems, queries, warmup, seed, rounds = 1, signal, onProgress } = options;
  assertUsable(options);
  const samples = systems.map(({ parts }) => parts.map(() => new Float64Array(rounds * queries.length)));
  const schedule = scheduleOf(systems.length, queries.length, rounds, seed);
  const shared = await drive({
    turns: schedule.length,
    warmup: warmup * systems.length,
    ...(signal === undefined ? {} : { signal }),
    async run(turn, warming) {
      const { system, sample } = schedule[turn]!;
      let value: unknown = queries[sample % queries.length];
      for (const [i, part] of systems[system]!.parts.entries()) {
        const from = performance.now();
        const given = part.run(value as never);
        // A part that answers at once is not made to wait for the microtask queue.
        value = isPromise(given) ? await given : given;
        const ms = performance.now() - from;
        if (!warming) samples[system]![i]![sample] = ms;
      }
      if (!warming) onProgress?.(turn + 1);
    },
  });
  const measured: SystemLatency[] = [];
  for (const [s, { name, parts }] of systems.entries()) {
    const byPart: Record<string, LatencySummary> = {};
    const own: string[] = [];
    for (const [i, part] of parts.entries()) {
      const warning = await timerWarning(
        `${part.name} of ${name}`,
        Float64Array.from(samples[s]![i]!).sort(),
      );
      if (warning !== undefined) own.push(warning);
      byPart[part.name] = summarizeLatency(samples[s]![i]!, options);
    }
    const total = new Float64Array(rounds * queries.length);
    for (const part of samples[s]!) for (const [i, ms] of part.entries()) total[i]! += ms;
    const warnings = [...shared, ...own];
    measured.push({ name, parts: byPart, total: summarizeLatency(total, options), warnings });
  }
  return { systems: measured, warnings: [...new Set(measured.flatMap(({ warnings }) => warnings))] };
}

/** Mean, percentiles and their intervals of samples in milliseconds, which are kept in their order. */
export function summarizeLatency(
  samplesMs: Float64Array,
  { seed, resamples }: { seed: number; resamples?: number },
): LatencySummary {
  const sorted = Float64Array.from(samplesMs).sort();
  const [p50, p95, p99] = quantileIntervals(sorted, [0.5, 0.95, 0.99], {
    seed,
    ...(resamples === undefined ? {} : { resamples }),
  });
  const enough = p99Missing(sorted.length) === undefined;
  return {
    meanMs: mean(sorted),
    p50Ms: quantile(sorted, 0.5),
    p95Ms: quantile(sorted, 0.95),
    p99Ms: enough ? quantile(sorted, 0.99) : null,
    intervalsMs: { p50: p50!, p95: p95!, p99: enough ? p99! : null },
    samplesMs: Array.from(samplesMs),
  };
}

/** Every query of every round on every system; queries in a seeded order, the systems in a new order for each. */
function scheduleOf(
  systemCount: number,
  queryCount: number,
  rounds: number,
  seed: number,
): { system: number; sample: number }[] {
  const random = stream(seed, 'latency', 'order');
  const systems = Array.from({ length: systemCount }, (_, i) => i);
  const schedule = [];
  for (let round = 0; round < rounds; round++) {
    for (const query of random.shuffle(Array.from({ length: queryCount }, (_, i) => i))) {
      for (const system of random.shuffle(systems))
        schedule.push({ system, sample: round * queryCount + query });
    }
  }
  return schedule;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function assertUsable<Query>({ systems, queries, warmup, rounds = 1 }: LatencyOptions<Query>): void {
  const names = systems.map(({ name }) => name);
  if (queries.length === 0)
    throw new BenchError('DATA_INVALID', 'There is no query to measure the latency of.');
  if (systems.length === 0) throw new TypeError('no system to measure');
  if (new Set(names).size !== names.length)
    throw new TypeError(`two systems have one name: ${names.join(', ')}`);
  for (const { name, parts } of systems) {
    const partNames = parts.map((part) => part.name);
    if (parts.length === 0) throw new TypeError(`system ${name} has no parts`);
    if (new Set(partNames).size !== partNames.length)
      throw new TypeError(`system ${name} has two parts of one name`);
  }
  if (!(Number.isInteger(warmup) && warmup >= 0 && Number.isInteger(rounds) && rounds >= 1)) {
    throw new TypeError(`warmup ${warmup}, rounds ${rounds}`);
  }
}
