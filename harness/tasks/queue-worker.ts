/** Takes tasks from a queue, each into a process of its own. */
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type { MachineNeeds } from '../pipeline/memory-needs.js';
import { computeClass } from '../program/compute-class.js';
import type { Progress } from '../progress.js';
import { leaseMs } from '../store/owner.js';
import type { ChildOutcome } from './child.js';
import { TaskChildren } from './children.js';
import { addBefore, failedBefore, pauseMs } from './jobs.js';
import { needsText, type Offer } from './offer.js';
import { farewell, type Said, type TaskJob, type TaskQueue } from './queue.js';
import { Alone, diskFull, Room } from './room.js';
import { assertOnlyOne, othersOf, sharedName, shownWorker } from './seen-workers.js';
import { programHere, type Task } from './task.js';

export interface Serving {
  readonly store: string;
  /** Tasks at once. */
  readonly atOnce: number;
  readonly progress: Progress;
  readonly name?: string;
  /** What it has for tasks; as much as any needs where absent. */
  readonly offer?: Offer;
  /** Latencies of this machine, which it measures beside nothing else. */
  readonly pinned?: TaskQueue & { readonly pinned: string };
  readonly run?: TaskChildren['run'];
}

/** How long a server may take to hear that a task is given back. */
const giveBackMs = 5000;
/** Between two lines of progress of one task. */
const saidMs = 1000;
/**
 * How long a worker takes nothing that has left a task to others. Who puts a task off is woken when it is due again, before all
 * others: without a rest it would take it from those who can do it, each time anew.
 */
const restMs = 3 * pauseMs;

/**
 * Serves until the job is interrupted; what is in hand then is saved and given back.
 * @throws BenchError LOCKED where another worker is pinned to the same name
 */
