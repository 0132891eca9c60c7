/**
 * Which processes work in a cache, of all hosts that share it. Whatever one has asked for was made or used after it began, so
 * that all that was not is used by none of them.
 */
import { rmSync } from 'node:fs';
import { mkdir, open, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { isRunning, lifeOf, type Owner, ownerText, parseOwner } from './owner.js';
import { isLeft, keepRenewed } from './renewal.js';

const folderOf = (root: string): string => path.join(root, 'running');

/** Caches that this process has announced itself in. */
const announced = new Set<string>();

/** Says until this process ends that it works in a cache. @param root of the cache */
export async function announce(root: string): Promise<void> {
  if (announced.has(root)) return;
  announced.add(root);
  await removeLeft(root);
  const file = path.join(folderOf(root), `${ownerText()} ${hostname()}`);
  // Where nothing can be written, nothing can be removed either.
  await mkdir(path.dirname(file), { recursive: true }).catch(() => undefined);
  await writeFile(file, '').catch(() => undefined);
  const began = await stat(file).catch(() => undefined);
  if (began !== undefined) keepRenewed(file, () => renew(file, began.mtime));
  process.on('exit', () => rmSync(file, { force: true }));
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
export async function neighbours(root: string): Promise<Neighbour[]> {
  const found: Neighbour[] = [];
  for (const name of await namesIn(root)) {
    const owner = parseOwner(name);
    if (owner === undefined || lifeOf(owner) === 'ours' || (await isGone(root, name, owner))) continue;
    // Signs of life leave this time as it was when the file was written.
    const { mtimeMs } = (await stat(path.join(folderOf(root), name)).catch(() => undefined)) ?? {};
    if (mtimeMs !== undefined) found.push({ pid: owner.pid, host: hostOf(name, owner), beganMs: mtimeMs });
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

async function removeLeft(root: string): Promise<void> {
  for (const name of await namesIn(root)) {
    const owner = parseOwner(name);
    if (owner !== undefined && (await isGone(root, name, owner)))
      await rm(path.join(folderOf(root), name), { force: true });
  }
}

const namesIn = (root: string): Promise<string[]> => readdir(folderOf(root)).catch(() => []);

/** Older versions wrote the number and the host alone. */
const hostOf = (name: string, { place }: Owner): string =>
  place === undefined ? name.slice(name.indexOf('-') + 1) : name.slice(name.indexOf(' ') + 1);

async function isGone(root: string, name: string, owner: Owner): Promise<boolean> {
  if (owner.place !== undefined) return isLeft(path.join(folderOf(root), name), owner);
  // An older version on another host gives no signs of life: it counts as running.
  return hostOf(name, owner) === hostname() && !isRunning(owner.pid);
}
