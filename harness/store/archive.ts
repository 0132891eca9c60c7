/** Archives unpacked beside themselves: whole or not at all, and nothing outside their folder. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BenchError, fileError } from '../errors.js';
import { withLock } from './lock.js';
import { wholeFolder } from './whole-folder.js';

/**
 * Unpacks a zip or a (gzipped) tar file, which is told by its first bytes; a folder that is there already is taken as it
 * is. Processes that want the same folder wait for each other, and it bears its name only once it is complete.
 * @param folder where to, `ARCHIVE.unpacked` where nothing is said
 * @returns the folder
 * @throws BenchError DATA_INVALID for a damaged archive, and for one with an entry that would lie outside the folder or is
 *   neither a file nor a folder; DISK_FULL; NOT_WRITABLE
 */
export async function unpack(archive: string, folder = `${archive}.unpacked`): Promise<string> {
  if (await isFolder(folder)) return folder;
  return withLock(`${folder}.lock`, async () => {
    if (await isFolder(folder)) return folder;
    try {
      await wholeFolder(folder, async (temporary) => {
        if (await isZip(archive)) await unzip(archive, temporary);
        else await untar(archive, temporary);
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

async function isZip(archive: string): Promise<boolean> {
  const handle = await open(archive, 'r');
  try {
    const magic = Buffer.alloc(4);
    await handle.read(magic, 0, 4, 0);
    return magic.toString('latin1') === 'PK\x03\x04' || magic.toString('latin1') === 'PK\x05\x06';
  } finally {
    await handle.close();
  }
}

/** Where an entry goes. @throws BenchError DATA_INVALID where that is not inside the folder */
function placeOf(name: string, folder: string, archive: string): string {
  const place = path.resolve(folder, name);
  const inside = place === folder || place.startsWith(folder + path.sep);
  if (inside && !name.includes('\\') && !name.includes('\0') && !path.posix.isAbsolute(name)) return place;
  throw new BenchError(
    'DATA_INVALID',
    `${archive} holds an entry that would lie outside its folder: ${JSON.stringify(name)}.`,
    {
      hint: 'No archive of a dataset does that. Nothing was unpacked; delete the archive, and ask where it came from.',
    },
  );
}

function refuseKind(name: string, kind: string, archive: string): never {
  throw new BenchError(
    'DATA_INVALID',
    `${archive} holds ${JSON.stringify(name)}, which is neither a file nor a folder (${kind}).`,
    {
      hint: 'Nothing was unpacked. Unpack it by hand if you trust it, and give the folder with --data.',
    },
  );
}

const kindBits = 0o170000;
const fileKinds = [0, 0o100000, 0o040000];

async function unzip(archive: string, folder: string): Promise<void> {
  const { openPromise } = await import('yauzl');
  // Names are checked by placeOf, which knows to say which archive they are from.
  const zip = await openPromise(archive, { decodeStrings: true, lazyEntries: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      const place = placeOf(entry.fileName, folder, archive);
      const kind = (entry.externalFileAttributes >>> 16) & kindBits;
      if (!fileKinds.includes(kind)) refuseKind(entry.fileName, `mode ${kind.toString(8)}`, archive);
      if (entry.fileName.endsWith('/')) {
        await mkdir(place, { recursive: true });
        continue;
      }
      await mkdir(path.dirname(place), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(place, { flags: 'wx' }));
    }
  } finally {
    zip.close();
  }
}

async function untar(archive: string, folder: string): Promise<void> {
  const tar = await import('tar');
  let refusal: unknown;
  await tar.extract({
    file: archive,
    cwd: folder,
    // A damaged header is an error and not a warning.
    strict: true,
    filter(name, entry) {
      try {
        if (refusal !== undefined) return false;
        placeOf(name, folder, archive);
        const kind = 'type' in entry ? entry.type : 'unknown';
        if (!['File', 'OldFile', 'ContiguousFile', 'Directory', 'GNUDumpDir'].includes(kind))
          refuseKind(name, kind, archive);
        return true;
      } catch (error) {
        refusal = error;
        return false;
      }
    },
  });
  if (refusal !== undefined) throw refusal;
}

function asBenchError(error: unknown, archive: string, folder: string): unknown {
  if (error instanceof BenchError) return error;
  const known = fileError(error, folder);
  if (known instanceof BenchError) return known;
  const { message, code } = error as NodeJS.ErrnoException;
  // yauzl refuses such names itself, before they come to placeOf.
  const outside = /invalid relative path|absolute path|invalid characters in fileName/.test(message);
  if (code !== undefined && /^E[A-Z]+$/.test(code) && !outside) return error;
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
