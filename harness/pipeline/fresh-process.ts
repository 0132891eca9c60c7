/** Has systems timed in a process of their own, which opens them from what their stages have left. */
import { fork } from 'node:child_process';
import { BenchError, type ErrorCode } from '../errors.js';
import type { Progress } from '../progress.js';
import type { PageCacheFacts } from './page-cache.js';
import type { RunRequest } from './run-request.js';

/** What the process is told. */
export interface FreshOrder {
  /** Of one dataset. */
  requests: readonly RunRequest[];
  /** As reports call them. */
  names: readonly string[];
  /** Of the queries that are timed, in their order. */
  queryIds: readonly string[];
  rereads: boolean;
  /** Of the order in which systems take turns. */
  seed: number;
  /** Whether one system is opened from the disk and asked without a warm-up. */
  cold: boolean;
}

/** What it says of a system; samples are in the order of the queries. */
export type FreshSystem =
  | { state: 'warm'; partsMs: Record<string, readonly number[]>; warnings: readonly string[] }
  | { state: 'cold'; pageCache: PageCacheFacts; openMs: number; samplesMs: readonly number[] }
  /** Without a code it is a bug, and the message has its stack. */
  | { state: 'failed'; code?: ErrorCode; message: string; hint?: string };

export interface FreshMessage {
  systems: readonly FreshSystem[];
}

/** Libraries that compute with threads of their own go by these. */
const oneThreadOnly = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };

/**
 * Starts the process, waits for it, and gives what it says of every system, or its failure as an error.
 * @param oneThread whether it computes with one thread, whatever the requests say
 * @throws BenchError INTERRUPTED
 */
export async function timeInProcess(
  order: FreshOrder,
  oneThread: boolean,
  progress: Progress,
): Promise<(Exclude<FreshSystem, { state: 'failed' }> | Error)[]> {
  const child = fork(new URL('./fresh-timing.js', import.meta.url), [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...(oneThread && oneThreadOnly) },
  });
  const stop = () => child.kill('SIGKILL');
  progress.signal.addEventListener('abort', stop, { once: true });
  if (progress.signal.aborted) stop();
  let said = '';
  let message: FreshMessage | undefined;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1000);
  });
  child.on('message', (sent) => {
    message = sent as FreshMessage;
  });
  const ended = await new Promise<string>((resolve, reject) => {
    child.once('error', reject).once('close', (code, by) => resolve(by ?? `exit code ${code}`));
    // One that is gone already says so by its end.
    child.send(
      oneThread ? { ...order, requests: order.requests.map(withOneThread) } : order,
      () => undefined,
    );
  });
  progress.signal.removeEventListener('abort', stop);
  progress.checkInterrupted();
  const words = said.trim().split('\n').at(-1) || 'without a word';
  const systems =
    message?.systems ??
    order.requests.map(() => ({
      ...{ state: 'failed' as const, code: 'UNAVAILABLE' as const },
      message: `The process that timed ${order.names.join(', ')} ended before it was done (${ended}, ${words}).`,
      hint: 'Where the machine ran out of memory, latency.interleave=false opens one system at a time.',
    }));
  return systems.map((system) => (system.state === 'failed' ? errorOf(system) : system));
}

const withOneThread = (request: RunRequest): RunRequest => ({
  ...request,
  config: { ...request.config, threads: 1 },
});

function errorOf({ code, message, hint }: FreshSystem & { state: 'failed' }): Error {
  if (code === undefined) return new Error(message);
  return new BenchError(code, message, hint === undefined ? {} : { hint });
}
