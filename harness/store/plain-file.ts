/** Files that a person names: only what is a file is read. A pipe or a device may never end, or never begin. */
import { constants as limits } from 'node:buffer';
import { constants, type Stats, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { closing } from '../closing.js';
import { BenchError } from '../errors.js';

/** Opening a pipe waits for its writer without this; for a file it means nothing. Windows does not have it. */
const withoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file to be read.
 * @throws BenchError PATH_INVALID for a pipe, a device or a folder; the file system's own error where it cannot be opened
 */
export async function openPlain(file: string): Promise<FileHandle> {
  const handle = await open(file, withoutWaiting);
  try {
    if ((await handle.stat()).isFile()) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  throw noFile(file);
}

/** Node refuses to read more than 2 GiB at once. */
const largestReadBytes = 1 << 30;

/** Fills `into` with the bytes from `position` on. @returns how many there were; fewer than were asked for where the file ends before */
export async function readInto(handle: FileHandle, into: Uint8Array, position: number): Promise<number> {
  for (let done = 0; done < into.length; ) {
    const wanted = Math.min(into.length - done, largestReadBytes);
    const { bytesRead } = await handle.read(into, done, wanted, position + done);
    if (bytesRead === 0) return done;
    done += bytesRead;
  }
  return into.length;
}

/** The bytes of a file, as `openPlain` opens it. */
export async function readPlain(file: string): Promise<Buffer> {
  return closing(await openPlain(file), (handle) => handle.readFile());
}

/** The text of a file, as `openPlain` opens it. @throws also BenchError PATH_INVALID where no text can be that long */
export async function readPlainText(file: string): Promise<string> {
  return closing(await openPlain(file), async (handle) => {
    const { size } = await handle.stat();
    if (size <= limits.MAX_STRING_LENGTH) return await handle.readFile('utf8');
    throw new BenchError('PATH_INVALID', `${file} is too large: ${size} bytes.`, {
      hint: `What is read at once has ${limits.MAX_STRING_LENGTH} bytes at most. Is it the right file?`,
    });
  });
}

/**
 * The same refusal before a file is read at once, or put in the place of what is there: a device would be gone.
 * @throws BenchError PATH_INVALID where something else is there
 */
export function assertPlain(file: string): void {
  let found: Stats | undefined;
  try {
    found = statSync(file, { throwIfNoEntry: false });
  } catch {
    // Whoever reads or writes it says why.
    return;
  }
  if (found !== undefined && !found.isFile()) throw noFile(file);
}

function noFile(file: string): BenchError {
  return new BenchError('PATH_INVALID', `${file} is not a file.`, {
    hint: 'Folders, pipes and devices are neither read nor written: put what comes through a pipe into a file first.',
  });
}
