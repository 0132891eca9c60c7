/** Reading a file that may not be there. */
import { readFile } from 'node:fs/promises';
import { fileError } from '../errors.js';

/** @returns undefined where there is no such file @throws as `fileError` says where it cannot be read */
export async function textIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(error, file);
  }
}
