/** Whether a folder can be a store that several hosts share: what its file system offers. */
import { link, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { discard, temporaryName } from './atomic.js';
import { clockOf } from './renewal.js';

export interface Sharing {
  /** Why a file cannot get a second name there; undefined where it can, and the first of two manifests stays. */
  linkFault: string | undefined;
  /** How far the clock of the file system is ahead of this host's, in milliseconds; undefined where nothing can be written. */
  aheadMs: number | undefined;
}

/** Tries it with small files, and leaves none. @param root of the cache, which is there */
export async function sharingOf(root: string): Promise<Sharing> {
  const nowMs = await clockOf(root);
  const aheadMs = nowMs === undefined ? undefined : nowMs - Date.now();
  const [first, second] = [temporaryName(path.join(root, '.link')), temporaryName(path.join(root, '.link'))];
  try {
    await writeFile(first, '');
    await link(first, second);
    return { linkFault: undefined, aheadMs };
  } catch (error) {
    return { linkFault: (error as NodeJS.ErrnoException).code ?? String(error), aheadMs };
  } finally {
    for (const name of [first, second]) await discard(name);
  }
}
