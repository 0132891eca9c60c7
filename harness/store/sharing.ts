/** Who shares a cache: what its file system offers to several hosts, and who may write there, since figures are made from what lies there. */
import { link, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { discard, temporaryName } from './atomic.js';
import { artifactKinds } from './manifest.js';
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

/** Caches that this process has looked at. */
const seen = new Set<string>();

/** Says once that others may write to a cache. @param root of the cache */
export async function noteSharing(root: string, note: (line: string) => void): Promise<void> {
  if (seen.has(root)) return;
  seen.add(root);
  const why = await whyShared(root);
  if (why !== undefined)
    note(`The cache is not yours alone: ${why}. Whoever may write there decides your figures.`);
}

/**
 * Why a cache is not this user's alone, in words; undefined where it is, is not there, or the system has no such rights.
 * @param root of the cache
 */
export async function whyShared(root: string): Promise<string | undefined> {
  const user = process.getuid?.();
  if (user === undefined) return undefined;
  for (const folder of [root, ...artifactKinds.map((kind) => path.join(root, kind))]) {
    const found = await stat(folder).catch(() => undefined);
    if (found === undefined) continue;
    const mode = (found.mode & 0o7777).toString(8).padStart(4, '0');
    if ((found.mode & 0o002) !== 0) return `anybody may write to ${folder} (mode ${mode})`;
    // A user's own group has the user's number on most systems.
    if ((found.mode & 0o020) !== 0 && found.gid !== found.uid)
      return `the group ${found.gid} may write to ${folder} (mode ${mode})`;
    if (found.uid !== user && found.uid !== 0) return `${folder} belongs to user ${found.uid}`;
  }
  return undefined;
}
