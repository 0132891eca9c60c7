/**
 * Hashes of files that every run asks for: kept in the cache, by path, for as long as a file stays as it was. Keys of artifacts hold
 * the hashes alone, so that what was found out about a file holds wherever the same bytes lie.
 */
import path from 'node:path';
import { changedWhileRead } from '../errors.js';
import { parseJson } from '../json.js';
import { writeJson } from './atomic.js';
import { hasItsDigest, withDigest } from './digest.js';
import { type FileState, isSameState, settledState } from './file-state.js';
import { keyOf } from './hash.js';
import { hashOnce } from './hash-once.js';
import { textIfThere } from './text-file.js';
import { assertFolderTakes } from './writable.js';

/**
 * The sha256 of a file, read again only where it has been touched.
 * @param root of the cache @param isAnew whether what is kept counts for nothing
 */
export async function keptHash(root: string, file: string, isAnew = false): Promise<string> {
  const absolute = path.resolve(file);
  const kept = path.join(root, 'hashes', `${keyOf(absolute)}.json`);
  const { state, isSettled } = await settledState(absolute);
  const known = isAnew || !isSettled ? undefined : await readKept(kept);
  if (known?.file === absolute && isSameState(known, state)) return known.sha256;
  // A file of a collection may take minutes to hash.
  if (isSettled) await assertFolderTakes(path.dirname(kept));
  const sha256 = await hashOnce(absolute);
  if (isSettled) await writeJson(kept, withDigest<Kept>({ file: absolute, ...state, sha256 }));
  return sha256;
}

type Kept = FileState & { file: string; sha256: string };

/** Undefined where it is absent or damaged: the file is hashed again, which is always right. */
async function readKept(kept: string): Promise<Kept | undefined> {
  const text = await textIfThere(kept);
  try {
    const known = parseJson(text ?? 'null') as Partial<Kept> | null;
    return hasItsDigest(known) ? (known as Kept) : undefined;
  } catch {
    return undefined;
  }
}

/** Hashes that were asked for, so that one can ask whether they hold still. */
export class AskedHashes {
  readonly #asked = new Map<string, string>();

  /** @param root of the cache @param isAnew as `keptHash` has it */
  constructor(
    readonly root: string,
    readonly isAnew: boolean,
  ) {}

  /** The sha256 of a file, known from an earlier run where it has not been touched since. */
  async of(file: string): Promise<string> {
    const sha256 = await keptHash(this.root, file, this.isAnew);
    this.#asked.set(file, sha256);
    return sha256;
  }

  /** Not where a file is gone, or cannot be read any more. */
  areStill(): Promise<boolean> {
    return this.#changed().then(
      (file) => file === undefined,
      () => false,
    );
  }

  /**
   * For work on the files: what comes of it is known by the hashes that were asked for before.
   * @throws BenchError DATA_INVALID where one of the files is another behind it, or gone
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const result = await work();
    const file = await this.#changed();
    if (file !== undefined) throw changedWhileRead(file);
    return result;
  }

  async #changed(): Promise<string | undefined> {
    const asked = [...this.#asked];
    const now = await Promise.all(asked.map(([file]) => keptHash(this.root, file).catch(unlessGone)));
    return asked.find(([, sha256], i) => now[i] !== sha256)?.[0];
  }
}

function unlessGone(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
