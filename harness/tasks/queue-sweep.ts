/** A sweep on a queue: its cells are handed out, and watched until they are done. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Progress } from '../progress.js';
import type { Said, TaskQueue } from './queue.js';
import { jobOptions } from './queue-worker.js';
import type { Task } from './task.js';

/** Between two lines of what the workers are at. */
const saidMs = 5000;

/**
 * Hands out what is not in the queue, or failed there before. What ends the watching leaves the work.
 * @returns why tasks failed, by their ids
 * @throws BenchError INTERRUPTED
 */
export async function workOnQueue(
  tasks: TaskQueue,
  roots: readonly Task[],
  progress: Progress,
  pauseMs = 1000,
): Promise<Record<string, string>> {
  await submit(tasks, roots);
  const failed: Record<string, string> = {};
  const left = new Map(roots.map((root) => [root.id, root]));
  let [said, saidAt] = ['', Number.NEGATIVE_INFINITY];
  const stage = progress.stage('cells', roots.length, 'cells');
  while (left.size > 0) {
    progress.checkInterrupted();
    for (const [id, root] of left) {
      const job = await tasks.queue.getJob(id);
      // The queue was emptied: what was done stands in the store.
      if (job === undefined) await submit(tasks, [root]);
      else if ((await job.getState()) === 'completed') left.delete(id);
      else if ((await job.getState()) === 'failed') {
        failed[id] = job.failedReason;
        left.delete(id);
        progress.note(`failed: ${root.title}: ${job.failedReason}`);
      }
    }
    stage.update(roots.length - left.size);
    const now = await activity(tasks);
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
    if (state === 'failed' || state === 'completed') await before!.remove({ removeChildren: true });
    await queue.add(root.kind, root, { ...jobOptions, jobId: root.id });
  }
}

/** One line: how many wait, and what each worker is at. */
async function activity({ queue }: TaskQueue): Promise<string> {
  const { waiting = 0, active = 0, delayed = 0 } = await queue.getJobCounts('waiting', 'active', 'delayed');
  const at = (await queue.getJobs(['active'])).map((job) => {
    const { worker = 'a worker', line = '' } = (job?.progress ?? {}) as Partial<Said>;
    return `\n  ${worker}: ${job?.data.title}${line === '' ? '' : `: ${line}`}`;
  });
  return `queue: ${active} at work, ${waiting + delayed} waiting${at.sort().join('')}`;
}
