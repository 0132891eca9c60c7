/** One process at a time works on a thing in the cache. A lock left by a process that died is taken over. */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, fileError } from '../errors.js';
import { isRunning } from './atomic.js';

/**
 * Runs `work` while holding the lock file.
 * @param waitMs how long to wait for another process, asking again every half second
 * @throws BenchError LOCKED when another process still holds it then
 */
export async function withLock<T>(file: string, work: () => Promise<T>, waitMs = 0): Promise<T> {
  const release = await acquire(file, waitMs);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function acquire(file: string, waitMs: number): Promise<() => Promise<void>> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      await mkdir(path.dirname(file), { recursive: true });
      const handle = await open(file, 'wx');
      await handle.write(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError(error, file);
    }
    const holder = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
    // An empty file is one whose holder is about to write its number: give it the next round.
    if (Number.isInteger(holder) && (holder === process.pid || !isRunning(holder))) {
      await rm(file, { force: true });
      continue;
    }
    if (Date.now() >= deadline) {
      throw new BenchError('LOCKED', `Process ${holder} is working on ${path.dirname(file)}.`, {
        hint: `Wait for it to end, or use another --cache DIR. If no such process runs, delete ${file}.`,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(500, waitMs)));
  }
}
