/** Times cells: one query at a time and in batches, the cells taking turns so that drift hits all alike. */
import { distinctNames } from '../comparison/names.js';
import type { Query } from '../contracts.js';
import { BenchError } from '../errors.js';
import { measureLatency } from '../latency/latency.js';
import { measureThroughput } from '../latency/throughput.js';
import { memoryBytes } from '../program/memory.js';
import type { Progress } from '../progress.js';
import { stream } from '../random.js';
import type { LatencyFacts } from '../record.js';
import type { Cell, OpenSystem } from './cell.js';

export interface TimedCell {
  cell: Cell;
  /** Absent where no query is to be timed, and after a failure. */
  latency?: LatencyFacts;
  failure?: unknown;
  /** All cells that took turns together took so long. */
  seconds: number;
}

/** Timed where each of them reads the whole index: 60 GiB take half a minute from a good disk. */
export const rereadingQueries = 10;

interface NamedCell {
  cell: Cell;
  /** As a report names it. */
  name: string;
}

/**
 * @param cells of one dataset and seed, with the same settings of `latency`
 * @throws BenchError INTERRUPTED; whatever else goes wrong is given back with the cell
 */
export async function timeCells(cells: readonly Cell[], progress: Progress): Promise<TimedCell[]> {
  const first = cells[0];
  if (first === undefined) return [];
  const { seed, config } = first.request;
  const queries = chosenQueries(first.queries, config.latency.queries, seed);
  if (queries.length === 0) return cells.map((cell) => ({ cell, seconds: 0 }));
  const names = distinctNames(cells.map(({ file, record }) => ({ file, record })));
  const named = cells.map((cell, i) => ({ cell, name: names[i]! }));
  // Systems that wait for the disk have few queries and turns of their own, so that the others keep all of theirs.
  const turns = [false, true].flatMap((rereads) => {
    const alike = named.filter(({ cell }) => cell.rereads === rereads);
    return config.latency.interleave ? fitting(alike, memoryFor(cells)) : alike.map((each) => [each]);
  });
  if (config.latency.interleave && turns.length > 1) {
    const lists = turns.map((turn) => turn.map(({ name }) => name).join(', '));
    progress.remark(
      `latency: all at once would take more than latency.memoryMiB allows, or some read the disk; together: ${lists.join('; ')}`,
    );
  }
  const timed: TimedCell[] = [];
  for (const turn of turns) {
    const asked = turn[0]!.cell.rereads ? queries.slice(0, rereadingQueries) : queries;
    timed.push(...(await timeTurn(turn, asked, progress)));
  }
  return timed;
}

/** The queries that are timed: the same for every architecture. @param queries of a split, or their places in it */
export function chosenQueries<T>(queries: readonly T[], count: number, seed: number): T[] {
  const order = stream(seed, 'latency', 'queries').shuffle(queries.map((_, i) => i));
  return order.slice(0, count).map((i) => queries[i]!);
}

/** One after another into turns that fit; a cell that is too large by itself has a turn of its own. */
export function fitting<T extends { cell: Pick<Cell, 'openBytes'> }>(
  cells: readonly T[],
  memory: number,
): T[][] {
  const turns: { members: T[]; bytes: number }[] = [];
  for (const each of cells) {
    const { openBytes } = each.cell;
    const turn = turns.find(({ bytes }) => bytes + openBytes <= memory);
    if (turn === undefined) turns.push({ members: [each], bytes: openBytes });
    else {
      turn.members.push(each);
      turn.bytes += openBytes;
    }
  }
  return turns.map(({ members }) => members);
}

function memoryFor([first]: readonly Cell[]): number {
  const { memoryMiB } = first!.request.config.latency;
  return memoryMiB !== null ? memoryMiB * 2 ** 20 : memoryBytes() / 2;
}

