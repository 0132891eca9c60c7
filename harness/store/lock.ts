/** One process at a time works on a thing in the cache. A lock left by a process that died is taken over. */
import { open, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, fileError } from '../errors.js';
import { isRunning, makeFolder } from './atomic.js';

/** The locks of this process: a lock file with our number that is not among them was left by a namesake. */
const ours = new Set<string>();

/** How old a lock file without a number, or a takeover, must be to count as left behind. */
const abandonedMs = 10_000;

/**
 * Runs `work` while holding the lock file.
 * @param waitMs how long to wait for whoever holds it, another process or this one, asking again every half second
 * @throws BenchError LOCKED when it is still held then
 */
export async function withLock<T>(file: string, work: () => Promise<T>, waitMs = 0): Promise<T> {
  const key = path.resolve(file);
  await acquire(key, waitMs);
  try {
    return await work();
  } finally {
    ours.delete(key);
    await rm(key, { force: true });
  }
}

async function acquire(file: string, waitMs: number): Promise<void> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    if (await create(file)) return;
    const holder = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
    if (await isAbandoned(file, holder)) {
      await removeAbandoned(file, holder);
      continue;
    }
    if (Date.now() >= deadline) {
      const who = Number.isInteger(holder) ? `Process ${holder}` : 'Another process';
      throw new BenchError('LOCKED', `${who} is working on ${path.dirname(file)}.`, {
        hint: `Wait for it to end, or use another --cache DIR. If no such process runs, delete ${file}.`,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(500, waitMs)));
  }
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
  const takeover = `${file}.takeover`;
  const handle = await open(takeover, 'wx').catch(() => undefined);
  if (handle === undefined) {
    if (await isOld(takeover)) await rm(takeover, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 5));
    return;
  }
  try {
    const now = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
    if (Object.is(now, holder) && (await isAbandoned(file, now))) await rm(file, { force: true });
  } finally {
    await handle.close();
    await rm(takeover, { force: true });
  }
}
