/** `bench run --on QUEUE --pinned NAME`: the worker of that name times what all have made, and this machine records it. */
import { BenchError, type SentError } from '../errors.js';
import { prepare } from '../pipeline/prepare.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import type { RunRecord, StoredRecord } from '../record.js';
import { groupsOf } from '../sweep/groups.js';
import {
  assertWritable,
  knownDataset,
  recordElsewhere,
  recordedBefore,
  recordFailure,
} from '../sweep/recording.js';
import type { SweepFailure, SweepOutcome } from '../sweep.js';
import { latencyTask, measuredBy } from '../tasks/latency.js';
import { assertPinnedName, openQueue, type TaskQueue } from '../tasks/queue.js';
import { asAskedBefore, forget, workOnQueue } from '../tasks/queue-sweep.js';
import { workersOf } from '../tasks/seen-workers.js';

export type Told = (stored: StoredRecord, request: RunRequest) => void;

/** @throws BenchError USAGE for what is no name, or where nothing is to be measured */
export function pinnedIn(name: string, requests: readonly RunRequest[]): string {
  assertPinnedName(name);
  if (requests.some(({ config }) => config.latency.queries > 0)) return name;
  throw new BenchError('USAGE', '--pinned: no latency is measured where latency.queries is 0.');
}

/** Says it at once where nobody is there who will measure. */
export async function seekPinned(tasks: TaskQueue, pinned: string, progress: Progress): Promise<void> {
  const workers = await workersOf(tasks);
  if (workers === undefined || workers.some((each) => each.pinned === pinned)) return;
  const others = [...new Set(workers.flatMap((each) => each.pinned ?? []))];
  const besides = others.length === 0 ? '' : ` (there are ${others.join(', ')})`;
  progress.note(
    `queue: no worker is pinned to ${pinned} yet${besides}: latencies wait for bench worker --pinned ${pinned}`,
  );
}

/** A run that workers failed with: its record says why. */
export async function failedThere(
  request: RunRequest,
  reason: string,
  progress: Progress,
  told: Told,
): Promise<SweepFailure> {
  const error = new BenchError('TASK_FAILED', reason);
  const { dataset } = await prepare(request, progress);
  const stored = await recordFailure(request, error, { dataset: await knownDataset(dataset), stages: [] });
  told(stored, request);
  return { request, error, record: stored.record };
}

/** Has runs timed by the worker of a name, group by group, and records them here. */
export async function measureAt(
  url: string,
  pinned: string,
  requests: readonly RunRequest[],
  progress: Progress,
  told: Told,
): Promise<SweepOutcome> {
  for (const out of new Set(requests.map(({ config }) => config.out))) await assertWritable(out);
  const outcome: SweepOutcome = { records: [], failures: [] };
  const left: RunRequest[] = [];
  for (const request of requests) {
    const before = await recordedOf(request, progress);
    if (before === undefined) left.push(request);
    else {
      progress.note(`recorded before: ${before.file}`);
      told(before, request);
      outcome.records.push(before.record);
    }
  }
  const groups = groupsOf(left);
  if (groups.length === 0) return outcome;
  const tasks = await openQueue(url, pinned);
  try {
    const asked = await Promise.all(groups.map((group) => latencyTask(group, pinned)));
    const roots = await asAskedBefore(tasks, asked, progress);
    const failed = await workOnQueue(tasks, roots, progress);
    for (const [g, root] of roots.entries()) {
      const files = failed[root.id] === undefined ? await measuredBy(root) : [];
      for (const [r, request] of groups[g]!.entries()) {
        const file = files[r];
        if (typeof file !== 'string') {
          const reason = failed[root.id] ?? `${root.title}: it left no record.`;
          outcome.failures.push(await failedThere(request, reason, progress, told));
          continue;
        }
        const stored = await recordElsewhere(file, request, pinned);
        progress.note(`record: ${stored.file}`);
        told(stored, request);
        const { record } = stored;
        if (record.error === undefined) outcome.records.push(record);
        else outcome.failures.push({ request, error: errorOf(record.error), record });
      }
    }
    await forget(tasks, roots);
  } finally {
    await tasks.close();
  }
  return outcome;
}

/** Of a run that need not be made again where nothing of it stays. */
async function recordedOf(request: RunRequest, progress: Progress): Promise<StoredRecord | undefined> {
  if (request.config.keep !== 'records') return undefined;
  return recordedBefore(request, (await prepare(request, progress)).dataset, progress);
}

const errorOf = (error: NonNullable<RunRecord['error']>): Error =>
  error.code === 'UNEXPECTED' ? new Error(error.message) : BenchError.received(error as SentError);
