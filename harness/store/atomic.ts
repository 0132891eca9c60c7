/** Files that are either whole or not there: written under a temporary name, flushed to disk, renamed. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, fileError } from '../errors.js';
import { assertPlain } from './plain-file.js';

const mark = '.partial-';
/** Node refuses to write more than 2 GiB at once. */
const largestWriteBytes = 1 << 30;

/**
 * Makes a folder and those above it.
 * @throws BenchError NOT_WRITABLE, DISK_FULL; PATH_INVALID where a file is in its way
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new BenchError('PATH_INVALID', `${folder} cannot be made: a file is in its way.`, {
        hint: 'Move that file, or choose another folder: --cache DIR, --out DIR.',
        cause: error,
      });
    }
    // What Node 20 says of a read-only file system when it makes several folders at once.
    const readOnly = code === 'ENOENT';
    throw fileError(readOnly ? Object.assign(error as Error, { code: 'EROFS' }) : error, folder);
  }
}

/** A name beside `target` for what is not whole yet; what is left there by a killed process `removePartials` removes. */
export function temporaryName(target: string): string {
  return `${target}${mark}${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** Puts a file that a library wrote under a temporary name in its place, flushed to disk. */
export async function putInPlace(temporary: string, target: string): Promise<void> {
  try {
    const handle = await open(temporary, 'r+');
    await handle.sync();
    await handle.close();
    await putUnderName(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(error, target);
  }
}

async function putUnderName(temporary: string, target: string): Promise<void> {
  await rename(temporary, target);
  await syncFolder(path.dirname(target));
}

/** A file being written; nothing is seen under its name before `commit`. */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  #position = 0;

  private constructor(target: string, temporary: string, handle: FileHandle) {
    this.path = target;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  static async create(target: string): Promise<AtomicFile> {
    assertPlain(target);
    const temporary = temporaryName(target);
    try {
      await makeFolder(path.dirname(target));
      return new AtomicFile(target, temporary, await open(temporary, 'w'));
    } catch (error) {
      throw fileError(error, target);
    }
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#position;
  }

  /** Appends, or with `position` overwrites earlier bytes (a header whose counts are known at the end). */
  async write(data: Uint8Array | string, position?: number): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    let from = position ?? this.#position;
    try {
      for (let done = 0; done < bytes.byteLength; ) {
        const length = Math.min(bytes.byteLength - done, largestWriteBytes);
        const { bytesWritten } = await this.#handle.write(bytes, done, length, from);
        done += bytesWritten;
        from += bytesWritten;
      }
    } catch (error) {
      await this.abort();
      throw fileError(error, this.path);
    }
    if (position === undefined) this.#position = from;
  }

  /** Flushes to disk and puts the file under its name. */
  async commit(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await putUnderName(this.#temporary, this.path);
    } catch (error) {
      await rm(this.#temporary, { force: true });
      throw fileError(error, this.path);
    }
  }

  /** Gives up: nothing remains. */
  async abort(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.#temporary, { force: true }).catch(() => undefined);
  }
}

/** Writes a whole file at once. */
export async function writeAtomic(target: string, data: Uint8Array | string): Promise<void> {
  const file = await AtomicFile.create(target);
  await file.write(data);
  await file.commit();
}

/** Writes JSON, indented, with a newline at the end. */
export async function writeJson(target: string, value: unknown): Promise<void> {
  await writeAtomic(target, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Removes what a killed process left half-written in a folder; a file of a process that still runs is left alone.
 * @param below whether in the folders below it too
 */
export function removePartials(folder: string, below = false): Promise<void> {
  return removeMarked(folder, below, () => true);
}

/** The same of one file alone, which lies among files that are none of ours. */
export function removePartialsOf(target: string): Promise<void> {
  const prefix = `${path.basename(target)}${mark}`;
  return removeMarked(path.dirname(target), false, (name) => name.startsWith(prefix));
}

async function removeMarked(
  folder: string,
  below: boolean,
  chosen: (name: string) => boolean,
): Promise<void> {
  for (const name of await readdir(folder, { recursive: below }).catch(() => [])) {
    const at = name.lastIndexOf(mark);
    if (at < 0 || !chosen(name)) continue;
    const pid = Number.parseInt(name.slice(at + mark.length), 10);
    if (pid === process.pid || !isRunning(pid)) await rm(path.join(folder, name), { force: true });
  }
}

/** Whether a process of this number runs on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; there the rename alone has to do.
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
