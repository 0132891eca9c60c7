/** `bench run --on QUEUE --pinned NAME`: the worker of that name times what all have made, and this machine records it. */
import { BenchError, type SentError } from '../errors.js';
import { prepare } from '../pipeline/prepare.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import { type RunRecord, readRecord, type StoredRecord } from '../record.js';
import { groupsOf } from '../sweep/groups.js';
import {
  assertWritable,
  knownDataset,
  recordElsewhere,
  recordedBefore,
  recordFailure,
} from '../sweep/recording.js';
import type { SweepFailure, SweepOutcome } from '../sweep.js';
import { isOf, latencyTask, type MadeOf, madeOf, measuredBy, removeMeasured } from '../tasks/latency.js';
import { patiently } from '../tasks/patience.js';
import { assertPinnedName, type TaskQueue } from '../tasks/queue.js';
import { forget, workOnQueue } from '../tasks/queue-sweep.js';
import { workersOf } from '../tasks/seen-workers.js';
import type { Task } from '../tasks/task.js';

export type Told = (stored: StoredRecord, request: RunRequest) => void;

/** @throws BenchError USAGE for what is no name, or where nothing is to be measured */
export function pinnedIn(name: string, requests: readonly RunRequest[]): string {
  assertPinnedName(name);
  if (requests.some(({ config }) => config.latency.queries > 0)) return name;
  throw new BenchError('USAGE', '--pinned: no latency is measured where latency.queries is 0.');
}

/** Says it at once where nobody is there who will measure. */
export async function seekPinned(tasks: TaskQueue, pinned: string, progress: Progress): Promise<void> {
  const workers = await patiently(tasks, progress, (server) => server.answer(() => workersOf(tasks)));
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
  error: Error,
  progress: Progress,
  told: Told,
): Promise<SweepFailure> {
  try {
    const { dataset } = await prepare(request, progress);
    const stored = await recordFailure(request, error, { dataset: await knownDataset(dataset), stages: [] });
    told(stored, request);
    return { request, error, record: stored.record };
  } catch (unwritten) {
    progress.checkInterrupted();
    progress.note(`no record of the failure: ${(unwritten as Error).message}`);
    return { request, error };
  }
}

/** Has runs timed by the worker that the queue is of, and records each group here as soon as it is measured. */
export async function measureAt(
  tasks: TaskQueue & { readonly pinned: string },
  requests: readonly RunRequest[],
  progress: Progress,
  told: Told,
): Promise<SweepOutcome> {
  for (const out of new Set(requests.map(({ config }) => config.out))) await assertWritable(out);
  const measuring = new Measuring(tasks, progress, told);
  const left: RunRequest[] = [];
  for (const request of requests) {
    const before = await recordedOf(request, tasks.pinned, progress);
    if (before === undefined) left.push(request);
    else {
      progress.note(`recorded before: ${before.file}`);
      told(before, request);
      measuring.outcome.records.push(before.record);
    }
  }
  const roots: Task[] = [];
  for (const group of groupsOf(left)) roots.push(...(await measuring.ask(group)));
  if (roots.length > 0) {
    await workOnQueue(tasks, roots, progress, (root, as, reason) => measuring.ended(root, as, reason));
  }
  return measuring.outcome;
}

/** Runs that take turns, and what they are made of. */
interface Group {
  readonly requests: readonly RunRequest[];
  readonly made: readonly MadeOf[];
  readonly isSecond: boolean;
}

class Measuring {
  readonly outcome: SweepOutcome = { records: [], failures: [] };
  readonly #groups = new Map<Task, Group>();

  constructor(
    readonly tasks: TaskQueue & { readonly pinned: string },
    readonly progress: Progress,
    readonly told: Told,
  ) {}

  /** @returns the task, or none where it is no more known what it would be of: then these have failed */
  async ask(requests: readonly RunRequest[], isSecond = false): Promise<Task[]> {
    try {
      const made: MadeOf[] = [];
      for (const request of requests) made.push(await madeOf(request, this.progress));
      const task = await latencyTask(requests, this.tasks.pinned, made);
      this.#groups.set(task, { requests, made, isSecond });
      return [task];
    } catch (error) {
      await this.#fail(requests, error);
      return [];
    }
  }

  /** As `Ended` has it. A fault of one group is no other's. */
  async ended(root: Task, as: Task, reason: string | undefined): Promise<Task | undefined> {
    const group = this.#groups.get(root)!;
    const left = new Set(group.requests);
    try {
      if (reason !== undefined) throw new BenchError('TASK_FAILED', reason);
      for (const [r, there] of (await foundOf(as, group)).entries()) {
        const request = group.requests[r]!;
        if (there === undefined) throw new BenchError('TASK_FAILED', `${root.title}: it left no record.`);
        await this.#record(there, request);
        left.delete(request);
      }
    } catch (error) {
      if (!group.isSecond && left.size === group.requests.length && isNotOurs(error)) {
        this.progress.note(`${(error as Error).message} It is measured anew.`);
        await forget(this.tasks, as, this.progress);
        return (await this.ask(group.requests, true))[0];
      }
      await this.#fail([...left], error);
    }
    await forget(this.tasks, as, this.progress);
    await removeMeasured(as);
    return undefined;
  }

  async #record(there: StoredRecord, request: RunRequest): Promise<void> {
    const stored = await recordElsewhere(there, request, this.tasks.pinned);
    this.progress.note(`record: ${stored.file}`);
    this.told(stored, request);
    const { record } = stored;
    if (record.error === undefined) this.outcome.records.push(record);
    else this.outcome.failures.push({ request, error: errorOf(record.error), record });
  }

  /** @throws BenchError INTERRUPTED */
  async #fail(requests: readonly RunRequest[], thrown: unknown): Promise<void> {
    this.progress.checkInterrupted();
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    for (const request of requests)
      this.outcome.failures.push(await failedThere(request, error, this.progress, this.told));
  }
}

/** The records of a group; undefined for a run that left none. @throws BenchError CACHE_INVALID where they are gone, or of other data */
async function foundOf(as: Task, { made }: Group): Promise<(StoredRecord | undefined)[]> {
  const found: (StoredRecord | undefined)[] = [];
  for (const [r, file] of (await measuredBy(as)).entries()) {
    const there = file === null ? undefined : { file, record: await readRecord(file) };
    if (there !== undefined && !isOf(made[r]!, there.record)) {
      throw new BenchError('CACHE_INVALID', `What was measured is not of this command's data: ${as.title}.`, {
        hint: 'Do the machine that measured and this one see the same collection and models?',
      });
    }
    found.push(there);
  }
  return found;
}

/** What was measured is of other data, or gone: an equal command was faster to record it. */
const isNotOurs = (error: unknown): boolean =>
  ['CACHE_INVALID', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Of a run that need not be made again where nothing of it stays. */
async function recordedOf(
  request: RunRequest,
  pinned: string,
  progress: Progress,
): Promise<StoredRecord | undefined> {
  if (request.config.keep !== 'records') return undefined;
  return recordedBefore(request, (await prepare(request, progress)).dataset, progress, pinned);
}

const errorOf = (error: NonNullable<RunRecord['error']>): Error =>
  error.code === 'UNEXPECTED' ? new Error(error.message) : BenchError.received(error as SentError);
