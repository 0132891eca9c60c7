/** Reading the index's binary files, which may be larger than one read may be. */
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, fileError } from '../errors.js';
import { parseJson } from '../json.js';
import { openPlain, readInto } from '../store/plain-file.js';
import { textIfThere } from '../store/text-file.js';

/** @throws BenchError CACHE_INVALID where the file is missing */
export async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await openPlain(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw damaged(path, 'is missing');
    throw fileError(error, path);
  }
}

export const indexFactsPath = (folder: string): string => path.join(folder, 'index.json');

/**
 * What the file that ends an index says of it: it is written when everything else is there.
 * @throws BenchError PATH_INVALID where it is not there, so that the folder holds no finished index; CACHE_INVALID where it is not JSON
 */
export async function readIndexJson(folder: string): Promise<unknown> {
  const file = indexFactsPath(folder);
  const text = await textIfThere(file);
  if (text === undefined) {
    throw new BenchError(
      'PATH_INVALID',
      `${folder} holds no finished index: there is no ${path.basename(file)}.`,
      {
        hint: 'bench encode makes an index; after an interruption the same command goes on from where it was.',
      },
    );
  }
  try {
    return parseJson(text);
  } catch (cause) {
    throw damaged(file, 'is not JSON', cause);
  }
}

/** Fills `into` with the bytes from `position` on. */
export async function readFully(
  path: string,
  handle: FileHandle,
  into: Uint8Array,
  position: number,
): Promise<void> {
  if ((await readInto(handle, into, position)) < into.length)
    throw damaged(path, `ends before byte ${position + into.length}`);
}

/** The error for a file of an index that does not hold what it should. */
export function damaged(path: string, what: string, cause?: unknown): BenchError {
  return new BenchError('CACHE_INVALID', `${path} ${what}.`, {
    hint: 'Delete the folder it lies in; the next run makes it again.',
    cause,
  });
}
