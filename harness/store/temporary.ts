/**
 * Artifacts that are to go again. One says so by a mark in its folder, and every store that uses it leaves a lease there;
 * the last to give its lease back may remove it. A mark outlives a kill, so that the next attempt knows what it may remove;
 * a lease of a process that is gone counts for nothing, and so does one that gave no sign of life for long. What has no mark is never removed.
 */
import { appendFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, fileError } from '../errors.js';
import { whereOffered } from '../offered.js';
import { withLock } from './lock.js';
import { leaseMs, lifeOf, type Owner, ownerText, parseOwner } from './owner.js';
import { readPlainText } from './plain-file.js';
import { isLeft, keepRenewed, letGo } from './renewal.js';

const mark = 'temporary';
const leasePrefix = 'lease-';
const removedMark = '.removed-';
/** Leases and removals take milliseconds: whoever waits longer, and for one that died, waits for a process that hangs. */
const waitMs = () => 60_000 + leaseMs();

export async function isTemporary(folder: string): Promise<boolean> {
  return (await stat(path.join(folder, mark)).catch(() => undefined)) !== undefined;
}

/**
 * Marks a folder that this process is about to fill, and holds it.
 * @param holder tells the stores of a process apart @param owner the work that it is for
 */
export async function markTemporary(folder: string, holder: string, owner: string): Promise<void> {
  await addOwner(folder, owner);
  await writeLease(folder, holder);
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
  const text = await readPlainText(path.join(folder, mark)).catch(() => '');
  return text.split('\n').includes(owner);
}

/** From now on it stays. */
export async function markKept(folder: string): Promise<void> {
  await rm(path.join(folder, mark), { force: true });
}

/** Nobody removes the folder while `work` runs. */
export function undisturbed<T>(folder: string, work: () => Promise<T>): Promise<T> {
  return withLock(`${folder}.leases`, work, waitMs());
}

export function writeLease(folder: string, holder: string): Promise<void> {
  keepRenewed(leaseOf(folder, holder));
  return writeEmpty(leaseOf(folder, holder));
}

/**
 * Gives the lease back.
 * @param remove whether the folder may go where no other lease is left and it still has its mark
 * @returns whether it is gone
 */
export async function giveBack(folder: string, holder: string, remove: boolean): Promise<boolean> {
  return undisturbed(folder, async () => {
    letGo(leaseOf(folder, holder));
    await rm(leaseOf(folder, holder), { force: true });
    if (!remove || !(await isTemporary(folder)) || (await isLeased(folder))) return false;
    await removeWhole(folder, (takeName) => takeName());
    return true;
  });
}

/**
 * Removes a folder so that a removal that is killed in the middle leaves nothing that looks like an artifact.
 * @param guarded runs what takes the folder's name away, under a lock
 */
export async function removeWhole(
  folder: string,
  guarded: (takeName: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const gone = `${folder}${removedMark}${ownerText()}`;
  keepRenewed(gone);
  try {
    await guarded(() => rename(folder, gone));
    await rm(gone, { recursive: true, force: true });
  } finally {
    letGo(gone);
  }
}

/** Removes what killed processes were about to remove. @param parent folder of artifacts of one kind */
export async function removeRemains(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const [, asked] = /^(.*)\.leases(?:\.takeover)?$/.exec(name) ?? [];
    // Taken over where it was left, and let go of; who holds it lets go of it, too.
    if (asked !== undefined) await undisturbed(path.join(parent, asked), async () => undefined);
    const at = name.lastIndexOf(removedMark);
    const owner = at < 0 ? undefined : parseOwner(name.slice(at + removedMark.length));
    const gone = path.join(parent, name);
    if (owner !== undefined && (await isLeft(gone, owner))) await rm(gone, { recursive: true, force: true });
  }
}

/** @throws BenchError LOCKED where another running process uses it */
export async function refuseLeased(folder: string): Promise<void> {
  if ((await leaseHolders(folder)).every((owner) => lifeOf(owner) === 'ours')) return;
  throw new BenchError('LOCKED', `${folder} is in use by another run, and cannot be made anew.`, {
    hint: `Wait for it to end${whereOffered(['cache'], ', or use another --cache DIR')}.`,
  });
}

export const isLeased = async (folder: string): Promise<boolean> => (await leaseHolders(folder)).length > 0;

/** The processes that live and use it. */
async function leaseHolders(folder: string): Promise<Owner[]> {
  const holders: Owner[] = [];
  for (const name of await readdir(folder)) {
    const owner = name.startsWith(leasePrefix) ? parseOwner(name.slice(leasePrefix.length)) : undefined;
    if (owner !== undefined && !(await isLeft(path.join(folder, name), owner))) holders.push(owner);
  }
  return holders;
}

const leaseOf = (folder: string, holder: string): string =>
  path.join(folder, `${leasePrefix}${ownerText()}-${holder}`);

async function writeEmpty(file: string): Promise<void> {
  try {
    await writeFile(file, '');
  } catch (error) {
    throw fileError(error, file);
  }
}
