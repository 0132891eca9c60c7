/** A task in a process of its own, which dies with the one that watches it: whatever blocks or crashes there, the watcher goes on. */
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseJson } from '../json.js';
import { buildFolder } from '../program/place.js';
import type { TaskOutcome } from './run-task.js';
import type { Task } from './task.js';

/** What a child is told. */
export interface ChildTask {
  readonly task: Task;
  readonly store: string;
  readonly failed: Readonly<Record<string, string>>;
}

/** What a child says last, on stdout. */
export type ChildOutcome =
  | TaskOutcome
  | { readonly state: 'failed'; readonly code: string; readonly exitCode: number; readonly message: string };

/** Linux kills it when its parent dies; elsewhere it sees that its stdin has ended. */
const tied =
  process.platform === 'linux' && spawnSync('setpriv', ['--version'], { stdio: 'ignore' }).status === 0
    ? ['setpriv', '--pdeathsig', 'KILL']
    : [];

/**
 * @param told of every line that it says of its progress
 * @param signal asks it to stop where nothing is lost
 */
export function runInChild(
  given: ChildTask,
  told: (line: string) => void,
  signal: AbortSignal,
): Promise<ChildOutcome> {
  const command = [...tied, process.execPath, path.join(buildFolder, 'harness', 'cli.js'), 'task'];
  const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  // In pieces of bytes a letter may be cut in two.
  child.stdout.setEncoding('utf8');
  let printed = '';
  let last = '';
  child.stdout.on('data', (data: string) => {
    printed += data;
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    last = line.split('\r').at(-1)!;
    told(last);
  });
  child.stdin.on('error', () => undefined);
  // It stays open: its end says that the watcher is gone.
  child.stdin.write(`${JSON.stringify(given)}\n`);
  return new Promise((resolve) => {
    const end = (code: number | null, by: string) => {
      signal.removeEventListener('abort', stop);
      try {
        resolve(parseJson(printed) as ChildOutcome);
      } catch {
        const message = `Its process ended with ${code === null ? `signal ${by}` : `exit code ${code}`}; its last line: ${last}`;
        resolve({ state: 'failed', code: 'LOST', exitCode: 3, message });
      }
    };
    child.once('error', (error) => end(null, error.message));
    child.once('close', (code, by) => end(code, String(by)));
  });
}
