/**
 * Artifacts that are to go again. One says so by a mark in its folder, and every store that uses it leaves a lease there;
 * the last to give its lease back may remove it. A mark outlives a kill, so that the next attempt knows what it may remove;
 * a lease of a process that is gone counts for nothing. What has no mark is never removed.
 */
import { appendFile, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, fileError } from '../errors.js';
import { isRunning } from './atomic.js';
import { withLock } from './lock.js';

const mark = 'temporary';
const leasePrefix = 'lease-';
export const removedMark = '.removed-';
/** Leases and removals take milliseconds: whoever waits longer waits for a process that hangs. */
const waitMs = 60_000;

export async function isTemporary(folder: string): Promise<boolean> {
  return (await stat(path.join(folder, mark)).catch(() => undefined)) !== undefined;
}

/**
 * Marks a folder that this process is about to fill, and holds it.
 * @param holder tells the stores of a process apart @param owner the work that it is for
 */
export async function markTemporary(folder: string, holder: string, owner: string): Promise<void> {
  await addOwner(folder, owner);
  await writeEmpty(leaseOf(folder, holder));
}

/** Notes in the mark that it was made or used for this work, which outlives a kill as the mark does. */
export async function addOwner(folder: string, owner: string): Promise<void> {
  const file = path.join(folder, mark);
  const isKnown = await isOwned(folder, owner);
  await appendFile(file, isKnown ? '' : `${owner}\n`).catch((error: unknown) => {
    throw fileError(error, file);
  });
}

/** Whether it is to go again, and was made or used for this work. */
export async function isOwned(folder: string, owner: string): Promise<boolean> {
  const text = await readFile(path.join(folder, mark), 'utf8').catch(() => '');
  return text.split('\n').includes(owner);
}

/** From now on it stays. */
export async function markKept(folder: string): Promise<void> {
  await rm(path.join(folder, mark), { force: true });
}

/** Nobody removes the folder while `work` runs. */
export function undisturbed<T>(folder: string, work: () => Promise<T>): Promise<T> {
  return withLock(`${folder}.leases`, work, waitMs);
}

export function writeLease(folder: string, holder: string): Promise<void> {
  return writeEmpty(leaseOf(folder, holder));
}

/**
 * Gives the lease back.
 * @param remove whether the folder may go where no other lease is left and it still has its mark
 * @returns whether it is gone
 */
export async function giveBack(folder: string, holder: string, remove: boolean): Promise<boolean> {
  return undisturbed(folder, async () => {
    await rm(leaseOf(folder, holder), { force: true });
    if (!remove || !(await isTemporary(folder)) || (await isLeased(folder))) return false;
    // Renamed first: a removal that is killed in the middle leaves nothing that looks like an artifact.
    const gone = `${folder}${removedMark}${process.pid}`;
    await rename(folder, gone);
    await rm(gone, { recursive: true, force: true });
    return true;
  });
}

/** Removes what killed processes were about to remove. @param parent folder of artifacts of one kind */
export async function removeRemains(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const [, asked] = /^(.*)\.leases(?:\.takeover)?$/.exec(name) ?? [];
    // Taken over where it was left, and let go of; who holds it lets go of it, too.
    if (asked !== undefined) await undisturbed(path.join(parent, asked), async () => undefined);
    const at = name.lastIndexOf(removedMark);
    if (at < 0 || isRunning(Number.parseInt(name.slice(at + removedMark.length), 10))) continue;
    await rm(path.join(parent, name), { recursive: true, force: true });
  }
}

/** @throws BenchError LOCKED where another running process uses it */
export async function refuseLeased(folder: string): Promise<void> {
  if ((await leaseHolders(folder)).every((pid) => pid === process.pid)) return;
  throw new BenchError('LOCKED', `${folder} is in use by another run, and cannot be made anew.`, {
    hint: 'Wait for it to end, or use another --cache DIR.',
  });
}

export async function isLeased(folder: string): Promise<boolean> {
  return (await leaseHolders(folder)).length > 0;
}

/** Numbers of the running processes that use it. */
async function leaseHolders(folder: string): Promise<number[]> {
  const leases = (await readdir(folder)).filter((name) => name.startsWith(leasePrefix));
  return leases.map((name) => Number.parseInt(name.slice(leasePrefix.length), 10)).filter(isRunning);
}

const leaseOf = (folder: string, holder: string): string =>
  path.join(folder, `${leasePrefix}${process.pid}-${holder}`);

async function writeEmpty(file: string): Promise<void> {
  try {
    await writeFile(file, '');
  } catch (error) {
    throw fileError(error, file);
  }
}
