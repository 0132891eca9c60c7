/** Times cells: one query at a time and in batches, the cells taking turns so that drift hits all alike. */
import { distinctNames } from '../comparison/names.js';
import type { Query } from '../contracts.js';
import { BenchError } from '../errors.js';
import { memoryBytes } from '../program/memory.js';
import type { Progress } from '../progress.js';
import { stream } from '../random.js';
import type { LatencyFacts } from '../record.js';
import type { Cell, NamedCell } from './cell.js';
import { longLatency } from './estimate/latency-time.js';
import { type FreshFacts, timeFresh } from './fresh.js';
import { measureOpen, type OpenCell, warmUp } from './open-timing.js';
import { openSystem } from './opening.js';

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

/**
 * Those that are not to be timed come back without latencies, and take no turns.
 * @param all of one dataset and seed, with the same settings of `latency`
 * @param open opens one of them in this process
 * @throws BenchError INTERRUPTED; whatever else goes wrong is given back with the cell
 */
export async function timeCells(
  all: readonly Cell[],
  progress: Progress,
  open = openSystem,
): Promise<TimedCell[]> {
  const untimed = all.filter((cell) => cell.untimed !== undefined).map((cell) => ({ cell, seconds: 0 }));
  const cells = all.filter((cell) => cell.untimed === undefined);
  const first = cells[0];
  if (first === undefined) return untimed;
  const { seed, config } = first.request;
  const queries = chosenQueries(first.queries, config.latency.queries, seed);
  if (queries.length === 0) return all.map((cell) => ({ cell, seconds: 0 }));
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
  const timed: TimedCell[] = [...untimed];
  for (const turn of turns) {
    const asked = turn[0]!.cell.rereads ? queries.slice(0, rereadingQueries) : queries;
    timed.push(...(await timeTurn(turn, asked, progress, open)));
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
  openOne: typeof openSystem,
): Promise<TimedCell[]> {
  const started = performance.now();
  const failed = new Map<Cell, unknown>();
  const open: OpenCell[] = [];
  let latencies: LatencyFacts[] = [];
  try {
    const fresh = await timeFresh(turn, queries, progress);
    for (const [cell, facts] of fresh) if (facts instanceof Error) failed.set(cell, facts);
    for (const each of turn) {
      if (failed.has(each.cell)) continue;
      try {
        const system = await openOne(each.cell.opening, { progress });
        open.push({ ...each, system });
        const { request, rereads, queries: all } = each.cell;
        await warmUp({ name: each.name, rereads, system }, queries, progress, (seconds) => {
          // The few queries of a system that rereads its index are told of in its record.
          const long = rereads ? undefined : longLatency(request.config, all.length, seconds);
          if (long !== undefined) progress.note(`latency of ${each.name} takes ${long}`);
        });
      } catch (error) {
        if (isInterrupt(error, progress)) throw error;
        failed.set(each.cell, error);
        if (open.at(-1)?.cell === each.cell) await open.pop()!.system.close();
      }
    }
    if (open.length > 0)
      latencies = await measureOpen(open, queries, (cell) => fresh.get(cell) as FreshFacts, progress);
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
