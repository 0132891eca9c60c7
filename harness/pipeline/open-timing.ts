/** Times systems that are open: one query at a time, in batches, and under load. */
import type { Query } from '../contracts.js';
import { measureLatency, type SystemLatency } from '../latency/latency.js';
import { measureLoad } from '../latency/load.js';
import { measureThroughput, type ThroughputMeasurement } from '../latency/throughput.js';
import type { Progress } from '../progress.js';
import type { LatencyFacts, LoadFacts } from '../record.js';
import type { Cell, NamedCell, OpenSystem } from './cell.js';
import type { FreshFacts } from './fresh.js';

export interface OpenCell extends NamedCell {
  system: OpenSystem;
}

/** A system that is open, by its name. */
export interface NamedSystem {
  name: string;
  system: OpenSystem;
}

/** JavaScript is compiled as it runs: after about so many queries it is as fast as it will be. */
const warmQueries = 1000;
const longestWarmUpMs = 500;
/** The least of the first few is what a query takes: the others have met lengths of which a program is compiled. */
const triedQueries = 3;

/**
 * Once through all of them: a length met for the first time is a program to compile, which no user waits for twice. And
 * again while both limits allow: else BM25 took twice as long in a process that found its hits in the cache as in one that
 * had searched for them.
 * @param told what a query takes in seconds, as soon as that is known
 */
export async function warmUp(
  { name, rereads, system: { parts } }: NamedSystem & { rereads: boolean },
  queries: readonly Query[],
  progress: Progress,
  told: (seconds: number) => void = () => undefined,
): Promise<void> {
  const tried = Math.min(triedQueries, queries.length);
  let leastMs = Number.POSITIVE_INFINITY;
  const stage = progress.stage(`warm up ${name}`, queries.length, 'queries');
  const started = performance.now();
  const again = (done: number) =>
    !rereads && done < warmQueries && performance.now() - started < longestWarmUpMs;
  for (let done = 0; done < queries.length || again(done); done++) {
    let value: unknown = queries[done % queries.length];
    const from = performance.now();
    // The disk grows no faster: one search shows that it works, and the parts before it are warmed up as ever.
    for (const part of rereads && done > 0 ? parts.slice(0, -1) : parts)
      value = await part.run(value as never);
    leastMs = Math.min(leastMs, performance.now() - from);
    if (done + 1 === tried) told(leastMs / 1000);
    stage.update(Math.min(done + 1, queries.length));
    progress.checkInterrupted();
  }
  stage.end();
}

/** One query at a time, the systems taking turns. */
export async function timeSingles(
  open: readonly NamedSystem[],
  queries: readonly Query[],
  { warmup, seed }: { warmup: number; seed: number },
  progress: Progress,
): Promise<readonly SystemLatency[]> {
  const stage = progress.stage('latency', open.length * queries.length, 'queries');
  const { systems } = await measureLatency({
    systems: open.map(({ name, system: { parts } }) => ({ name, parts })),
    ...{ queries, warmup, seed, signal: progress.signal },
    onProgress: (done) => stage.update(done),
  });
  stage.end();
  return systems;
}

/**
 * @param queries one or more: those that are timed one at a time
 * @param freshOf what processes of their own have told; single queries are timed here where it has none
 */
