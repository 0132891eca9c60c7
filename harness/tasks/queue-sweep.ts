/** A sweep on a queue: its cells are handed out, and watched until they are done. */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Progress } from '../progress.js';
import { needsText } from './offer.js';
import { isServerGone, type Said, type TaskQueue } from './queue.js';
import { jobOptions } from './queue-worker.js';
import { workersOf } from './seen-workers.js';
import type { Task } from './task.js';

/** Between two looks at the queue. */
const pauseMs = 1000;
/** Between two lines of what the workers are at. */
const saidMs = 5000;
/** Tasks that are looked at for one that is too large for all workers. */
const mostLeft = 50;

/**
 * Hands out what is not in the queue, or failed there before. What ends the watching leaves the work.
 * @returns why tasks failed, by their ids
 * @throws BenchError INTERRUPTED
 */
export async function workOnQueue(
  tasks: TaskQueue,
  roots: readonly Task[],
  progress: Progress,
): Promise<Record<string, string>> {
  progress.checkInterrupted();
  const server = new Patience(progress);
  tasks.queue.on('error', (error) => server.lost(error));
  const over = new AbortController();
  // A server that is gone answers nothing, and a job that is told to stop does not wait for it.
  const interrupted = once(progress.signal, 'abort', { signal: over.signal }).then(() => {
    progress.checkInterrupted();
    return {};
  });
  try {
    return await Promise.race([untilDone(tasks, roots, progress, server), interrupted]);
  } finally {
    over.abort();
  }
}

/** Waits for a server that is gone, and says so once. */
class Patience {
  #reason = '';

  constructor(readonly progress: Progress) {}

  lost({ code, name }: NodeJS.ErrnoException): void {
    const reason = code ?? name;
    if (reason !== this.#reason) this.progress.note(`queue: ${reason}; it is waited for`);
    this.#reason = reason;
  }

  /** @param ask may be called again from its beginning */
  async answer<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const answer = await ask();
        this.#reason = '';
        return answer;
      } catch (error) {
        if (!isServerGone(error)) throw error;
        this.lost(error as Error);
      }
      this.progress.checkInterrupted();
      await wait(pauseMs);
    }
  }
}

/** As `workOnQueue`; does not end while the server is gone. */
async function untilDone(
  tasks: TaskQueue,
  roots: readonly Task[],
  progress: Progress,
  server: Patience,
): Promise<Record<string, string>> {
  await server.answer(() => submit(tasks, roots));
  const failed: Record<string, string> = {};
  const left = new Map(roots.map((root) => [root.id, root]));
  let [said, saidAt] = ['', Number.NEGATIVE_INFINITY];
  const [name, unit] = tasks.pinned === undefined ? ['cells', 'cells'] : ['latencies', 'groups'];
  const stage = progress.stage(name!, roots.length, unit!);
  const look = async () => {
    for (const [id, root] of left) {
      const state = await tasks.queue.getJobState(id);
      // Read behind its state, for the reason comes with that.
      const job = await tasks.queue.getJob(id);
      // The queue was emptied: what was done stands in the store.
      if (job === undefined) await submit(tasks, [root]);
      else if (state === 'completed') left.delete(id);
      // Without a reason it has been handed out anew since.
      else if (state === 'failed' && typeof job.failedReason === 'string') {
        failed[id] = job.failedReason;
        left.delete(id);
        progress.note(`failed: ${root.title}: ${job.failedReason}`);
      }
    }
    return activity(tasks);
  };
  while (left.size > 0) {
    progress.checkInterrupted();
    const now = await server.answer(look);
    stage.update(roots.length - left.size);
    if (now !== said && performance.now() - saidAt >= saidMs) {
      progress.note(now);
      [said, saidAt] = [now, performance.now()];
    }
    if (left.size > 0) await wait(pauseMs);
  }
  stage.end();
  return failed;
}

async function submit({ queue }: TaskQueue, roots: readonly Task[]): Promise<void> {
  for (const root of roots) {
    const before = await queue.getJob(root.id);
    const state = await before?.getState();
    // What is done may have been removed from the store since: it is looked at again, and found done at once where it is.
    if (state === 'failed' || state === 'completed') {
      await before!.remove({ removeChildren: true }).catch(async (error: unknown) => {
        // Another who asks for the same was faster, and it is at work again.
        if ((await queue.getJobState(root.id)) === state) throw error;
      });
    }
    await queue.add(root.kind, root, { ...jobOptions, jobId: root.id });
  }
}

/**
 * The tasks that stand for these in the queue: those of an earlier command that nobody saw the end of, which is said, or these.
 * What that command measured is taken once, for its task goes then: see `forget`.
 */
export async function asAskedBefore(
  { queue }: TaskQueue,
  roots: readonly Task[],
  progress: Progress,
): Promise<Task[]> {
  const found: Task[] = [];
  for (const root of roots) {
    const job = await queue.getJob(root.id);
    const isUseful = job !== undefined && !(await job.isFailed());
    if (isUseful)
      progress.note(`${root.title}: as an earlier command asked for at ${job.data.latency?.asked}`);
    found.push(isUseful ? job.data : root);
  }
  return found;
}

/** Nobody finds these in the queue any more. */
export async function forget({ queue }: TaskQueue, roots: readonly Task[]): Promise<void> {
  for (const { id } of roots) await queue.remove(id);
}

/** One line: how many wait, and what each worker is at. */
async function activity(tasks: TaskQueue): Promise<string> {
  const { queue, pinned } = tasks;
  const { waiting = 0, active = 0, delayed = 0 } = await queue.getJobCounts('waiting', 'active', 'delayed');
  const at = (await queue.getJobs(['active'])).map((job) => {
    const { worker = 'a worker', line = '' } = (job?.progress ?? {}) as Partial<Said>;
    return `\n  ${worker}: ${job?.data.title}${line === '' ? '' : `: ${line}`}`;
  });
  const left = delayed === 0 ? '' : await leftByAll(queue);
  const isDeserted = active === 0 && (await workersOf(tasks))?.length === 0;
  const nobody = isDeserted ? `; no worker is ${pinned === undefined ? 'there' : `pinned to ${pinned}`}` : '';
  return `queue: ${active} at work, ${waiting + delayed} waiting${nobody}${at.sort().join('')}${left}`;
}

/** A task that is not for those that have looked at it, so that nobody waits for it without a word. */
async function leftByAll(queue: TaskQueue['queue']): Promise<string> {
  const jobs = await queue.getJobs(['delayed'], 0, mostLeft - 1);
  const found = jobs.flatMap((job) => {
    const { left } = (job?.progress ?? {}) as Partial<Said>;
    if (job === undefined || left === undefined) return [];
    const { title, kind, needs, program, computeClass } = job.data;
    const own = needs?.[kind];
    const which = own ? 'that offers more' : 'of its own kind';
    const wants = own ? `needs ${needsText(own)}` : `is for ${program}, ${computeClass}`;
    return [{ said: `a worker ${which}: ${title}: it ${wants}`, left }];
  });
  if (found[0] === undefined) return '';
  const { said, left } = found[0];
  const offers = Object.entries(left).map(([worker, offer]) => `\n    ${worker}: ${offer}`);
  const more = found.length === 1 ? '' : `, and ${found.length - 1} more such`;
  return `\n  waits for ${said}${more}; seen by${offers.sort().join('')}`;
}
