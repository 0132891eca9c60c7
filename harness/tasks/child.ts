/** A process for a task, or for several in a row, which dies with the one that watches it: whatever blocks or crashes there, the watcher goes on. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseJson } from '../json.js';
import { buildFolder } from '../program/place.js';
import type { TaskOutcome } from './run-task.js';
import type { Task } from './task.js';

/** What a child is told, in a line for each task. */
export interface ChildTask {
  readonly task: Task;
  readonly store: string;
  readonly failed: Readonly<Record<string, string>>;
}

export type ChildOutcome =
  | TaskOutcome
  | { readonly state: 'failed'; readonly code: string; readonly exitCode: number; readonly message: string };

/** What a child says of each task on stdout, in a line. */
export interface ChildSaid {
  readonly outcome: ChildOutcome;
  /** What it holds behind the task. */
  readonly memoryBytes: number;
  /** Whether it has opened a run yet, rather than found all its tasks done or held by others. */
  readonly hasOpened: boolean;
}

/** Linux kills it when its parent dies; elsewhere it sees that its stdin has ended. */
const tied =
  process.platform === 'linux' && spawnSync('setpriv', ['--version'], { stdio: 'ignore' }).status === 0
    ? ['setpriv', '--pdeathsig', 'KILL']
    : [];

/** How long one may take to end that has nothing left to do. */
const endMs = 10_000;

interface Waiting {
  /** Of every line that it says of its progress. */
  told(line: string): void;
  end(said: ChildSaid): void;
}

/** One process, which does one task at a time. */
export class TaskChild {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #waiting: Waiting | undefined;
  #isOver = false;
  /** How it ended; undefined where it may still say something. */
  #lost: ChildSaid | undefined;
  #last = '';

  constructor() {
    const command = [...tied, process.execPath, path.join(buildFolder, 'harness', 'cli.js'), 'task'];
    this.#child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = this.#child;
    stdin.on('error', () => undefined);
    createInterface({ input: stderr }).on('line', (line) => {
      this.#last = line.split('\r').at(-1)!;
      this.#waiting?.told(this.#last);
    });
    createInterface({ input: stdout }).on('line', (line) => {
      try {
        this.#answer(parseJson(line) as ChildSaid);
      } catch {
        // Cut short by what ended it.
      }
    });
    this.#ended = new Promise((resolve) => {
      const end = (code: number | null, by: string) => {
        this.#isOver = true;
        const how = code === null ? `signal ${by}` : `exit code ${code}`;
        const message = `Its process ended with ${how}; its last line: ${this.#last}`;
        const outcome = { state: 'failed', code: 'LOST', exitCode: 3, message } as const;
        this.#lost = { outcome, memoryBytes: 0, hasOpened: false };
        this.#answer(this.#lost);
        resolve();
      };
      this.#child.once('error', (error) => end(null, error.message));
      // What it started may hold its output open for longer.
      this.#child.once('exit', () => {
        this.#isOver = true;
      });
      this.#child.once('close', (code, by) => end(code, String(by)));
    });
  }

  /** Whether its process has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @param signal asks it to stop where nothing is lost */
  run(given: ChildTask, told: (line: string) => void, signal: AbortSignal): Promise<ChildSaid> {
    if (this.#lost !== undefined) return Promise.resolve(this.#lost);
    const stop = () => this.#child.kill('SIGTERM');
    return new Promise((resolve) => {
      this.#waiting = {
        told,
        end(said) {
          signal.removeEventListener('abort', stop);
          resolve(said);
        },
      };
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      // It stays open: its end says that the watcher is gone, or wants nothing more.
      this.#child.stdin.write(`${JSON.stringify(given)}\n`);
    });
  }

  /** Lets it end, and waits for that: its memory is given back then. */
  end(): Promise<void> {
    this.#child.stdin.end();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), endMs);
    return this.#ended.finally(() => clearTimeout(late));
  }

  #answer(said: ChildSaid): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.end(said);
  }
}
