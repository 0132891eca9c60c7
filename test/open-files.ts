/** Whether whoever opens a file closes it. For tests. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';

/**
 * Exactly these files at or below a folder are open in this process, removed ones too. Only Linux says which are: elsewhere
 * this looks at nothing.
 */
export function assertOpen(folder: string, files: readonly string[] = []): void {
  if (process.platform !== 'linux') return;
  const open = readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${descriptor}`);
      return file === folder || file.startsWith(`${folder}/`) ? [file] : [];
    } catch {
      // The one that the listing itself was read by.
      return [];
    }
  });
  assert.deepEqual(open.sort(), [...files].sort());
}
