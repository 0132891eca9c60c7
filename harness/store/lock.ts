/**
 * One process at a time works on a thing in the cache, and others wait for it. A lock left by a process that died is taken over.
 * What tells one holder from another, and whether it lives, stands in this file alone.
 */
import { open, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError, fileError } from '../errors.js';
import { assertGoesOn } from '../interruption.js';
import { isRunning, makeFolder } from './atomic.js';

/** The locks of this process: a lock file with our number that is not among them was left by a namesake. */
const ours = new Set<string>();

/** How old a lock file without a number, or a takeover, must be to count as left behind. */
const abandonedMs = 10_000;

/** What this process does while another holds what it needs. */
export interface Waiting {
  /** False ends with LOCKED instead. */
  waits: boolean;
  /** Of the command that waits. */
  job?: {
    /** Ends the wait when it is aborted. */
    readonly signal: AbortSignal;
    /** Told once of each wait: who is waited for, and since when that works. */
    note(line: string): void;
    /** Throws what an aborted wait ends with. */
    checkInterrupted(): void;
  };
}

let waiting: Waiting = { waits: true };

/** Of the whole process from now on, which runs one command: locks are taken deep below what knows the command line. */
export function waitForOthers(how: Waiting): void {
  waiting = how;
}

/**
 * Runs `work` while holding the lock file.
 * @param waitMs how long to wait for whoever holds it, another process or this one, asking again every half second; as
 *   `waitForOthers` says where absent
 * @throws BenchError LOCKED when it is still held then, INTERRUPTED
 */
export async function withLock<T>(file: string, work: () => Promise<T>, waitMs?: number): Promise<T> {
  const key = path.resolve(file);
  await acquire(key, waitMs);
  try {
    return await work();
  } finally {
    ours.delete(key);
    await rm(key, { force: true });
  }
}

/**
 * Removes the lock file of a process that died before it could. Only for work that is done: whoever holds the lock after that
 * has nothing to do, so that it is no harm where the file that is removed has just become theirs.
 */
export async function removeLeftLock(file: string): Promise<void> {
  const key = path.resolve(file);
  await removeLeft(key);
  await removeLeft(takeoverOf(key));
}

async function removeLeft(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  if (await isAbandoned(file, Number.parseInt(text, 10))) await rm(file, { force: true });
}

const takeoverOf = (file: string): string => `${file}.takeover`;

async function acquire(file: string, waitMs = waiting.waits ? Number.POSITIVE_INFINITY : 0): Promise<void> {
  const started = Date.now();
  const deadline = started + waitMs;
  let isTold = false;
  for (;;) {
    if (await create(file)) {
      await removeLeft(takeoverOf(file));
      return;
    }
    const holder = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
    if (await isAbandoned(file, holder)) {
      await removeAbandoned(file, holder);
      continue;
    }
    const numbered = Number.isInteger(holder);
    // Without a number it will have one at once, or was left by a process that was killed before it could write it.
    if (Date.now() >= (numbered ? deadline : Math.max(deadline, started + 2 * abandonedMs))) {
      throw new BenchError('LOCKED', `${await holderAt(file, holder)}.`, {
        hint: `Wait for it to end (bench does, without --no-wait), or use another --cache DIR. If no such process runs, delete ${file}.`,
      });
    }
    if (numbered && !isTold && waitMs === Number.POSITIVE_INFINITY && Date.now() - started > quietMs) {
      waiting.job?.note(`${await holderAt(file, holder)}: waiting for it to end (--no-wait does not)`);
      isTold = true;
    }
    const { job } = waiting;
    // An abort ends the pause; what it means is said below.
    const pause = sleep(numbered ? Math.min(500, waitMs) : 50, undefined, job && { signal: job.signal });
    await pause.catch(() => undefined);
    job?.checkInterrupted();
    assertGoesOn();
  }
}

/** A wait this short is not worth a line. */
const quietMs = 400;

/** Who works on what, and since when, for a sentence. */
async function holderAt(file: string, holder: number): Promise<string> {
  const who = !Number.isInteger(holder)
    ? 'Another process'
    : holder === process.pid
      ? 'This process'
      : `Process ${holder}`;
  const found = await stat(file).catch(() => undefined);
  const since = found === undefined ? '' : `, since ${found.mtime.toLocaleString('sv-SE')}`;
  // A lock lies in the folder that it is of, or beside the file.
  const what = path.basename(file) === 'lock' ? path.dirname(file) : file.replace(/\.(lock|leases)$/, '');
  return `${who} is working on ${what}${since}`;
}

/** False where the lock file is there already. */
async function create(file: string): Promise<boolean> {
  if (ours.has(file)) return false;
  try {
    await makeFolder(path.dirname(file));
    const handle = await open(file, 'wx');
    // Known as ours before anyone can read our number in it.
    ours.add(file);
    await handle.write(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    if (ours.delete(file)) await rm(file, { force: true });
    throw fileError(error, file);
  }
}

async function isAbandoned(file: string, holder: number): Promise<boolean> {
  // An empty file is one whose holder is about to write its number, or was killed before it could.
  if (!Number.isInteger(holder)) return isOld(file);
  return holder === process.pid ? !ours.has(file) : !isRunning(holder);
}

async function isOld(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > abandonedMs;
}

/** Two processes may find the same dead holder: the slower one must not remove the lock that the faster one took. */
async function removeAbandoned(file: string, holder: number): Promise<void> {
  const takeover = takeoverOf(file);
  if (!(await create(takeover))) {
    await removeLeft(takeover);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return;
  }
  try {
    const now = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
    if (Object.is(now, holder) && (await isAbandoned(file, now))) await rm(file, { force: true });
  } finally {
    ours.delete(takeover);
    await rm(takeover, { force: true });
  }
}
