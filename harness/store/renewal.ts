/**
 * Signs of life. What a process has in the store it touches from time to time; what was not touched for a lease counts as left
 * behind by those that cannot look whether its owner lives. Times are those that the file system itself gives (`ctime`), and
 * are compared with each other alone: no clock of a host plays a part, and nobody can set them.
 */
import { open, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { leaseMs, lifeOf, type Owner, ownerText, partialMark, randomPart } from './owner.js';

/** What this process keeps alive, and how. */
const kept = new Map<string, () => Promise<void>>();

let isTicking = false;

/** How many signs of life fall into one lease. */
const signsPerLease = 4;

/**
 * Gives signs of life for a file or a folder until `letGo`, or until this process ends; it need not be there yet.
 * @param renew how; touches it where absent
 */
export function keepRenewed(file: string, renew = () => touch(file)): void {
  kept.set(file, renew);
  if (!isTicking) setInterval(renewAll, leaseMs() / signsPerLease).unref();
  isTicking = true;
}

export function letGo(file: string): void {
  kept.delete(file);
}

function renewAll(): void {
  // What is gone, or may not be touched, is judged by its owner's other signs.
  for (const renew of kept.values()) void renew().catch(() => undefined);
}

/** The change of times sets `ctime` by the clock of the file system; the times themselves stay what they were. */
export async function touch(file: string): Promise<void> {
  const { atime, mtime } = await stat(file);
  await utimes(file, atime, mtime);
}

/** What the clock of the file system says, in milliseconds; undefined where nothing can be written. */
export async function clockOf(folder: string): Promise<number | undefined> {
  const probe = path.join(folder, `.clock${partialMark}${ownerText()}-${randomPart()}`);
  const handle = await open(probe, 'wx').catch(() => undefined);
  try {
    return (await handle?.stat())?.ctimeMs;
  } finally {
    await handle?.close();
    await rm(probe, { force: true });
  }
}

/** Whether a file or folder gave no sign of life for so long. What is not there gave none to miss. */
export async function isExpired(file: string, ms: number): Promise<boolean> {
  const touchedMs = await touchedAt(file);
  if (touchedMs === undefined) return false;
  const nowMs = await clockOf(path.dirname(file));
  return nowMs !== undefined && nowMs - touchedMs > ms;
}

async function touchedAt(file: string): Promise<number | undefined> {
  // Opened first: file systems of networks ask the server then, and answer from memory otherwise.
  const handle = await open(file, 'r').catch(() => undefined);
  try {
    return (await (handle?.stat() ?? stat(file))).ctimeMs;
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

/**
 * Whether something was left behind: its owner is known to have ended, or gave no sign of life for a lease. Of this process
 * nothing was.
 */
export async function isLeft(file: string, owner: Owner): Promise<boolean> {
  const life = lifeOf(owner);
  return life === 'elsewhere' ? isExpired(file, owner.leaseMs) : life === 'gone';
}
