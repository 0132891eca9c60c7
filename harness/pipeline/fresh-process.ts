/** Has systems timed in a process of their own, which opens them from what their stages have left. */
import { fork } from 'node:child_process';
import type { Query } from '../contracts.js';
import { BenchError, type SentError } from '../errors.js';
import { endOf } from '../program/own-process.js';
import type { Progress } from '../progress.js';
import type { Opening } from './cell.js';
import type { PageCacheFacts } from './page-cache.js';

/** What the process is told. */
export interface FreshOrder {
  openings: readonly Opening[];
  /** As reports call them. */
  names: readonly string[];
  /** Those that are timed, in their order. */
  queries: readonly Query[];
  warmup: number;
  rereads: boolean;
  /** Of the order in which systems take turns. */
  seed: number;
  /** That it computes with; as many as settings say where absent. */
  threads?: number;
  /** Whether one system is opened from the disk and asked without a warm-up. */
  cold: boolean;
}

/** What it says of a system; samples are in the order of the queries. */
export type FreshSystem =
  | { state: 'warm'; partsMs: Record<string, readonly number[]>; warnings: readonly string[] }
  | { state: 'cold'; pageCache: PageCacheFacts; openMs: number; samplesMs: readonly number[] }
  | ({ state: 'failed' } & SentError)
  /** A bug. */
  | { state: 'broken'; stack: string };

export type FreshFigures = Extract<FreshSystem, { state: 'warm' | 'cold' }>;

export interface FreshMessage {
  systems: readonly FreshSystem[];
}

/** Libraries that compute with threads of their own go by these. */
const oneThreadOnly = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };

/**
 * Starts the process, waits for it, and gives what it says of every system, or its failure as an error.
 * @throws BenchError INTERRUPTED
 */
export async function timeInProcess(
  order: FreshOrder,
  progress: Progress,
): Promise<(FreshFigures | Error)[]> {
  const child = fork(new URL('./fresh-timing.js', import.meta.url), [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...(order.threads === 1 && oneThreadOnly) },
  });
  const { last, ended, words } = await endOf<FreshMessage>(child, { order, signal: progress.signal });
  progress.checkInterrupted();
  if (last === undefined) {
    const error = new BenchError(
      'UNAVAILABLE',
      `The process that timed ${order.names.join(', ')} ended before it was done (${ended}, ${words}).`,
      { hint: 'Where the machine ran out of memory, latency.interleave=false opens one system at a time.' },
    );
    return order.openings.map(() => error);
  }
  return last.systems.map((system) => {
    if (system.state === 'failed') return BenchError.received(system);
    return system.state === 'broken' ? new Error(system.stack) : system;
  });
}
