/** Reading the index's binary files, which may be larger than one read may be. */
import { type FileHandle, open } from 'node:fs/promises';
import { BenchError, fileError } from '../errors.js';

/** Node refuses to read more than 2 GiB at once. */
const largestReadBytes = 1 << 30;

/** @throws BenchError CACHE_INVALID where the file is missing */
export async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw damaged(path, 'is missing');
    throw fileError(error, path);
  }
}

/** Fills `into` with the bytes from `position` on. */
export async function readFully(
  path: string,
  handle: FileHandle,
  into: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const length = Math.min(into.length - done, largestReadBytes);
    const { bytesRead } = await handle.read(into, done, length, position + done);
    if (bytesRead === 0) throw damaged(path, `ends before byte ${position + into.length}`);
    done += bytesRead;
  }
}

/** The error for a file of an index that does not hold what it should. */
export function damaged(path: string, what: string, cause?: unknown): BenchError {
  return new BenchError('CACHE_INVALID', `${path} ${what}.`, {
    hint: 'Delete the folder it lies in; the next run makes it again.',
    cause,
  });
}
