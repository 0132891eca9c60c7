/** Folders that are either whole or not there: filled under a temporary name, then renamed. */
import { mkdir, rename, rmdir } from 'node:fs/promises';
import { discard, temporaryName } from './atomic.js';
import { assertHeld } from './fence.js';
import { removePartialsOf } from './partials.js';
import { letGo } from './renewal.js';

/**
 * Fills a folder. Where that fails, nothing remains of it.
 * @param folder must not be there, or be empty
 * @param fill gets the temporary folder
 */
export async function wholeFolder<Facts>(
  folder: string,
  fill: (temporary: string) => Promise<Facts>,
): Promise<Facts> {
  await removePartialsOf(folder);
  const temporary = temporaryName(folder);
  try {
    await mkdir(temporary, { recursive: true });
    const facts = await fill(temporary);
    await assertHeld(folder);
    // Windows renames onto no folder, not even an empty one.
    await rmdir(folder).catch(() => undefined);
    await rename(temporary, folder);
    letGo(temporary);
    return facts;
  } catch (error) {
    await discard(temporary);
    throw error;
  }
}
