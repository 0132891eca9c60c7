/** Folders that are either whole or not there: filled under a temporary name, then renamed. */
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { isRunning } from './atomic.js';

const mark = '.partial-';

/**
 * Fills a folder. Where that fails, nothing remains of it.
 * @param folder must not be there, or be empty
 * @param fill gets the temporary folder
 */
export async function wholeFolder<Facts>(
  folder: string,
  fill: (temporary: string) => Promise<Facts>,
): Promise<Facts> {
  const temporary = `${folder}${mark}${process.pid}`;
  await removeLeftOvers(folder);
  try {
    await mkdir(temporary, { recursive: true });
    const facts = await fill(temporary);
    // Windows renames onto no folder, not even an empty one.
    await rmdir(folder).catch(() => undefined);
    await rename(temporary, folder);
    return facts;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** What killed processes left. */
async function removeLeftOvers(folder: string): Promise<void> {
  const start = `${path.basename(folder)}${mark}`;
  for (const name of await readdir(path.dirname(folder)).catch(() => [])) {
    if (!name.startsWith(start)) continue;
    const pid = Number.parseInt(name.slice(start.length), 10);
    if (pid !== process.pid && isRunning(pid)) continue;
    await rm(path.join(path.dirname(folder), name), { recursive: true, force: true });
  }
}
