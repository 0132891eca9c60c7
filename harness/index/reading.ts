/** Reading the index's binary files, which may be larger than one read may be. */
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, damaged, fileError } from '../errors.js';
import { parseJson } from '../json.js';
import { hasItsDigest } from '../store/digest.js';
import { openPlain, readInto } from '../store/plain-file.js';
import { textIfThere } from '../store/text-file.js';

export { damaged } from '../errors.js';

/** @throws BenchError CACHE_INVALID where the file is missing */
export async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await openPlain(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw damaged(path, 'is missing');
    throw fileError(error, path);
  }
}

/** Bytes, or numbers, of an array: Node 20 makes none that is longer. */
export const longestArray = 2 ** 32 - 1;

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

/**
 * What `withDigest` wrote into a file of JSON, without its digest.
 * @throws BenchError CACHE_INVALID where it is not that
 */
export function asWritten<T extends object>(file: string, text: string): T {
  let found: (T & { digest: string }) | null;
  try {
    found = parseJson(text) as typeof found;
  } catch (cause) {
    throw damaged(file, 'is not JSON', cause);
  }
  if (!hasItsDigest(found)) throw damaged(file, 'is not as it was written');
  const { digest: _, ...stored } = found!;
  return stored as unknown as T;
}
