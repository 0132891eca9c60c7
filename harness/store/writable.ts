/** Whether something can be written where it is to lie: better known before the work than behind it. */
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, fileError } from '../errors.js';
import { discard, temporaryName } from './atomic.js';
import { inTheWay } from './make-folder.js';
import { assertPlain } from './plain-file.js';

/** A file system that is full takes names, and no bytes. */
const triedBytes = 4096;

/**
 * Writes a little into a folder, or where it would be made, and takes it away again; makes no folder.
 * @throws BenchError PATH_INVALID where a file is in its way, NOT_WRITABLE, DISK_FULL
 */
export async function assertFolderTakes(folder: string): Promise<void> {
  const file = temporaryName(path.join(await nearest(path.resolve(folder), folder), 'tried'));
  try {
    const handle = await open(file, 'wx');
    try {
      await handle.write(Buffer.alloc(triedBytes));
    } finally {
      await handle.close();
    }
  } catch (error) {
    // What a file system says that takes no new files, as /proc does.
    const isReadOnly = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw fileError(isReadOnly ? Object.assign(error as Error, { code: 'EROFS' }) : error, folder);
  } finally {
    await discard(file);
  }
}

/** The same of a file that is to be written under its name. @throws also BenchError PATH_INVALID where a folder, a pipe or a device has it */
export async function assertFileTakes(file: string): Promise<void> {
  const target = path.resolve(file);
  if ((await stat(target).catch(() => undefined))?.isDirectory()) {
    throw new BenchError('PATH_INVALID', `${file} cannot be written: a folder has that name.`, {
      hint: 'Name a file, not a folder.',
    });
  }
  assertPlain(target);
  await assertFolderTakes(path.dirname(target));
}

/**
 * The same of a cache. One that is there and may only be read serves for what it holds.
 * @returns `nothing` where it may only be read
 */
export async function assertCacheTakes(root: string): Promise<'all' | 'nothing'> {
  try {
    await assertFolderTakes(root);
    return 'all';
  } catch (error) {
    const isThere = (await stat(root).catch(() => undefined))?.isDirectory() === true;
    if (!(isThere && error instanceof BenchError && error.code === 'NOT_WRITABLE')) throw error;
    return 'nothing';
  }
}

/** The folder itself, or the first above it that is there. */
async function nearest(place: string, folder: string): Promise<string> {
  try {
    if ((await stat(place)).isDirectory()) return place;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if ((code === 'ENOENT' || code === 'ENOTDIR') && path.dirname(place) !== place)
      return nearest(path.dirname(place), folder);
    throw fileError(error, folder);
  }
  throw inTheWay(folder);
}
