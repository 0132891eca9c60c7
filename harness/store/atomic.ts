/** Files that are either whole or not there: written under a temporary name, flushed to disk, renamed. */
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, fileError } from '../errors.js';
import { jsonText } from '../json.js';
import { assertHeld } from './fence.js';
import { makeFolder } from './make-folder.js';
import { ownerText, partialMark, randomPart } from './owner.js';
import { assertPlain } from './plain-file.js';
import { keepRenewed, letGo } from './renewal.js';

/** Node refuses to write more than 2 GiB at once. */
const largestWriteBytes = 1 << 30;

/**
 * A name beside `target` for what is not whole yet, kept alive until it is put in place or discarded; what is left there by a
 * process that died `removePartials` removes.
 */
export function temporaryName(target: string): string {
  const name = path.resolve(`${target}${partialMark}${ownerText()}-${randomPart()}`);
  keepRenewed(name);
  return name;
}

/** Removes what has a temporary name, a file or a folder. */
export async function discard(temporary: string): Promise<void> {
  letGo(temporary);
  await rm(temporary, { recursive: true, force: true });
}

/**
 * Puts a file that a library wrote under a temporary name in its place, flushed to disk.
 * @throws LostLock, see `assertHeld`
 */
export async function putInPlace(temporary: string, target: string): Promise<void> {
  try {
    const handle = await open(temporary, 'r+');
    await handle.sync();
    await handle.close();
    await putUnderName(temporary, target);
  } catch (error) {
    await discard(temporary);
    throw fileError(error, target);
  }
}

async function putUnderName(temporary: string, target: string): Promise<void> {
  await assertHeld(target);
  await assertThere(temporary, target);
  await rename(temporary, target);
  letGo(temporary);
  await syncFolder(path.dirname(target));
}

/** @throws BenchError LOCKED where another process removed what is not whole yet, as it took this one for dead */
async function assertThere(temporary: string, target: string): Promise<void> {
  const found = await stat(temporary).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (found !== undefined) return;
  throw new BenchError('LOCKED', `What was written for ${target} was removed before it was whole.`, {
    hint: 'Another process took this one for dead, as it had stood still for long. The same command goes on from there; BENCH_LEASE_SECONDS makes leases longer.',
  });
}

/** File systems without links, FAT among them, answer with these. */
const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'];

/** Gives a file its name where nothing has it: the first wins, whoever else tries. @returns whether it has the name now */
async function nameFirst(temporary: string, target: string): Promise<boolean> {
  await assertHeld(target);
  await assertThere(temporary, target);
  try {
    await link(temporary, target);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (!withoutLinks.includes(code)) throw error;
    // The lock alone has to do.
    await rename(temporary, target);
  }
  await syncFolder(path.dirname(target));
  return true;
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

  /** Flushes to disk and puts the file under its name. @throws LostLock, see `assertHeld` */
  async commit(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await putUnderName(this.#temporary, this.path);
    } catch (error) {
      await discard(this.#temporary);
      throw fileError(error, this.path);
    }
  }

  /** The same where nothing has the name yet; else nothing remains. @returns whether this file has the name */
  async commitFirst(): Promise<boolean> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      return await nameFirst(this.#temporary, this.path);
    } catch (error) {
      throw fileError(error, this.path);
    } finally {
      await discard(this.#temporary);
    }
  }

  /** Gives up: nothing remains. */
  async abort(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await discard(this.#temporary).catch(() => undefined);
  }
}

/** Writes a file by `write`, whole or not at all. @returns what `write` gives */
export async function writeWhole<T>(target: string, write: (file: AtomicFile) => Promise<T>): Promise<T> {
  const file = await AtomicFile.create(target);
  try {
    const result = await write(file);
    await file.commit();
    return result;
  } catch (error) {
    await file.abort();
    throw error;
  }
}

/** Writes a whole file at once. @param parts of it, one behind another */
export function writeAtomic(target: string, ...parts: readonly (Uint8Array | string)[]): Promise<void> {
  return writeWhole(target, async (file) => {
    for (const part of parts) await file.write(part);
  });
}

/** Writes JSON, indented, with a newline at the end. */
export async function writeJson(target: string, value: unknown): Promise<void> {
  await writeAtomic(target, jsonText(value));
}

/** The same where there is none yet: the first wins. @returns whether it is this one that is there now */
export async function writeFirstJson(target: string, value: unknown): Promise<boolean> {
  const file = await AtomicFile.create(target);
  await file.write(jsonText(value));
  return file.commitFirst();
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; there the rename alone has to do.
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
