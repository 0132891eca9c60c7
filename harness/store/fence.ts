/**
 * The locks that this process holds, and whether it still does. A process that stood still for longer than a lease may have been
 * taken for dead; what it would put in place then is refused, so that it is in nobody's way.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { leaseMs } from './owner.js';
import { keepRenewed, letGo, touch } from './renewal.js';

interface Held {
  /** What stands in the lock file: no other lock, of this process or another, has the same. */
  readonly text: string;
  /** When it was last known to be ours, by `performance.now`. */
  knownMs: number;
  isLost: boolean;
}

/** By the lock's absolute path. */
const held = new Map<string, Held>();

export const isHeld = (file: string): boolean => held.has(file);

/** From now on the lock is ours, and kept alive. */
export function hold(file: string, text: string): void {
  const lock: Held = { text, knownMs: performance.now(), isLost: false };
  held.set(file, lock);
  keepRenewed(file, () => renew(file, lock));
}

/** @returns whether the lock file is ours to remove */
export async function unhold(file: string): Promise<boolean> {
  const lock = held.get(file);
  letGo(file);
  held.delete(file);
  return lock !== undefined && !lock.isLost && (await readFile(file, 'utf8').catch(() => '')) === lock.text;
}

async function renew(file: string, lock: Held): Promise<void> {
  const askedMs = performance.now();
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (text !== lock.text) {
    lock.isLost = true;
    return;
  }
  await touch(file);
  lock.knownMs = askedMs;
}

/** What a lock is of: the folder that it lies in, or the file or folder that it lies beside. */
export function lockedThing(file: string): string {
  return path.basename(file) === 'lock' ? path.dirname(file) : file.replace(/\.(lock|leases)$/, '');
}

/** A lock that another process took over while this one worked. */
export class LostLock extends BenchError {
  /** @param file the lock's absolute path */
  constructor(readonly file: string) {
    super(
      'LOCKED',
      `Another process took over ${lockedThing(file)}: this one had stood still for longer than ${leaseMs() / 1000} s.`,
      {
        hint: 'Nothing is lost. The same command goes on from there; BENCH_LEASE_SECONDS makes leases longer.',
      },
    );
  }
}

/**
 * To be called before something is put in place. Looks at the disk only where the last sign of life is long ago.
 * @param target where it is put
 * @throws LostLock where a lock on that place, or on a folder above it, was ours and is no more
 */
export async function assertHeld(target: string): Promise<void> {
  const place = path.resolve(target);
  for (const [file, lock] of held) {
    const thing = lockedThing(file);
    if (place !== thing && !place.startsWith(thing + path.sep)) continue;
    if (!lock.isLost && performance.now() - lock.knownMs < leaseMs() / 2) continue;
    await renew(file, lock);
    if (lock.isLost) throw new LostLock(file);
  }
}
