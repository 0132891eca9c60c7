/**
 * Which processes work in a cache. Whatever one has asked for was made or used after it began, so that all that was not is
 * used by none of them.
 */
import { rmSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { isRunning } from './atomic.js';

const folderOf = (root: string): string => path.join(root, 'running');

/** Caches that this process has announced itself in. */
const announced = new Set<string>();

/** Says until this process ends that it works in a cache. @param root of the cache */
export async function announce(root: string): Promise<void> {
  if (announced.has(root)) return;
  announced.add(root);
  await removeLeft(root);
  const file = path.join(folderOf(root), `${process.pid}-${hostname()}`);
  // Where nothing can be written, nothing can be removed either.
  await mkdir(path.dirname(file), { recursive: true }).catch(() => undefined);
  const isWritten = await writeFile(file, '').then(
    () => true,
    () => false,
  );
  if (isWritten) process.on('exit', () => rmSync(file, { force: true }));
}

/** When the first of the other processes that work in a cache began, in milliseconds since 1970; undefined where none does. */
export async function firstBeginMs(root: string): Promise<number | undefined> {
  let first: number | undefined;
  for (const name of await namesIn(root)) {
    if (pidOf(name) === process.pid || isGone(name)) continue;
    const found = await stat(path.join(folderOf(root), name)).catch(() => undefined);
    if (found !== undefined) first = Math.min(first ?? found.mtimeMs, found.mtimeMs);
  }
  return first;
}

async function removeLeft(root: string): Promise<void> {
  for (const name of await namesIn(root))
    if (isGone(name)) await rm(path.join(folderOf(root), name), { force: true });
}

const namesIn = (root: string): Promise<string[]> => readdir(folderOf(root)).catch(() => []);
const pidOf = (name: string): number => Number.parseInt(name, 10);

/** Of a process on another machine nothing is known: it counts as running. */
function isGone(name: string): boolean {
  return name.slice(name.indexOf('-') + 1) === hostname() && !isRunning(pidOf(name));
}
