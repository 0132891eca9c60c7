/** How long the latencies of a system take to measure. */

import type { BenchConfig } from '../../config/config.js';
import { counted } from '../../counted.js';
import { duration } from '../../progress.js';
import type { StageTime } from './stage-time.js';
import { spell } from './timed.js';

/** A query is answered so often before the clock counts, in batches too; a warm-up takes half a second at least. */
const warmUps = 2;
const warmUpSeconds = 0.5;
/** A batch size is timed so often at least. */
const fewestBatches = 5;
/** What a search of rates comes to, in queries that are answered without a pause: some eight steps, most of them near what a system can do. */
const searchLoads = 10;

/** A fresh process takes so long until it can open a system. */
const processSeconds = 1.5;

/** @param all queries of the split @param alone seconds of one by itself @param inBatch of one of a batch */
export function latencyTime(
  { latency }: BenchConfig,
  all: number,
  alone: number,
  inBatch: number,
): StageTime {
  const stage = 'latency';
  const queries = Math.min(latency.queries, all);
  if (queries === 0) return { stage, seconds: 0, basis: 'no query is timed' };
  const batches = latency.batchSizes.map((size) => {
    const each = size === 1 ? alone : size * inBatch;
    return warmUps * Math.max(fewestBatches, Math.floor(queries / size)) * each;
  });
  const single = warmUpSeconds + (warmUps * queries + latency.warmup) * alone;
  const load = loadTime(latency, alone);
  const fresh = freshTime(latency, single, queries * alone);
  const seconds = [...batches, load.seconds, fresh.seconds].reduce((sum, each) => sum + each, single);
  const basis = `${counted(queries, 'queries')} of ${spell(alone)} one at a time, and batches of ${latency.batchSizes.join(', ') || 'none'}; as for search${fresh.words}${load.words}`;
  return { stage, seconds, basis };
}

/** Who waits longer wants to have been told. */
const longSeconds = 600;
/** Enough for a median. */
const fewQueries = 20;

/**
 * What is said beforehand of latencies that take more than ten minutes: how long, and the settings that halve that at least, where they do.
 * What fresh processes time is behind by then, and counts in what the same command would take with those settings.
 * @param all queries of the split @param alone seconds of one query by itself; one of a batch is taken to need as long
 */
export function longLatency(config: BenchConfig, all: number, alone: number): string | undefined {
  const { latency } = config;
  const ahead = { ...latency, processes: 1, oneThread: false, cold: false };
  const usual = latencyTime({ ...config, latency: ahead }, all, alone, alone);
  if (!(usual.seconds! > longSeconds)) return undefined;
  const queries = Math.min(latency.queries, all);
  const text = `about ${duration(1000 * usual.seconds!)}, by ${counted(queries, 'queries')} of ${spell(alone)} one at a time and batches of ${latency.batchSizes.join(', ') || 'none'}, where these help nothing`;
  const few = { ...latency, queries: Math.min(fewQueries, queries), batchSizes: [1] };
  const { seconds } = latencyTime({ ...config, latency: few }, all, alone, alone);
  if (2 * seconds! > usual.seconds!) return text;
  return `${text}; --set latency.queries=${few.queries} --set latency.batchSizes=[1] would take about ${duration(1000 * seconds!)}`;
}

/** @param single seconds of timing a system's queries, with the warm-up @param cold without it */
function freshTime(
  { processes, oneThread, cold }: BenchConfig['latency'],
  single: number,
  asked: number,
): { seconds: number; words: string } {
  const warm = (processes > 1 ? processes - 1 : 0) + (oneThread ? 1 : 0);
  const starts = (processes > 1 ? processes : 0) + (oneThread ? 1 : 0) + (cold ? processes : 0);
  const seconds = starts * processSeconds + warm * single + (cold ? processes * asked : 0);
  return { seconds, words: starts === 0 ? '' : `; ${counted(starts, 'fresh processes')} ${spell(seconds)}` };
}

/** Queries that come at a rate take as long as they take to come. */
function loadTime(
  { rates, clients, bound, loadQueries }: BenchConfig['latency'],
  alone: number,
): { seconds: number; words: string } {
  const busy = loadQueries * alone;
  const open = rates.map((rate) => Math.max(loadQueries / rate, busy));
  const sought = bound === null ? 0 : searchLoads * busy;
  const seconds = open.reduce((sum, each) => sum + each, clients.length * busy + sought);
  const kinds = [
    ...(rates.length > 0 ? [`at ${rates.join(', ')} a second`] : []),
    ...(clients.length > 0
      ? [`of ${clients.join(', ')} ${clients.join() === '1' ? 'client' : 'clients'}`]
      : []),
    ...(bound === null ? [] : [`at rates that are sought for ${bound} ms`]),
  ];
  const words =
    kinds.length === 0
      ? ''
      : `; under load ${spell(seconds)}, ${counted(loadQueries, 'queries')} each ${kinds.join(', ')}`;
  return { seconds, words };
}
