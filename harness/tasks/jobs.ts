/** How tasks stand in a queue: what each job is put there with, and what hangs between them. */
import type { TaskJob, TaskQueue } from './queue.js';
import type { Task } from './task.js';

/** How long a task that another is at, or that is not for this machine, is left alone. */
export const pauseMs = 5000;

/** Of every task in a queue. */
export const jobOptions = {
  attempts: 3,
  backoff: { type: 'fixed', delay: pauseMs },
  removeOnComplete: false,
  removeOnFail: false,
} as const;

/** Puts a task there that a job waits for. */
export async function addBefore({ queue }: TaskQueue, job: TaskJob, before: Task): Promise<void> {
  // Two parents cannot wait for one child, so that each has its own; the store sees to it that the work is done once.
  const jobId = `${before.id}.${job.id!.replaceAll('.', '-')}`.slice(0, 200);
  const parent = { id: job.id!, queue: queue.qualifiedName };
  await queue.add(before.kind, before, {
    ...jobOptions,
    ...{ jobId, parent, ignoreDependencyOnFailure: true },
  });
}

/** Why tasks that a job waited for failed, by their ids. */
export async function failedBefore(job: TaskJob): Promise<Record<string, string>> {
  const failures = Object.entries(await job.getIgnoredChildrenFailures());
  const idIn = (key: string) => key.replace(/^.*:/, '').replace(/\..*$/, '');
  return Object.fromEntries(failures.map(([key, reason]) => [idIn(key), String(reason)]));
}