export async function measureOpen(
  open: readonly OpenCell[],
  queries: readonly Query[],
  freshOf: (cell: Cell) => FreshFacts,
  progress: Progress,
): Promise<LatencyFacts[]> {
  const { request, rereads, queries: all } = open[0]!.cell;
  const { batchSizes, queries: wanted } = request.config.latency;
  const warmup = rereads ? 0 : request.config.latency.warmup;
  const { processes } = request.config.latency;
  const systems =
    processes === 1
      ? await timeSingles(open, queries, { warmup, seed: request.seed }, progress)
      : open.map(({ cell }) => freshOf(cell).singles!);
  const throughput = await measureBatches(open, queries, progress);
  const load = rereads ? undefined : await measureLoaded(open, queries, progress);
  const usual = Math.min(wanted, all.length);
  const said = rereads
    ? [
        `Every search reads the whole index, which search.memoryMiB (${request.config.search.memoryMiB}) does not hold: ${queries.length} of ${usual} queries are timed, after a single search to warm up.`,
        ...(asksForLoad(open[0]!) ? ['Nothing is measured under load for the same reason.'] : []),
      ]
    : [];
  return open.map(({ name, cell, system }, s) => {
    const { parts, total, warnings } = systems[s]!;
    const { oneThread, cold } = freshOf(cell);
    const { secondsPerQuery: seconds, warnings: untimed } = cell.wholeIndex;
    return {
      queryIds: queries.map(({ queryId }) => queryId),
      rounds: processes,
      ...(processes > 1 && { processes }),
      warmup,
      interleavedWith: open.filter((other) => other.name !== name).map((other) => other.name),
      resident: system.resident,
      ...parts,
      total,
      ...(oneThread && { oneThread }),
      ...(cold && { cold }),
      ...(batchSizes.length > 0 && { throughput: throughput.systems[s]!.throughput }),
      ...(load && { load: load[s]! }),
      ...(seconds !== undefined && { wholeIndexSecondsPerQuery: seconds }),
      warnings: [...said, ...warnings, ...throughput.warnings, ...lateness(name, load?.[s]), ...untimed],
    };
  });
}

async function measureBatches(
  open: readonly OpenCell[],
  queries: readonly Query[],
  progress: Progress,
): Promise<ThroughputMeasurement> {
  const { request, rereads } = open[0]!.cell;
  const batches = progress.stage('throughput', undefined, 'batches');
  const measured = await measureThroughput({
    systems: open.map(({ name, system }) => ({
      name,
      runBatch: (batch: readonly Query[]) => system.answerBatch(batch),
    })),
    queries,
    batchSizes: request.config.latency.batchSizes,
    // A batch may have a shape that was not met before.
    warmup: rereads ? 0 : 'all',
    ...(rereads && { minBatches: 1 }),
    seed: request.seed,
    signal: progress.signal,
    onProgress: (done) => batches.update(done),
  });
  batches.end();
  return measured;
}

function asksForLoad({ cell: { request } }: OpenCell): boolean {
  const { rates, clients, bound } = request.config.latency;
  return rates.length > 0 || clients.length > 0 || bound !== null;
}

/** Undefined where no load is asked for. */
async function measureLoaded(
  open: readonly OpenCell[],
  queries: readonly Query[],
  progress: Progress,
): Promise<LoadFacts[] | undefined> {
  if (!asksForLoad(open[0]!)) return undefined;
  const { config, seed } = open[0]!.cell.request;
  const { rates, clients, bound, loadQueries, maxBatch } = config.latency;
  const stage = progress.stage('load', undefined, 'queries');
  const loads = await measureLoad({
    ...{ queries, count: loadQueries, rates, clients, boundMs: bound, maxBatch, seed },
    systems: open.map(({ name, system }) => ({
      name,
      answer: (batch: readonly Query[]) =>
        batch.length === 1 ? answerOne(system, batch[0]!) : system.answerBatch(batch),
    })),
    signal: progress.signal,
    onTurn: (answered, next) => stage.update(answered, next),
  });
  stage.end();
  return loads.map(({ name: _, ...load }) => ({ maxBatch, ...load }));
}

/** Above this share of what queries wait on average, the harness is what they wait for. */
const notableLag = 0.1;

/** Where the harness itself was late: on a machine that others use, its process is not run when a query is to come. */
function lateness(name: string, load: LoadFacts | undefined): string[] {
  return (load?.open ?? []).flatMap(({ ratePerSecond, lag, response }) =>
    lag.meanMs > notableLag * response.meanMs
      ? [
          `Under load the harness was late itself, by ${lag.meanMs.toFixed(2)} of ${response.meanMs.toFixed(2)} ms on average (${name} at ${ratePerSecond} a second): what else the machine does is in these figures.`,
        ]
      : [],
  );
}

/** Part by part, as single queries are timed. */
async function answerOne({ parts }: OpenSystem, query: Query): Promise<void> {
  let value: unknown = query;
  for (const part of parts) value = await part.run(value as never);
}
