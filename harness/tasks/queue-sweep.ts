/** A sweep on a queue: its cells are handed out, and watched until they are done. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Progress } from '../progress.js';
import { jobOptions } from './jobs.js';
import { needsText } from './offer.js';
import { type Patience, patiently, pauseMs } from './patience.js';
import { farewell, type Said, type TaskQueue } from './queue.js';
import { workersOf } from './seen-workers.js';
import type { Task } from './task.js';

/** Between two lines of what the workers are at. */
const saidMs = 5000;
/** Tasks that are looked at for one that is too large for all workers. */
const mostLeft = 50;

/**
 * What is done with a task that has ended, before others are looked at again.
 * @param as what stood for it in the queue, which another command may have asked for
 * @param reason why it failed; undefined where it did not
 * @returns a task to be handed out in its place
 */
export type Ended = (root: Task, as: Task, reason: string | undefined) => Promise<Task | undefined>;

/**
 * Hands out what is not in the queue, or failed there before. What ends the watching leaves the work.
 * @returns why tasks failed, by their ids
 * @throws BenchError INTERRUPTED
 */
export function workOnQueue(
  tasks: TaskQueue,
  roots: readonly Task[],
  progress: Progress,
  ended: Ended = async () => undefined,
): Promise<Record<string, string>> {
  return patiently(tasks, progress, (server) => untilDone(tasks, roots, server, ended));
}

async function untilDone(
  tasks: TaskQueue,
  roots: readonly Task[],
  server: Patience,
  ended: Ended,
): Promise<Record<string, string>> {
  const { progress } = server;
  await server.answer(() => submit(tasks, roots));
  const failed: Record<string, string> = {};
  const left = new Map(roots.map((root) => [root.id, root]));
  const sharing = new Set<string>();
  let [said, saidAt] = ['', Number.NEGATIVE_INFINITY];
  const [name, unit] = tasks.pinned === undefined ? ['cells', 'cells'] : ['latencies', 'groups'];
  const stage = progress.stage(name!, roots.length, unit!);
  const look = async () => {
    const over: [Task, Task, string | undefined][] = [];
    for (const [id, root] of left) {
      const state = await tasks.queue.getJobState(id);
      // Read behind its state, for the reason comes with that.
      const job = await tasks.queue.getJob(id);
      // The queue was emptied: what was done stands in the store.
      if (job === undefined) {
        await submit(tasks, [root]);
        continue;
      }
      const asked = job.data.latency?.asked;
      if (asked !== root.latency?.asked && !sharing.has(`${id} ${asked}`)) {
        sharing.add(`${id} ${asked}`);
        progress.note(`${root.title}: as another command asked for at ${asked}`);
      }
      if (state === 'completed') over.push([root, job.data, undefined]);
      // Without a reason it has been handed out anew since.
      else if (state === 'failed' && typeof job.failedReason === 'string')
        over.push([root, job.data, job.failedReason]);
    }
    return { over, now: await activity(tasks) };
  };
  while (left.size > 0) {
    const { over, now } = await server.answer(look);
    for (const [root, as, reason] of over) {
      left.delete(root.id);
      if (reason !== undefined) {
        failed[root.id] = reason;
        progress.note(`failed: ${root.title}: ${reason}`);
      }
      const next = await ended(root, as, reason);
      if (next === undefined) continue;
      left.set(next.id, next);
      await server.answer(() => submit(tasks, [next]));
    }
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
    // What is done may have been removed from the store since: it is looked at again, and found done at once where it is. What is
    // measured is taken as it is, and goes then: see `forget`.
    if (state === 'failed' || (state === 'completed' && root.latency === undefined)) {
      await before!.remove({ removeChildren: true }).catch(async (error: unknown) => {
        // Another who asks for the same was faster, and it is at work again.
        if ((await queue.getJobState(root.id)) === state) throw error;
      });
    }
    // Where another has asked for the same meanwhile, that stands for both.
    await queue.add(root.kind, root, { ...jobOptions, jobId: root.id });
  }
}

/** Nobody finds it in the queue any more, also where the job is told to stop. What is not forgotten is said. */
export async function forget({ queue }: TaskQueue, { id, title }: Task, progress: Progress): Promise<void> {
  const isForgotten = await farewell(queue.remove(id)).catch(() => false);
  if (!isForgotten) progress.note(`${title}: it stays in the queue, whose server does not answer`);
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
    const { left, isForeign } = (job?.progress ?? {}) as Partial<Said>;
    if (job === undefined || left === undefined) return [];
    const { title, kind, needs, program, computeClass } = job.data;
    const own = needs?.[kind];
    const said = isForeign
      ? `a worker of its own kind: ${title}: it is for ${program}, ${computeClass}`
      : own
        ? `a worker that offers more: ${title}: it needs ${needsText(own)}`
        : `a worker that can do it: ${title}`;
    return [{ said, left }];
  });
  if (found[0] === undefined) return '';
  const { said, left } = found[0];
  const offers = Object.entries(left).map(([worker, offer]) => `\n    ${worker}: ${offer}`);
  const more = found.length === 1 ? '' : `, and ${found.length - 1} more such`;
  return `\n  waits for ${said}${more}; seen by${offers.sort().join('')}`;
}
