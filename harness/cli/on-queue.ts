/** `bench run --on redis://... or postgres://...`: workers make the runs, and this machine times and records them. */
import type { RunRequest } from '../pipeline/run-request.js';
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
    { openQueue, shownAddress },
    { workOnQueue },
    { cellTasks },
    { assertRunnable },
    { needsOf },
    { failedThere, measureAt, pinnedIn, seekPinned },
  ] = await Promise.all([
    import('../tasks/queue.js'),
    import('../tasks/queue-sweep.js'),
    import('../tasks/task.js'),
    import('../sweep/runnable.js'),
    import('../sweep/needs.js'),
    import('./on-pinned.js'),
  ]);
  const url = String(values.on);
  const pinned = values.pinned === undefined ? undefined : pinnedIn(String(values.pinned), requests);
  const store = storeInUse();
  const place =
    store === undefined ? `--cache ${requests[0]!.config.cache}` : `--cache FOLDER --store ${store.text}`;
  const tasks = await openQueue(url);
  let failed: Record<string, string>;
  let roots: Awaited<ReturnType<typeof cellTasks>>;
  try {
    await assertRunnable(requests, progress);
    roots = await cellTasks(requests, await needsOf(requests));
    progress.note(
      `queue: ${shownAddress(url)}; bench worker --queue ... ${place} does the work. Ctrl-C leaves it running, the same command comes back to it.`,
    );
    if (pinned !== undefined) await seekPinned(tasks, pinned, progress);
    failed = await workOnQueue(tasks, roots, progress);
  } finally {
    await tasks.close();
  }
  const reasonOf = (request: RunRequest) => failed[roots[requests.indexOf(request)]!.id];
  const failures: SweepOutcome['failures'] = [];
  for (const request of requests) {
    const reason = reasonOf(request);
    if (reason !== undefined) failures.push(await failedThere(request, reason, progress, told));
  }
  const whole = requests.filter((request) => reasonOf(request) === undefined);
  if (whole.length === 0) return { records: [], failures };
  const timed =
    pinned === undefined
      ? await sweep(whole, progress, told)
      : await measureAt(url, pinned, whole, progress, told);
  return { records: timed.records, failures: [...failures, ...timed.failures] };
}
