/**
 * Which processes work in a cache, or run from a build, of all hosts that share it. Whatever one of a cache has asked for was made or used after it began, so
 * that all that was not is used by none of them.
 */
import { rmSync } from 'node:fs';
import { open, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { succeeds } from '../errors.js';
import { makeFolder } from './make-folder.js';
import { lifeOf, ownerText, parseOwner } from './owner.js';
import { isLeft, keepRenewed } from './renewal.js';

const folderOf = (root: string): string => path.join(root, 'running');

/** Folders that this process has announced itself in. */
const announced = new Set<string>();

/** Says until this process ends that it works in a cache. @param root of the cache */
export const announce = (root: string): Promise<void> => announceIn(folderOf(root));

/** Says it by a file in a folder that is there for nothing else. */
export async function announceIn(folder: string): Promise<void> {
  if (announced.has(folder)) return;
  announced.add(folder);
  await removeLeft(folder);
  const file = path.join(folder, `${ownerText()} ${hostname()}`);
  // Where nothing can be written, nothing can be removed either.
  await makeFolder(folder).catch(() => undefined);
  const isWritten = await succeeds(writeFile(file, ''));
  const began = isWritten ? await stat(file).catch(() => undefined) : undefined;
  if (began !== undefined) keepRenewed(file, () => renew(file, began.mtime));
  if (isWritten) process.on('exit', () => rmSync(file, { force: true }));
}

/** Says it anew, with the time of old, where this process stood still for longer than a lease and was taken for dead. */
async function renew(file: string, began: Date): Promise<void> {
  const handle = await open(file, 'a');
  await handle.close();
  await utimes(file, began, began);
}

export interface Neighbour {
  pid: number;
  host: string;
  /** By the clock of the file system, in milliseconds since 1970. */
  beganMs: number;
}

/** The other processes that work in a cache, as far as they have announced themselves. @param root of the cache */
export const neighbours = (root: string): Promise<Neighbour[]> => neighboursIn(folderOf(root));

/** Those that have announced themselves in a folder. */
export async function neighboursIn(folder: string): Promise<Neighbour[]> {
  const found: Neighbour[] = [];
  for (const name of await namesIn(folder)) {
    const owner = parseOwner(name);
    if (owner === undefined || lifeOf(owner) === 'ours' || (await isLeft(path.join(folder, name), owner)))
      continue;
    // Signs of life leave this time as it was when the file was written.
    const { mtimeMs } = (await stat(path.join(folder, name)).catch(() => undefined)) ?? {};
    const host = name.slice(name.indexOf(' ') + 1);
    if (mtimeMs !== undefined) found.push({ pid: owner.pid, host, beganMs: mtimeMs });
  }
  return found.sort((a, b) => a.beganMs - b.beganMs);
}

/** For a sentence. */
export const neighbourNames = (all: readonly Neighbour[]): string =>
  all
    .map(
      ({ pid, host, beganMs }) =>
        `process ${pid} on ${host}, since ${new Date(beganMs).toLocaleString('sv-SE')}`,
    )
    .join('; ');

async function removeLeft(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    const owner = parseOwner(name);
    const file = path.join(folder, name);
    if (owner !== undefined && (await isLeft(file, owner))) await rm(file, { force: true });
  }
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
