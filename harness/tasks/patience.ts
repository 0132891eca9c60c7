/** A server that is gone is waited for, as long as the job is not told to stop. */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Progress } from '../progress.js';
import { isServerGone, type TaskQueue } from './queue.js';

/** Between two tries, and between two looks at the queue. */
export const pauseMs = 1000;

/** Says once that the server is gone. */
export class Patience {
  #reason = '';

  constructor(readonly progress: Progress) {}

  lost({ code, name }: NodeJS.ErrnoException): void {
    const reason = code ?? name;
    if (reason !== this.#reason) this.progress.note(`queue: ${reason}; it is waited for`);
    this.#reason = reason;
  }

  /** @param ask may be called again from its beginning @throws BenchError INTERRUPTED */
  async answer<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      this.progress.checkInterrupted();
      try {
        const answer = await this.#unlessStopped(ask);
        this.#reason = '';
        return answer;
      } catch (error) {
        if (!isServerGone(error)) throw error;
        this.lost(error as Error);
      }
      await wait(pauseMs);
    }
  }

  /** A server that is gone may answer nothing at all, and a job that is told to stop does not wait for it. */
  async #unlessStopped<T>(ask: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const stopped = once(this.progress.signal, 'abort', { signal: over.signal }).then(() => {
      this.progress.checkInterrupted();
      throw new TypeError('A job that is told to stop goes on.');
    });
    try {
      return await Promise.race([stopped, ask()]);
    } finally {
      over.abort();
    }
  }
}

/** @throws BenchError INTERRUPTED, and whatever the work fails with */
export async function patiently<T>(
  { queue }: TaskQueue,
  progress: Progress,
  work: (server: Patience) => Promise<T>,
): Promise<T> {
  const server = new Patience(progress);
  const lost = (error: Error) => server.lost(error);
  queue.on('error', lost);
  try {
    return await work(server);
  } finally {
    queue.off('error', lost);
  }
}
