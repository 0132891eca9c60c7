/** Which part of the cache may go, and removing it. */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { isFetched, type Stored, type StoredKind } from './inventory.js';
import { withLock } from './lock.js';
import { type Neighbour, neighbours } from './running.js';
import { isLeased, removeRemains, removeWhole } from './temporary.js';

/** All that are given must hold. */
export interface Criteria {
  kinds?: readonly StoredKind[];
  /** As the command line says it; `beir` stands for its variants and for collections of one's own too. */
  dataset?: string;
  system?: string;
  /** Not used for so long. */
  olderThanMs?: number;
  /** Bytes that may stay of all that was chosen otherwise; what was not used for the longest goes first. */
  maxBytes?: number;
  /** Keys that records name: these stay, and what they were made with. */
  named?: ReadonlySet<string>;
}

/** @param nowMs in milliseconds since 1970 */
export function chosen(all: readonly Stored[], criteria: Criteria, nowMs: number): Stored[] {
  const { kinds, dataset, system, olderThanMs, maxBytes, named } = criteria;
  const kept = named === undefined ? new Set<string>() : withTheirs(all, named);
  const found = all.filter(
    (stored) =>
      // What was fetched is removed only where that is said: nothing here can make it again.
      (kinds === undefined ? !isFetched(stored.kind) : kinds.includes(stored.kind)) &&
      (dataset === undefined || isOf(dataset, stored.dataset)) &&
      (system === undefined || stored.system === system) &&
      (olderThanMs === undefined || nowMs - stored.usedMs > olderThanMs) &&
      !kept.has(stored.key),
  );
  return maxBytes === undefined ? found : beyond(found, maxBytes);
}

/** `beir/nq:mine` is of `beir`, `beir/nq` and itself. */
const isOf = (asked: string, dataset: string | undefined): boolean =>
  dataset === asked || ['/', ':'].some((mark) => dataset?.startsWith(`${asked}${mark}`));

/** The keys, and of what they were made with, however far back. */
function withTheirs(all: readonly Stored[], named: ReadonlySet<string>): Set<string> {
  const byKey = new Map(all.map((stored) => [stored.key, stored]));
  const kept = new Set<string>();
  const waiting = [...named];
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (kept.has(key)) continue;
    kept.add(key);
    waiting.push(...(byKey.get(key)?.uses ?? []).map((used) => used.key));
  }
  return kept;
}

function beyond(found: readonly Stored[], maxBytes: number): Stored[] {
  const latestFirst = [...found].sort((a, b) => b.usedMs - a.usedMs);
  let bytes = 0;
  return latestFirst.filter(({ sizeBytes }) => {
    bytes += sizeBytes;
    return bytes > maxBytes;
  });
}

/** Times of files may lag behind by so much. */
const clockMs = 2000;

export interface Pruned {
  removed: Stored[];
  /** What a running process works on or uses, here or on another host. */
  inUse: Stored[];
  running: readonly Neighbour[];
}

/** Removes artifacts, each whole or not at all. What a running process works on or has asked for stays. @param root of the cache */
export async function prune(root: string, those: readonly Stored[]): Promise<Pruned> {
  const running = await neighbours(root);
  const pruned: Pruned = { removed: [], inUse: [], running };
  const sinceMs = running[0]?.beganMs;
  for (const stored of those) {
    const isAsked = sinceMs !== undefined && stored.usedMs >= sinceMs - clockMs;
    (!isAsked && (await remove(stored)) ? pruned.removed : pruned.inUse).push(stored);
  }
  for (const parent of new Set(those.map(({ folder }) => path.dirname(folder)))) await removeRemains(parent);
  return pruned;
}

async function remove({ folder, state }: Stored): Promise<boolean> {
  if (state !== 'fetched' && (await isLeased(folder))) return false;
  return removeUnlocked(folder);
}

/** Removes a folder whole, or leaves it where somebody works in it. @returns whether it is gone */
export async function removeUnlocked(folder: string): Promise<boolean> {
  try {
    await removeWhole(folder, (takeName) => withLock(path.join(folder, 'lock'), takeName, 0));
  } catch (error) {
    if (error instanceof BenchError && error.code === 'LOCKED') return false;
    throw error;
  }
  return true;
}
