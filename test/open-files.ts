/** Whether whoever opens a file closes it. For tests. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The files at or below a folder that are open in this process, removed ones too. Only Linux says which: elsewhere none. */
export function openUnder(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${descriptor}`);
      return file === folder || file.startsWith(`${folder}/`) ? [file] : [];
    } catch {
      // The one that the listing itself was read by.
      return [];
    }
  });
}

/** Nothing at or below a folder is open, or stays so: a stream that was ended closes its file soon after. */
export async function assertClosed(folder: string): Promise<void> {
  for (let tries = 0; tries < 400 && openUnder(folder).length > 0; tries++) await sleep(10);
  assert.deepEqual(openUnder(folder), []);
}

/** Removes a folder of a test, of which nothing is open any more. */
export async function removeClosed(folder: string): Promise<void> {
  await assertClosed(folder);
  await rm(folder, { recursive: true, force: true });
}
