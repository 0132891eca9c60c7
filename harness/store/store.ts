/**
 * The cache on disk. Every stage leaves an artifact: a folder named by its kind and by the hash of what it was made
 * from. It is finished once its manifest is there, which is written last; before that it can be resumed.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, fileError } from '../errors.js';
import { makeFolder, removePartials, writeJson } from './atomic.js';
import { keyOf } from './hash.js';
import { removeLeftLock, withLock } from './lock.js';
import {
  addOwner,
  giveBack,
  isOwned,
  isTemporary,
  markKept,
  markTemporary,
  removeRemains,
  undisturbed,
  writeLease,
} from './temporary.js';

export type ArtifactKind =
  | 'checkpoints'
  | 'shards'
  | 'indexes'
  | 'findings'
  | 'runs'
  | 'models'
  | 'negatives';

/** What a finished artifact says of itself. */
export interface Manifest<Facts = unknown> {
  /** What the key was made from, in full. */
  inputs: unknown;
  /** What the stage found out: counts, scores, durations. */
  facts: Facts;
}

export interface Artifact<Facts> {
  folder: string;
  key: string;
  facts: Facts;
  /** True where it was found finished, false where this process made it. */
  cached: boolean;
}

/** @param dataset as the command line says it; its variants share a folder, `squad` or `beir` */
export function downloadsOf(root: string, dataset: string): string {
  return path.join(path.resolve(root), 'downloads', dataset.split('/')[0]!);
}

export class Store {
  /** Absolute path of the cache. */
  readonly root: string;
  readonly #temporary: ReadonlySet<ArtifactKind>;
  readonly #holder = randomBytes(4).toString('hex');
  /** Artifacts that this store holds a lease of, by folder. */
  readonly #leased = new Map<string, { kind: ArtifactKind; key: string }>();

  /**
   * @param temporary kinds of which what this store makes is to go again, see `release`
   * @param owner names the work it is made for, the same at every attempt
   */
  constructor(
    root: string,
    temporary: readonly ArtifactKind[] = [],
    readonly owner = 'nobody in particular',
  ) {
    this.root = path.resolve(root);
    this.#temporary = new Set(temporary);
  }

  /** Where the downloads of a dataset lie, shared by all runs and variants; names of different datasets cannot clash. */
  downloadsOf(dataset: string): string {
    return downloadsOf(this.root, dataset);
  }

  folderOf(kind: ArtifactKind, key: string): string {
    return path.join(this.root, kind, key);
  }

  /**
   * The artifact made from `inputs`: taken from the cache where it is finished, else made (or gone on with) by `make`.
   * @param make gets the folder, which may hold what an earlier, killed attempt left; returns the facts
   */
  async artifact<Facts>(
    kind: ArtifactKind,
    inputs: unknown,
    make: (folder: string, key: string) => Promise<Facts>,
  ): Promise<Artifact<Facts>> {
    const key = keyOf(inputs);
    const folder = this.folderOf(kind, key);
    const found = await this.#find<Facts>(kind, key);
    if (found !== undefined) {
      // Of a process that was killed as it let go of the lock, or while it searched an index by way of a copy.
      await removeLeftLock(path.join(folder, 'lock'));
      await removePartials(folder, true);
      return { folder, key, facts: found.facts, cached: true };
    }
    await makeFolder(folder);
    return withLock(path.join(folder, 'lock'), async () => {
      const finishedMeanwhile = await this.#find<Facts>(kind, key);
      if (finishedMeanwhile !== undefined)
        return { folder, key, facts: finishedMeanwhile.facts, cached: true };
      await removePartials(folder, true);
      if (this.#temporary.has(kind)) {
        this.#leased.set(folder, { kind, key });
        await markTemporary(folder, this.#holder, this.owner);
      } else await markKept(folder);
      const facts = await make(folder, key);
      await writeJson(path.join(folder, 'manifest.json'), { inputs, facts } satisfies Manifest<Facts>);
      return { folder, key, facts, cached: false };
    });
  }

  /** A finished artifact; one that is to go again is held, or claimed for good where this store keeps its kind. */
  async #find<Facts>(kind: ArtifactKind, key: string): Promise<Manifest<Facts> | undefined> {
    const folder = this.folderOf(kind, key);
    const found = await readManifest<Facts>(folder);
    if (found === undefined || !(await isTemporary(folder))) return found;
    return undisturbed(folder, async () => {
      const still = await readManifest<Facts>(folder);
      if (still === undefined) return undefined;
      if (this.#temporary.has(kind)) {
        await addOwner(folder, this.owner);
        await this.#hold(kind, key);
      } else await markKept(folder);
      return still;
    });
  }

  #hold(kind: ArtifactKind, key: string): Promise<void> {
    const folder = this.folderOf(kind, key);
    this.#leased.set(folder, { kind, key });
    return writeLease(folder, this.#holder);
  }

  /**
   * Holds what killed attempts at the same work left and this one had no need to ask for, and removes what they were about
   * to remove.
   */
  async holdLeft(): Promise<void> {
    for (const kind of this.#temporary) {
      await removeRemains(path.join(this.root, kind));
      const names = await readdir(path.join(this.root, kind)).catch(() => []);
      for (const key of names.filter((name) => /^[0-9a-f]+$/.test(name))) {
        const folder = this.folderOf(kind, key);
        if (this.#leased.has(folder) || !(await isOwned(folder, this.owner))) continue;
        await undisturbed(folder, async () => {
          if (await isOwned(folder, this.owner)) await this.#hold(kind, key);
        });
      }
    }
  }

  /** Folders of the temporary artifacts that this store holds. */
  get temporaryFolders(): string[] {
    return [...this.#leased.keys()];
  }

  /**
   * Is done with temporary artifacts: each that nobody else uses is removed. Those that were there before any store
   * marked them stay.
   * @param which `kept` stays for good, `held` stays and is asked about again, `left` stays for the next attempt
   * @returns bytes removed
   */
  async release(
    which: (kind: ArtifactKind, key: string) => 'removed' | 'kept' | 'held' | 'left',
  ): Promise<number> {
    let removedBytes = 0;
    const kinds = new Set<ArtifactKind>();
    for (const [folder, { kind, key }] of [...this.#leased]) {
      const verdict = which(kind, key);
      if (verdict === 'held') continue;
      this.#leased.delete(folder);
      kinds.add(kind);
      if (verdict === 'kept') await markKept(folder);
      const bytes = await bytesOnDisk(folder).catch(() => 0);
      if (await giveBack(folder, this.#holder, verdict === 'removed')) removedBytes += bytes;
    }
    for (const kind of kinds) await removeRemains(path.join(this.root, kind));
    return removedBytes;
  }
}

/** The manifest of a finished artifact; undefined where there is none yet. */
export async function readManifest<Facts>(folder: string): Promise<Manifest<Facts> | undefined> {
  const file = path.join(folder, 'manifest.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(error, file);
  }
  try {
    return JSON.parse(text) as Manifest<Facts>;
  } catch (cause) {
    throw new BenchError('CACHE_INVALID', `${file} is not JSON.`, {
      hint: `Delete ${folder}; the next run makes it again.`,
      cause,
    });
  }
}

/** Bytes of a file, or of all files below a folder. */
export async function bytesOnDisk(target: string): Promise<number> {
  const found = await stat(target);
  if (!found.isDirectory()) return found.size;
  let sum = 0;
  for (const name of await readdir(target)) sum += await bytesOnDisk(path.join(target, name));
  return sum;
}
