/** Hashes of large files that are asked for more than once in a process. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { DataFile } from '../contracts.js';
import { type FileState, isSameState, stateOf } from './file-state.js';
import { hashFile } from './hash.js';

/** By path: what a file held when it was last hashed by this process. */
const hashed = new Map<string, { state: FileState; sha256: string }>();

/** Of a file that was touched so shortly before it was looked at, the next look may see the same times and other bytes. */
const clockTickMs = 20;
const worthWaitingBytes = 2 ** 25;

/**
 * The sha256 of a file: taken anew where this process has not taken it, or the file has been touched since.
 * @param onBytes as `hashFile`'s; not told of a file that is known
 */
export async function hashOnce(file: string, onBytes?: (bytes: number) => void): Promise<string> {
  const found = await settledState(file);
  const known = hashed.get(file);
  if (found.isSettled && known !== undefined && isSameState(known.state, found.state)) return known.sha256;
  const sha256 = await hashFile(file, 'sha256', onBytes);
  if (found.isSettled) hashed.set(file, { state: found.state, sha256 });
  return sha256;
}

/** A file as a run record names it. */
export async function describeFile(file: string): Promise<DataFile> {
  const sha256 = await hashOnce(file);
  return { name: path.basename(file), sizeBytes: (await stat(file)).size, sha256 };
}

/** Waits for a large file to be settled, which takes less than to hash it once more. */
async function settledState(file: string): Promise<{ state: FileState; isSettled: boolean }> {
  for (;;) {
    const state = await stateOf(file);
    const ageMs = Date.now() - Math.max(state.mtimeMs, state.ctimeMs);
    // Clocks of other machines may be ahead.
    const isSettled = ageMs < 0 || ageMs > clockTickMs;
    if (isSettled || state.sizeBytes < worthWaitingBytes)
      return { state, isSettled: isSettled && ageMs >= 0 };
    await new Promise((resolve) => setTimeout(resolve, clockTickMs));
  }
}
