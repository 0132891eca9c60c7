/** Zip and tar files, entry by entry: one entry is whole on the disk before the next is looked at. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { crc32, createGunzip } from 'node:zlib';
import type { ReadEntry } from 'tar';
import { assertGoesOn } from '../interruption.js';
import type { ArchiveEntries } from './archive-entries.js';

const kindBits = 0o170000;
const fileKinds = [0, 0o100000, 0o040000];

/** @throws Error of the library, or with what is wrong */
export async function unzip(archive: string, entries: ArchiveEntries): Promise<void> {
  const { openPromise } = await import('yauzl');
  // Names are checked by the entries, which know to say which archive they are from.
  const zip = await openPromise(archive, { decodeStrings: true, lazyEntries: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      assertGoesOn();
      const { fileName, uncompressedSize } = entry;
      const kind = (entry.externalFileAttributes >>> 16) & kindBits;
      if (!fileKinds.includes(kind)) entries.refuseKind(fileName, `mode ${kind.toString(8)}`);
      if (fileName.endsWith('/')) await entries.folder(fileName);
      else
        await entries.file(fileName, uncompressedSize, async () =>
          checked(await zip.openReadStreamPromise(entry), entry.crc32, fileName),
        );
    }
  } finally {
    zip.close();
  }
}

/** The bytes of an entry, whose checksum the library leaves to us. */
async function* checked(
  bytes: AsyncIterable<unknown>,
  expected: number,
  name: string,
): AsyncGenerator<Uint8Array> {
  let found = 0;
  for await (const chunk of bytes) {
    found = crc32(chunk as Uint8Array, found);
    yield chunk as Uint8Array;
  }
  if (found >>> 0 !== expected >>> 0) throw new Error(`the checksum of ${JSON.stringify(name)} is wrong`);
}

const tarKinds = ['File', 'OldFile', 'ContiguousFile', 'Directory', 'GNUDumpDir'];

/** @param isGzip whether the tar file is packed @throws Error of the library, or with what is wrong */
export async function untar(archive: string, isGzip: boolean, entries: ArchiveEntries): Promise<void> {
  const { Parser } = await import('tar');
  let failure: unknown;
  let reading: ReadEntry | undefined;
  let isOver = false;
  let goOn: () => void = () => undefined;
  let work = Promise.resolve();
  const fail = (error: unknown) => {
    failure ??= error;
    // Whoever waits for more of an entry, or for room in the parser, waits no longer.
    reading?.destroy(failure);
    goOn();
  };
  const take = async (entry: ReadEntry) => {
    if (failure !== undefined) return;
    const { path: name, type, size } = entry;
    if (!tarKinds.includes(type)) entries.refuseKind(name, type);
    entry.on('error', () => undefined);
    reading = entry;
    if (type === 'Directory' || type === 'GNUDumpDir') {
      entry.resume();
      await entries.folder(name);
    } else await entries.file(name, size, () => entry as AsyncIterable<Uint8Array>);
    reading = undefined;
  };
  const parser = new Parser({
    // A damaged header is an error and not a warning.
    strict: true,
    onReadEntry: (entry) => {
      work = work.then(() => take(entry)).catch(fail);
    },
  });
  parser.on('error', fail);
  // What follows the end would be kept, and is nothing.
  parser.on('eof', () => {
    isOver = true;
  });
  const file = createReadStream(archive, { highWaterMark: 1 << 18 });
  const source = isGzip ? pipeline(file, createGunzip({ chunkSize: 1 << 18 }), () => undefined) : file;
  try {
    for await (const chunk of source) {
      assertGoesOn();
      const hasRoom = parser.write(chunk as Buffer);
      if (!hasRoom && failure === undefined) {
        await new Promise<void>((resolve) => {
          goOn = resolve;
          parser.once('drain', resolve);
        });
      }
      if (failure !== undefined || isOver) break;
    }
    if (failure === undefined) parser.end();
  } catch (error) {
    fail(error);
  }
  await work;
  if (failure !== undefined) throw failure;
}
