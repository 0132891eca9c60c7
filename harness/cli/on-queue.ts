/** `bench run --on redis://... or postgres://...`: workers make the runs, and this machine times and records them. */
import { BenchError } from '../errors.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import type { StoredRecord } from '../record.js';
import { storeInUse } from '../store/remote/address.js';
import type { SweepOutcome, sweep as sweepHere } from '../sweep.js';
import type { Values } from './command.js';
import { assertKeeps, assertMakesNothingAnew } from './sweep-request.js';

/** As `sweep`, once workers have made everything; a run that they failed with is not tried here. */
export async function sweepOnQueue(
  values: Values,
  requests: readonly RunRequest[],
  progress: Progress,
  sweep: typeof sweepHere,
  told: (stored: StoredRecord, request: RunRequest) => void,
): Promise<SweepOutcome> {
  assertMakesNothingAnew(values);
  assertKeeps(requests);
  const [
    { openQueue, shownAddress },
    { workOnQueue },
    { cellTasks },
    { assertRunnable },
    { knownDataset, recordFailure },
    { prepare },
    { needsOf },
  ] = await Promise.all([
    import('../tasks/queue.js'),
    import('../tasks/queue-sweep.js'),
    import('../tasks/task.js'),
    import('../sweep/runnable.js'),
    import('../sweep/recording.js'),
    import('../pipeline/prepare.js'),
    import('../sweep/needs.js'),
  ]);
  const url = String(values.on);
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
    failed = await workOnQueue(tasks, roots, progress);
  } finally {
    await tasks.close();
  }
  const reasonOf = (request: RunRequest) => failed[roots[requests.indexOf(request)]!.id];
  const failures: SweepOutcome['failures'] = [];
  for (const request of requests) {
    const reason = reasonOf(request);
    if (reason === undefined) continue;
    const error = new BenchError('TASK_FAILED', reason);
    const { dataset } = await prepare(request, progress);
    const found = { dataset: await knownDataset(dataset), stages: [] };
    const stored = await recordFailure(request, error, found);
    told(stored, request);
    failures.push({ request, error, record: stored.record });
  }
  const whole = requests.filter((request) => reasonOf(request) === undefined);
  if (whole.length === 0) return { records: [], failures };
  const here = await sweep(whole, progress, told);
  return { records: here.records, failures: [...failures, ...here.failures] };
}
