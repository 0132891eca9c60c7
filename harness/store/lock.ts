/**
 * One process at a time works on a thing in the cache, and others wait for it, on whichever host they run. A lock left by a
 * process that died is taken over: at once where that can be seen, else when it gave no sign of life for a lease.
 *
 * Not `proper-lockfile` (4.1.2, of January 2021): it compares the times of a lock with the clock of each host, so that one an hour
 * ahead takes every lock; a process that died is waited for always; and whoever finds an old lock removes whatever is there.
 */
import { open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError, fileError } from '../errors.js';
import { assertGoesOn } from '../interruption.js';
import { whereOffered } from '../offered.js';
import { hold, isHeld, lockedThing, unhold } from './fence.js';
import { makeFolder } from './make-folder.js';
import { leaseMs, lifeOf, ownerText, parseOwner, randomPart } from './owner.js';
import { isExpired } from './renewal.js';

/** How old a lock file without an owner must be to count as left behind. */
const abandonedMs = () => Math.min(10_000, leaseMs());

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

/** For what is waited for by other means than a lock file. */
export const waitingNow = (): Waiting => waiting;

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
    await release(key);
  }
}

/** Whoever took it over meanwhile keeps it. */
async function release(file: string): Promise<void> {
  if (await unhold(file)) await rm(file, { force: true });
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
  const text = await textOf(file);
  if (text !== undefined && (await isAbandoned(file, text))) await rm(file, { force: true });
}

const takeoverOf = (file: string): string => `${file}.takeover`;

const textOf = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);

async function acquire(file: string, waitMs = waiting.waits ? Number.POSITIVE_INFINITY : 0): Promise<void> {
  const started = performance.now();
  const deadline = started + waitMs;
  let isTold = false;
  for (;;) {
    if (await create(file)) {
      await removeLeft(takeoverOf(file));
      return;
    }
    const text = (await textOf(file)) ?? '';
    if (await isAbandoned(file, text)) {
      await removeAbandoned(file, text);
      continue;
    }
    const isOwned = parseOwner(text) !== undefined;
    // Without an owner it will have one at once, or was left by a process that was killed before it could write it.
    if (performance.now() >= (isOwned ? deadline : Math.max(deadline, started + 2 * abandonedMs()))) {
      throw await lockedBy(file, text);
    }
    if (isOwned && !isTold && waitMs === Number.POSITIVE_INFINITY && performance.now() - started > quietMs) {
      waiting.job?.note(
        `${await holderAt(file, text)}: waiting for it to end${whereOffered(['no-wait'], ' (--no-wait does not)')}`,
      );
      isTold = true;
    }
    const { job } = waiting;
    // An abort ends the pause; what it means is said below.
    const pause = sleep(isOwned ? Math.min(500, waitMs) : 50, undefined, job && { signal: job.signal });
    await pause.catch(() => undefined);
    job?.checkInterrupted();
    assertGoesOn();
  }
}

const lockedBy = async (file: string, text: string): Promise<BenchError> =>
  new BenchError('LOCKED', `${await holderAt(file, text)}.`, {
    hint: `Wait for it to end${whereOffered(['no-wait'], ' (bench does, without --no-wait)')}${whereOffered(['cache'], ', or use another --cache DIR')}. If no such process runs, delete ${file}.`,
  });

/**
 * Before what is needed for the work is opened: ends where the work would, but for locks that are taken meanwhile. Takes none.
 * @throws BenchError LOCKED where another holds the lock file and this process does not wait for others
 */
export async function assertNotHeld(file: string): Promise<void> {
  const key = path.resolve(file);
  const text = waiting.waits ? undefined : await textOf(key);
  if (text === undefined || parseOwner(text) === undefined || (await isAbandoned(key, text))) return;
  throw await lockedBy(key, text);
}

/** A wait this short is not worth a line. */
const quietMs = 400;

/** Who works on what, and since when, for a sentence. */
async function holderAt(file: string, text: string): Promise<string> {
  const owner = parseOwner(text);
  const life = owner && lifeOf(owner);
  const host = life === 'elsewhere' ? ` on ${text.split(' ')[1] ?? 'another host'}` : '';
  const who =
    owner === undefined
      ? 'Another process'
      : life === 'ours'
        ? 'This process'
        : `Process ${owner.pid}${host}`;
  const found = await stat(file).catch(() => undefined);
  const since = found === undefined ? '' : `, since ${found.mtime.toLocaleString('sv-SE')}`;
  return `${who} is working on ${lockedThing(file)}${since}`;
}

/** False where the lock file is there already. */
async function create(file: string): Promise<boolean> {
  if (isHeld(file)) return false;
  let isCreated = false;
  try {
    await makeFolder(path.dirname(file));
    const handle = await open(file, 'wx');
    isCreated = true;
    const text = `${ownerText()}-${randomPart()} ${hostname()}`;
    // Known as ours before anyone can read our name in it.
    hold(file, text);
    await handle.write(text);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    if (isCreated) {
      await unhold(file);
      await rm(file, { force: true });
    }
    throw fileError(error, file);
  }
}

async function isAbandoned(file: string, text: string): Promise<boolean> {
  const owner = parseOwner(text);
  // An empty file is one whose holder is about to write its name, or was killed before it could.
  if (owner === undefined) return isExpired(file, abandonedMs());
  const life = lifeOf(owner);
  // A lock with our number that we do not hold was left by a namesake.
  if (life === 'ours') return !isHeld(file);
  return life === 'elsewhere' ? isExpired(file, owner.leaseMs) : life === 'gone';
}

/** Two processes may find the same dead holder: the slower one must not remove the lock that the faster one took. */
async function removeAbandoned(file: string, text: string): Promise<void> {
  const takeover = takeoverOf(file);
  if (!(await create(takeover))) {
    await removeLeft(takeover);
    await sleep(5);
    return;
  }
  try {
    if ((await textOf(file)) === text && (await isAbandoned(file, text))) await rm(file, { force: true });
  } finally {
    await release(takeover);
  }
}
