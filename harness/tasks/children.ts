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
/** One that holds so many times what it held behind its first task is not used again. */
const mostGrowth = 2;

type Child = Pick<TaskChild, 'isOver' | 'run' | 'end'>;

interface Kept {
  readonly child: Child;
  /** Of the run, which decides what is open; undefined for a task that is done alone. */
  readonly key: string | undefined;
  tasks: number;
  /** Behind its first task. */
  firstBytes: number;
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
    const said = await kept.child.run(given, told, signal);
    if (isUsedAgain(kept, said) && !signal.aborted) this.#keep(kept);
    else await kept.child.end();
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
    return { child: this.start(), key, tasks: 0, firstBytes: 0 };
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

/** Not behind a failure, which may have left anything open, nor where memory grows. */
function isUsedAgain(kept: Kept, { outcome, memoryBytes }: ChildSaid): boolean {
  kept.tasks++;
  if (kept.tasks === 1) kept.firstBytes = memoryBytes;
  const isSmall = memoryBytes <= mostGrowth * kept.firstBytes;
  return kept.key !== undefined && outcome.state === 'done' && isSmall && kept.tasks < mostTasks;
}
