/** Reading a file that may not be there. */
import { fileError } from '../errors.js';
import { readPlainText } from './plain-file.js';

/** @returns undefined where there is no such file @throws as `fileError` says where it cannot be read */
export async function textIfThere(file: string): Promise<string | undefined> {
  try {
    return await readPlainText(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw fileError(error, file);
  }
}
