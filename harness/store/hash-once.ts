/** Hashes of large files that are asked for more than once in a process. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { DataFile } from '../contracts.js';
import { type FileState, isSameState, settledState } from './file-state.js';
import { hashFile } from './hash.js';

/** By path: what a file held when it was last hashed by this process. */
const hashed = new Map<string, { state: FileState; sha256: string }>();

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

/** A file as a run record names it. @param hash finds its sha256 */
export async function describeFile(
  file: string,
  hash: (file: string) => Promise<string> = hashOnce,
): Promise<DataFile> {
  const sha256 = await hash(file);
  return { name: path.basename(file), sizeBytes: (await stat(file)).size, sha256 };
}
