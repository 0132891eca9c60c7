/** Making folders, and saying why where that cannot be. */
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, fileError } from '../errors.js';
import { placesOffered } from '../offered.js';

/** Not by Node's `recursive`, which asks for ever where a file system takes no new folders and says that the folder above is not there. */
async function makeEach(folder: string): Promise<void> {
  const make = () =>
    mkdir(folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error;
    });
  try {
    await make();
  } catch (error) {
    const above = path.dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error;
    await makeEach(above);
    await make();
  }
}

/**
 * Makes a folder and those above it.
 * @throws BenchError NOT_WRITABLE, DISK_FULL; PATH_INVALID where a file is in its way
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeEach(path.resolve(folder));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw inTheWay(folder, error);
    }
    // What a file system says that takes no new folders, as /proc does.
    const readOnly = code === 'ENOENT';
    throw fileError(readOnly ? Object.assign(error as Error, { code: 'EROFS' }) : error, folder);
  }
}

export function inTheWay(folder: string, cause?: unknown): BenchError {
  const options = placesOffered('or');
  return new BenchError('PATH_INVALID', `${folder} cannot be made: a file is in its way.`, {
    hint: `Move that file, or choose another folder${options === '' ? '' : ` with ${options}`}.`,
    cause,
  });
}
