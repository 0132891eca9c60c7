/**
 * The processes that tasks are done in. One that has made a piece well is kept for the next piece of the same run, which finds its
 * collection, model and programs open; every other task has a process of its own.
 */
import { canonicalJson } from '../store/hash.js';
import { type ChildOutcome, type ChildSaid, type ChildTask, TaskChild } from './child.js';

/** How long one waits for a task. */
const idleMs = 10_000;
/** So that what grows unseen goes at some time. */
const mostTasks = 500;
/** One that holds so many times what it held behind the first task that opened its run is not used again. */
const mostGrowth = 2;

type Child = Pick<TaskChild, 'isOver' | 'run' | 'end'>;

interface Kept {
  readonly child: Child;
  /** Of the run, which decides what is open; undefined for a task that is done alone. */
  readonly key: string | undefined;
  tasks: number;
  /** Behind the first task that it opened its run for. */
  firstBytes?: number;
  timer?: NodeJS.Timeout;
}

export class TaskChildren {
  readonly #idle = new Set<Kept>();

  constructor(readonly start: () => Child = () => new TaskChild()) {}

  /**
   * @param told of every line that it says of its progress
   * @param signal asks it to stop where nothing is lost
   */
  async run(given: ChildTask, told: (line: string) => void, signal: AbortSignal): Promise<ChildOutcome> {
    const kept = await this.#take(keyOf(given));
    const isNew = kept.tasks === 0;
    let isSilent = true;
    const hear = (line: string) => {
      isSilent = false;
      told(line);
    };
    const said = await kept.child.run(given, hear, signal);
    if (isUsedAgain(kept, said) && !signal.aborted) this.#keep(kept);
    else await kept.child.end();
    // It died while it waited, or of what it held from tasks before: no fault of this one.
    if (isFailure(said, 'LOST') && !isNew && isSilent && !signal.aborted)
      return this.run(given, told, signal);
    return said.outcome;
  }

  /** Ends those that wait for tasks. */
  async close(): Promise<void> {
    await Promise.all([...this.#idle].map((each) => this.#end(each)));
  }

  /** Others that wait end first: what they hold this one may need. */
  async #take(key: string | undefined): Promise<Kept> {
    const fits = [...this.#idle].find(
      ({ key: its, child }) => key !== undefined && its === key && !child.isOver,
    );
    if (fits !== undefined) {
      this.#idle.delete(fits);
      clearTimeout(fits.timer);
      return fits;
    }
    await this.close();
    return { child: this.start(), key, tasks: 0 };
  }

  #keep(kept: Kept): void {
    kept.timer = setTimeout(() => this.#end(kept), idleMs).unref();
    this.#idle.add(kept);
  }

  #end(kept: Kept): Promise<void> {
    this.#idle.delete(kept);
    clearTimeout(kept.timer);
    return kept.child.end();
  }
}

const keyOf = ({ task, store }: ChildTask): string | undefined =>
  task.piece === undefined ? undefined : canonicalJson([task.request, store, task.program]);

const isFailure = ({ outcome }: ChildSaid, code: string): boolean =>
  outcome.state === 'failed' && outcome.code === code;

/** Not behind a failure, which may have left anything open, nor where memory grows. */
function isUsedAgain(kept: Kept, said: ChildSaid): boolean {
  const { outcome, memoryBytes, hasOpened } = said;
  kept.tasks++;
  if (hasOpened) kept.firstBytes ??= memoryBytes;
  const isSmall = kept.firstBytes === undefined || memoryBytes <= mostGrowth * kept.firstBytes;
  // Held by another, and left as it is.
  const isFine = outcome.state === 'done' || isFailure(said, 'LOCKED');
  return kept.key !== undefined && isFine && isSmall && kept.tasks < mostTasks;
}
