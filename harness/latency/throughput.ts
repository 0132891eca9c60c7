/** Throughput: queries per second where queries may be answered together. */
import { BenchError } from '../errors.js';
import { stream } from '../random.js';
import { drive } from './drive.js';

export interface BatchSystem<Query = string> {
  name: string;
  /** Answers all queries of a batch; what it returns is not looked at. */
  runBatch(queries: readonly Query[]): unknown;
}

export interface ThroughputOptions<Query = string> {
  systems: readonly BatchSystem<Query>[];
  queries: readonly Query[];
  /** Queries per call, 1, 16 and 128 by default. */
  batchSizes?: readonly number[];
  /** Batches each system answers before the clock counts, at every batch size; `all` of those that are timed. */
  warmup: number | 'all';
  /** Of the order of queries and systems. */
  seed: number;
  /** Fewest batches that are timed; queries come again where there are too few. 5 by default. */
  minBatches?: number;
  signal?: AbortSignal;
  /** Told how many batches have been timed, all systems and sizes together, while no clock runs. */
  onProgress?: (done: number) => void;
}

export interface Throughput {
  batchSize: number;
  /** All queries answered over all the time it took. */
  queriesPerSecond: number;
  queries: number;
  seconds: number;
  /** Milliseconds of each batch, in the order in which they ran. */
  samplesMs: readonly number[];
}

export interface ThroughputMeasurement {
  /** One entry per system, its figures in the order of the batch sizes. */
  systems: readonly { name: string; throughput: readonly Throughput[] }[];
  /** tinybench's about the timer. */
  warnings: readonly string[];
}

/**
 * Times whole batches, the systems taking turns.
 * @throws BenchError DATA_INVALID without queries, INTERRUPTED on an abort
 */
export async function measureThroughput<Query>(
  options: ThroughputOptions<Query>,
): Promise<ThroughputMeasurement> {
  const { systems, queries, batchSizes = [1, 16, 128] } = options;
  if (queries.length === 0)
    throw new BenchError('DATA_INVALID', 'There is no query to measure the throughput of.');
  const measured = systems.map(({ name }) => ({ name, throughput: [] as Throughput[] }));
  const warnings: string[] = [];
  let done = 0;
  const onBatch = () => options.onProgress?.(++done);
  for (const batchSize of batchSizes) {
    if (!(Number.isInteger(batchSize) && batchSize >= 1)) throw new TypeError(`batch size ${batchSize}`);
    const samples = await timeBatches(options, batchSize, warnings, onBatch);
    for (const [s, samplesMs] of samples.entries()) {
      const seconds = samplesMs.reduce((sum, ms) => sum + ms, 0) / 1000;
      const answered = samplesMs.length * batchSize;
      measured[s]!.throughput.push({
        batchSize,
        queriesPerSecond: answered / seconds,
        queries: answered,
        seconds,
        samplesMs: Array.from(samplesMs),
      });
    }
  }
  return { systems: measured, warnings };
}

/** Milliseconds of every batch, one array per system. All batches are full. */
async function timeBatches<Query>(
  options: ThroughputOptions<Query>,
  batchSize: number,
  warnings: string[],
  onBatch: () => void,
): Promise<Float64Array[]> {
  const { systems, queries, warmup, seed, minBatches = 5, signal } = options;
  const random = stream(seed, 'throughput', batchSize);
  const batchCount = Math.max(minBatches, Math.floor(queries.length / batchSize));
  const order = random.shuffle(Array.from(queries));
  const batches = Array.from({ length: batchCount }, (_, b) =>
    Array.from({ length: batchSize }, (_, i) => order[(b * batchSize + i) % order.length]!),
  );
  const turn = systems.map((_, i) => i);
  const schedule = batches.flatMap((_, batch) => random.shuffle(turn).map((system) => ({ system, batch })));
  const samples = systems.map(() => new Float64Array(batchCount));
  const said = await drive({
    turns: schedule.length,
    warmup: warmup === 'all' ? schedule.length : warmup * systems.length,
    ...(signal === undefined ? {} : { signal }),
    async run(turn, warming) {
      const { system, batch } = schedule[turn]!;
      const from = performance.now();
      await systems[system]!.runBatch(batches[batch]!);
      if (warming) return;
      samples[system]![batch] = performance.now() - from;
      onBatch();
    },
  });
  warnings.push(...said.map((warning) => `Batches of ${batchSize}: ${warning}`));
  return samples;
}
