/** Archives unpacked beside themselves: whole or not at all, and nothing outside their folder. */
import { stat } from 'node:fs/promises';
import { closing } from '../closing.js';
import { BenchError, fileError } from '../errors.js';
import { ArchiveEntries, type UnpackLimits } from './archive-entries.js';
import { untar, unzip } from './archive-formats.js';
import { withLock } from './lock.js';
import { openPlain } from './plain-file.js';
import { wholeFolder } from './whole-folder.js';

/** Where no setting says otherwise. Text is packed to a third or a tenth, a table of zeros to a thousandth. */
const usualLimits: UnpackLimits = { bytes: 64 * 2 ** 30, ratio: 100 };

/**
 * Unpacks a zip or a (gzipped) tar file, which is told by its first bytes; a folder that is there already is taken as it
 * is. Processes that want the same folder wait for each other, and it bears its name only once it is complete.
 * @param limits on what comes out; null where the archive is known, by its hash, to be the one that its publisher means
 * @returns the folder, `ARCHIVE.unpacked`
 * @throws BenchError DATA_INVALID for a damaged archive, one with an entry that would lie outside the folder or is neither a
 *   file nor a folder, one that has a name twice, and one of which too much comes out; DISK_FULL; NOT_WRITABLE; INTERRUPTED
 */
export async function unpack(archive: string, limits: UnpackLimits | null = usualLimits): Promise<string> {
  const folder = `${archive}.unpacked`;
  if (await isFolder(folder)) return folder;
  return withLock(`${folder}.lock`, async () => {
    if (await isFolder(folder)) return folder;
    try {
      await wholeFolder(folder, async (temporary) => {
        const { size } = await stat(archive);
        const entries = new ArchiveEntries(archive, size, temporary, limits ?? undefined);
        const magic = await magicOf(archive);
        if (magic === 'PK\x03\x04' || magic === 'PK\x05\x06') await unzip(archive, entries);
        else await untar(archive, magic.startsWith('\x1f\x8b'), entries);
      });
    } catch (error) {
      throw asBenchError(error, archive, folder);
    }
    return folder;
  });
}

async function isFolder(folder: string): Promise<boolean> {
  return (await stat(folder).catch(() => undefined))?.isDirectory() ?? false;
}

async function magicOf(archive: string): Promise<string> {
  return closing(await openPlain(archive), async (handle) => {
    const magic = Buffer.alloc(4);
    await handle.read(magic, 0, 4, 0);
    return magic.toString('latin1');
  });
}

/** What the file system says of names that no file can have, or that stand for two things. */
const ofNames = ['EEXIST', 'EILSEQ', 'EINVAL', 'EISDIR', 'ENAMETOOLONG', 'ENOTDIR', 'ENOTEMPTY'];

function asBenchError(error: unknown, archive: string, folder: string): unknown {
  if (error instanceof BenchError) return error;
  const known = fileError(error, folder);
  if (known instanceof BenchError) return known;
  const { message, code } = error as NodeJS.ErrnoException;
  // yauzl refuses such names itself, before they come to placeOf.
  const outside = /invalid relative path|absolute path|invalid characters in fileName/.test(message);
  const isName = code !== undefined && ofNames.includes(code);
  if (code !== undefined && /^E[A-Z]+$/.test(code) && !outside && !isName) return error;
  return new BenchError(
    'DATA_INVALID',
    outside
      ? `${archive} holds an entry that would lie outside its folder: ${message}.`
      : `${archive} is no zip or tar file that can be unpacked: ${message}.`,
    {
      hint: outside
        ? 'No archive of a dataset does that. Nothing was unpacked; delete the archive, and ask where it came from.'
        : 'Was it cut short? Delete it and start again to have it fetched.',
      cause: error,
    },
  );
}