async function timeTurn(
  turn: readonly NamedCell[],
  queries: readonly Query[],
  progress: Progress,
): Promise<TimedCell[]> {
  const started = performance.now();
  const failed = new Map<Cell, unknown>();
  const open: (NamedCell & { system: OpenSystem })[] = [];
  let latencies: LatencyFacts[] = [];
  try {
    for (const each of turn) {
      try {
        const system = await each.cell.open();
        open.push({ ...each, system });
        await warmUp(each, system, queries, progress);
      } catch (error) {
        if (isInterrupt(error, progress)) throw error;
        failed.set(each.cell, error);
        if (open.at(-1)?.cell === each.cell) await open.pop()!.system.close();
      }
    }
    if (open.length > 0) latencies = await measure(open, queries, progress);
  } catch (error) {
    if (isInterrupt(error, progress)) throw error;
    // It cannot be told which of them it was, and the figures of the others are not whole.
    for (const { cell } of open) failed.set(cell, error);
  } finally {
    for (const { system } of open) await system.close();
  }
  const seconds = (performance.now() - started) / 1000;
  return turn.map(({ cell }) => {
    if (failed.has(cell)) return { cell, failure: failed.get(cell), seconds };
    return { cell, latency: latencies[open.findIndex((each) => each.cell === cell)]!, seconds };
  });
}

function isInterrupt(error: unknown, { signal }: Progress): boolean {
  return signal.aborted || (error instanceof BenchError && error.code === 'INTERRUPTED');
}

/** JavaScript is compiled as it runs: after about so many queries it is as fast as it will be. */
const warmQueries = 1000;
const longestWarmUpMs = 500;

/**
 * Once through all of them: a length met for the first time is a program to compile, which no user waits for twice. And
 * again while both limits allow: else BM25 took twice as long in a process that found its hits in the cache as in one that
 * had searched for them.
 */
async function warmUp(
  { name, cell: { rereads } }: NamedCell,
  { parts }: OpenSystem,
  queries: readonly Query[],
  progress: Progress,
): Promise<void> {
  const stage = progress.stage(`warm up ${name}`, queries.length, 'queries');
  const started = performance.now();
  const again = (done: number) =>
    !rereads && done < warmQueries && performance.now() - started < longestWarmUpMs;
  for (let done = 0; done < queries.length || again(done); done++) {
    let value: unknown = queries[done % queries.length];
    // The disk grows no faster: one search shows that it works, and the parts before it are warmed up as ever.
    for (const part of rereads && done > 0 ? parts.slice(0, -1) : parts)
      value = await part.run(value as never);
    stage.update(Math.min(done + 1, queries.length));
    progress.checkInterrupted();
  }
  stage.end();
}

async function measure(
  open: readonly (NamedCell & { system: OpenSystem })[],
  queries: readonly Query[],
  progress: Progress,
): Promise<LatencyFacts[]> {
  const { request, rereads, queries: all } = open[0]!.cell;
  const { batchSizes, queries: wanted } = request.config.latency;
  const warmup = rereads ? 0 : request.config.latency.warmup;
  const { signal } = progress;
  const stage = progress.stage('latency', open.length * queries.length, 'queries');
  const onProgress = (done: number) => stage.update(done);
  const { systems } = await measureLatency({
    systems: open.map(({ name, system: { parts } }) => ({ name, parts })),
    queries,
    warmup,
    seed: request.seed,
    signal,
    onProgress,
  });
  stage.end();
  const batches = progress.stage('throughput', undefined, 'batches');
  const throughput = await measureThroughput({
    systems: open.map(({ name, system }) => ({
      name,
      runBatch: (batch: readonly Query[]) => system.answerBatch(batch),
    })),
    queries,
    batchSizes,
    // A batch may have a shape that was not met before.
    warmup: rereads ? 0 : 'all',
    ...(rereads && { minBatches: 1 }),
    seed: request.seed,
    signal,
    onProgress: (done) => batches.update(done),
  });
  batches.end();
  const usual = Math.min(wanted, all.length);
  const said = rereads
    ? [
        `Every search reads the whole index, which search.memoryMiB (${request.config.search.memoryMiB}) does not hold: ${queries.length} of ${usual} queries are timed, after a single search to warm up.`,
      ]
    : [];
  return open.map(({ name, cell, system }, s) => {
    const { parts, total, warnings } = systems[s]!;
    const { secondsPerQuery: seconds, warnings: untimed } = cell.wholeIndex;
    return {
      queryIds: queries.map(({ queryId }) => queryId),
      rounds: 1,
      warmup,
      interleavedWith: open.filter((other) => other.name !== name).map((other) => other.name),
      resident: system.resident,
      ...parts,
      total,
      ...(batchSizes.length > 0 && { throughput: throughput.systems[s]!.throughput }),
      ...(seconds !== undefined && { wholeIndexSecondsPerQuery: seconds }),
      warnings: [...said, ...warnings, ...throughput.warnings, ...untimed],
    };
  });
}
