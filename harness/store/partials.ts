/** What was being written when it was left, which has a temporary name. */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { lifeOf, parseOwner, partialMark } from './owner.js';
import { isLeft } from './renewal.js';

/**
 * Removes what this process, or one that died, left half-written in a folder; a file of a process that lives, here or on
 * another host, is left alone.
 * @param below whether in the folders below it too
 */
export function removePartials(folder: string, below = false): Promise<void> {
  return removeMarked(folder, below, () => true);
}

/** The same of one file or folder alone, which lies among files that are none of ours. */
export function removePartialsOf(target: string): Promise<void> {
  const prefix = `${path.basename(target)}${partialMark}`;
  return removeMarked(path.dirname(target), false, (name) => name.startsWith(prefix));
}

async function removeMarked(
  folder: string,
  below: boolean,
  chosen: (name: string) => boolean,
): Promise<void> {
  for (const name of await readdir(folder, { recursive: below }).catch(() => [])) {
    const at = name.lastIndexOf(partialMark);
    if (at < 0 || !chosen(name)) continue;
    const owner = parseOwner(name.slice(at + partialMark.length));
    const file = path.join(folder, name);
    // What names no owner is none of ours.
    if (owner === undefined || !(lifeOf(owner) === 'ours' || (await isLeft(file, owner)))) continue;
    await rm(file, { recursive: true, force: true });
  }
}
