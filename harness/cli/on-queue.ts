/** `bench run --on redis://... or postgres://...`: workers make the runs, and this machine times and records them. */
import { BenchError } from '../errors.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { shownAddress } from '../program/shown-command.js';
import type { Progress } from '../progress.js';
import { storeInUse } from '../store/remote/address.js';
import type { SweepOutcome, sweep as sweepHere } from '../sweep.js';
import type { Values } from './command.js';
import type { Told } from './on-pinned.js';
import { assertKeeps, assertMakesNothingAnew } from './sweep-request.js';

/** As `sweep`, once workers have made everything; a run that they failed with is not tried here. */
export async function sweepOnQueue(
  values: Values,
  requests: readonly RunRequest[],
  progress: Progress,
  sweep: typeof sweepHere,
  told: Told,
): Promise<SweepOutcome> {
  assertMakesNothingAnew(values);
  assertKeeps(requests);
  const [
    { openQueue },
    { workOnQueue },
    { cellTasks },
    { assertRunnable, needsOf },
    { failedThere, measureAt, pinnedIn, seekPinned },
  ] = await Promise.all([
    import('../tasks/queue.js'),
    import('../tasks/queue-sweep.js'),
    import('../tasks/task.js'),
    import('../sweep/runnable.js'),
    import('./on-pinned.js'),
  ]);
  const url = String(values.on);
  const pinned = values.pinned === undefined ? undefined : pinnedIn(String(values.pinned), requests);
  const store = storeInUse();
  const place =
    store === undefined ? `--cache ${requests[0]!.config.cache}` : `--cache FOLDER --store ${store.text}`;
  const tasks = await openQueue(url);
  let measuring: Parameters<typeof measureAt>[0] | undefined;
  try {
    // A server that cannot be used is better known before the work than behind it.
    if (pinned !== undefined) measuring = await openQueue(url, pinned);
    await assertRunnable(requests, progress);
    const roots = await cellTasks(requests, await needsOf(requests));
    progress.note(
      `queue: ${shownAddress(url)}; bench worker --queue ... ${place} does the work. Ctrl-C leaves it running, the same command comes back to it.`,
    );
    if (pinned !== undefined) await seekPinned(tasks, pinned, progress);
    const failed = await workOnQueue(tasks, roots, progress);
    await tasks.close();
    const failures: SweepOutcome['failures'] = [];
    const whole: RunRequest[] = [];
    for (const [r, request] of requests.entries()) {
      const reason = failed[roots[r]!.id];
      if (reason === undefined) whole.push(request);
      else failures.push(await failedThere(request, new BenchError('TASK_FAILED', reason), progress, told));
    }
    if (whole.length === 0) return { records: [], failures };
    const timed =
      measuring === undefined
        ? await sweep(whole, progress, told)
        : await measureAt(measuring, whole, progress, told);
    return { records: timed.records, failures: [...failures, ...timed.failures] };
  } finally {
    await tasks.close();
    await measuring?.close();
  }
}