export async function serve(tasks: TaskQueue, serving: Serving): Promise<void> {
  const { store, atOnce, progress, name = `${hostname()} ${process.pid}` } = serving;
  const { DelayedError, UnrecoverableError, WaitingChildrenError } = tasks.library;
  // One for each task at once.
  setMaxListeners(0, progress.signal);
  const program = await programHere();
  const processes = new TaskChildren();
  const { run = processes.run.bind(processes) } = serving;
  const { pinned } = serving;
  const children = new Set<Promise<unknown>>();
  const room = new Room(serving.offer ?? {});
  const alone = new Alone();

  const giveBack = async (job: TaskJob, token: string, ms: number): Promise<never> => {
    await job.moveToDelayed(Date.now() + ms, token);
    throw new DelayedError();
  };
  let resting: NodeJS.Timeout | undefined;
  const toOthers = async (job: TaskJob, token: string): Promise<never> => {
    await worker.pause(true);
    rest(restMs);
    return giveBack(job, token, pauseMs);
  };
  const rest = (ms: number) => {
    clearTimeout(resting);
    resting = setTimeout(() => void goOn(), ms);
  };
  /** A full disk takes nothing any more, and between two groups that are measured nothing else is begun. */
  async function goOn(): Promise<void> {
    const counts = await pinned?.queue.getJobCounts('waiting', 'active').catch(() => undefined);
    if (room.isFull || alone.isTaken || progress.signal.aborted) return;
    if (counts?.waiting || counts?.active) rest(pauseMs);
    else void worker.resume();
  }

  /** Whether another program or class of machines is asked for, which is said. */
  function isForeign({ title, program: asked, computeClass: wanted }: Task): boolean {
    if (asked === program && wanted === computeClass()) return false;
    progress.note(`left to others: ${title}: it is for ${asked === program ? wanted : asked}`);
    return true;
  }

  async function work(job: TaskJob, token = ''): Promise<string> {
    const task = job.data;
    // Taken in the moment in which this worker was paused.
    if (alone.isTaken) return giveBack(job, token, pauseMs);
    return alone.beside(task.title, () => chosen(job, token));
  }

  async function chosen(job: TaskJob, token: string): Promise<string> {
    const task = job.data;
    if (isForeign(task)) return toOthers(job, token);
    const needs = task.needs?.[task.kind];
    if (needs === undefined) return done(job, token);
    if (!room.couldHold(needs)) return leave(job, token, needs);
    if (!room.holds(needs)) return toOthers(job, token);
    return room.with(needs, () => done(job, token));
  }

  /** With nothing beside it: one process. */
  async function measured(job: TaskJob, token = ''): Promise<string> {
    const { title } = job.data;
    if (room.isFull) return unmeasured(job, token, diskFull);
    if (isForeign(job.data)) return unmeasured(job, token, `${program}, ${computeClass()}`, true);
    const others = await othersOf(pinned!, name).catch(() => []);
    if (others.length > 0) {
      // One that was away came back: which of the two it is that is meant nobody knows.
      const why = sharedName(pinned!.pinned, others);
      progress.note(`left: ${title}: ${why}`);
      return unmeasured(job, token, why);
    }
    await worker.pause(true);
    const waits = (titles: readonly string[]) => {
      const line = `waits for what this worker is at: ${titles.join('; ')}`;
      progress.note(`${title}: ${line}`);
      void job.updateProgress({ worker: name, line } satisfies Said).catch(() => undefined);
    };
    return alone
      .with(waits, () => (progress.signal.aborted ? giveBack(job, token, 0) : done(job, token)))
      .finally(() => rest(behindMs));
  }

  async function unmeasured(job: TaskJob, token: string, why: string, isForeign?: true): Promise<never> {
    const said = { worker: name, line: '', left: { [name]: why }, ...(isForeign && { isForeign }) };
    await job.updateProgress(said satisfies Said);
    return giveBack(job, token, restMs);
  }

  async function leave(job: TaskJob, token: string, needs: MachineNeeds): Promise<never> {
    const { text, isNew } = room.left(needs);
    if (isNew) progress.note(`left to others: ${job.data.title}: it needs ${needsText(needs)}; here ${text}`);
    const { left } = (job.progress ?? {}) as Partial<Said>;
    await job.updateProgress({ worker: name, line: '', left: { ...left, [name]: text } } satisfies Said);
    return toOthers(job, token);
  }

  async function done(job: TaskJob, token: string): Promise<string> {
    const task = job.data;
    for (;;) {
      const failed = await failedBefore(job);
      const outcome = await watched(job, { task, store, failed });
      if (outcome.state === 'done') {
        progress.note(`done: ${task.title}`);
        return name;
      }
      if (outcome.state === 'failed') return ended(job, token, outcome);
      for (const before of outcome.for) await addBefore(tasks, job, before);
      if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
    }
  }

  /** What may pass is tried again, by whoever takes it; a wrong request is not. */
  async function ended(job: TaskJob, token: string, { code, exitCode, message }: Failed): Promise<never> {
    if (code === 'INTERRUPTED' || (code === 'LOST' && progress.signal.aborted))
      return giveBack(job, token, 0);
    if (code === 'LOCKED') return giveBack(job, token, pauseMs);
    const needs = job.data.needs?.[job.data.kind];
    if (code === 'DISK_FULL' && (needs !== undefined || job.data.latency !== undefined)) {
      progress.note(`${message} This worker takes no more; start it again once there is room.`);
      room.isFull = true;
      return needs === undefined ? unmeasured(job, token, diskFull) : leave(job, token, needs);
    }
    progress.note(`failed: ${job.data.title}: ${message}`);
    throw exitCode === 3 && code !== 'TASK_FAILED' ? new Error(message) : new UnrecoverableError(message);
  }

  async function watched(job: TaskJob, given: Parameters<typeof run>[0]): Promise<ChildOutcome> {
    let lastMs = Number.NEGATIVE_INFINITY;
    const told = (line: string) => {
      const nowMs = performance.now();
      if (line === '' || nowMs - lastMs < saidMs) return;
      lastMs = nowMs;
      const said: Said = { worker: name, line };
      void job.updateProgress(said).catch(() => undefined);
    };
    progress.note(`begins: ${job.data.title}`);
    await job.updateProgress({ worker: name, line: '' } satisfies Said);
    const child = run(given, told, progress.signal);
    children.add(child);
    return child.finally(() => children.delete(child));
  }

  const begin = (queue: TaskQueue, process: typeof work, concurrency: number, shown: string) => {
    const begun = queue.worker(process, {
      ...{ concurrency, name: shown, lockDuration: leaseMs(), stalledInterval: leaseMs() },
      // A lost worker is no fault of the task.
      maxStalledCount: 100,
    });
    begun.on('error', (error) =>
      progress.note(`queue: ${(error as NodeJS.ErrnoException).code ?? error.name}`),
    );
    // What others left, for it needs more than they have: this one may have it.
    void queue.queue.promoteJobs().catch(() => undefined);
    return begun;
  };
  const own = { at: name, ...(pinned && { pinned: pinned.pinned }) };
  const measurer = pinned && begin(pinned, measured, 1, shownWorker({ at: name }));
  if (pinned && !(await assertOnlyOne(pinned, measurer!))) {
    progress.note(
      `queue: the server does not say who is connected: nobody sees to it that ${pinned.pinned} is one worker's name`,
    );
  }
  progress.note(pinned ? `waits for tasks, and for latencies as ${pinned.pinned}` : 'waits for tasks');
  const worker = begin(tasks, work, atOnce, shownWorker(own));
  const all = [worker, ...(measurer ? [measurer] : [])];
  const running = Promise.all(all.map((each) => each.run()));
  await new Promise<void>((resolve) => {
    if (progress.signal.aborted) resolve();
    else progress.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearTimeout(resting);
  const closing = Promise.all(all.map((each) => each.close())).then(() => running);
  void closing.catch(() => undefined);
  while (children.size > 0) await Promise.race([closing, ...children]);
  await processes.close();
  if (await farewell(closing, giveBackMs)) return;
  progress.note('queue: it does not answer; what was in hand is given to another when its lease is over');
}

type Failed = Extract<ChildOutcome, { state: 'failed' }>;

/** In which the queue learns that a group is measured, and which is the next. */
const behindMs = 200;
