/**
 * The cache on disk. Every stage leaves an artifact: a folder named by its kind and by the hash of what it was made
 * from. It is finished once its manifest is there, which is written last; before that it can be resumed.
 */
import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Code } from '../program/code.js';
import { describeProgram } from '../program/git.js';
import { makeFolder, removePartials, writeJson } from './atomic.js';
import { keyOf } from './hash.js';
import { removeLeftLock, withLock } from './lock.js';
import {
  type About,
  type ArtifactKind,
  type ArtifactName,
  type Making,
  type Manifest,
  manifestFile,
  noteUse,
  readManifest,
} from './manifest.js';
import { announce } from './running.js';
import {
  addOwner,
  giveBack,
  isOwned,
  isTemporary,
  markKept,
  markTemporary,
  refuseLeased,
  removeRemains,
  undisturbed,
  writeLease,
} from './temporary.js';

export interface Artifact<Facts> {
  folder: string;
  key: string;
  facts: Facts;
  /** True where it was found finished, false where this process made it. */
  cached: boolean;
  /** Which code it came of: a part of its key. */
  code?: Code;
  made?: Making;
}

export interface UsedArtifact extends Artifact<unknown> {
  kind: ArtifactKind;
}

/** What an artifact is made from; the same inputs have the same key. */
export interface Inputs {
  readonly [name: string]: unknown;
  /** Which code makes it. */
  readonly code?: Code;
}

export type { ArtifactKind, Making } from './manifest.js';

/** @param dataset as the command line says it; its variants share a folder, `squad` or `beir` */
export function downloadsOf(root: string, dataset: string): string {
  return path.join(path.resolve(root), 'downloads', dataset.split('/')[0]!);
}

/** Folders of artifacts that were made anew. */
export type Remade = Set<string>;

export class Store {
  /** Absolute path of the cache. */
  readonly root: string;
  readonly #temporary: ReadonlySet<ArtifactKind>;
  readonly #remade: Remade | undefined;
  readonly #holder = randomBytes(4).toString('hex');
  /** Every artifact asked for, in the order in which it was ready. */
  readonly used: UsedArtifact[] = [];
  /** Artifacts that this store holds a lease of, by folder. */
  readonly #leased = new Map<string, { kind: ArtifactKind; key: string }>();

  /**
   * @param temporary kinds of which what this store makes is to go again, see `release`
   * @param owner names the work it is made for, the same at every attempt
   * @param remade where given, what is in the cache already is made anew, each artifact once: those that were, for all
   *   stores of a command
   */
  constructor(
    root: string,
    temporary: readonly ArtifactKind[] = [],
    readonly owner = 'nobody in particular',
    remade?: Remade,
  ) {
    this.root = path.resolve(root);
    this.#temporary = new Set(temporary);
    this.#remade = remade;
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
    inputs: Inputs,
    make: (folder: string, key: string) => Promise<Facts>,
    about: About = {},
  ): Promise<Artifact<Facts>> {
    await announce(this.root);
    // Before anything is made: the checkout may be another by the time that it is.
    await describeProgram();
    const artifact = await this.#artifact(kind, inputs, make, about);
    this.used.push({ kind, ...artifact });
    return artifact;
  }

  async #artifact<Facts>(
    kind: ArtifactKind,
    inputs: Inputs,
    make: (folder: string, key: string) => Promise<Facts>,
    about: About,
  ): Promise<Artifact<Facts>> {
    const key = keyOf(inputs);
    const folder = this.folderOf(kind, key);
    const { code } = inputs;
    const taken = ({ facts, execution: made }: Manifest<Facts>): Artifact<Facts> => ({
      folder,
      key,
      facts,
      cached: true,
      ...(code && { code }),
      ...(made && { made }),
    });
    const isAnew = this.#remade !== undefined && !this.#remade.has(folder);
    const found = isAnew ? undefined : await this.#find<Facts>(kind, key);
    if (found !== undefined) {
      // Of a process that was killed as it let go of the lock, or while it searched an index by way of a copy.
      await removeLeftLock(path.join(folder, 'lock'));
      await removePartials(folder, true);
      await noteUse(folder);
      return taken(found);
    }
    await makeFolder(folder);
    return withLock(path.join(folder, 'lock'), async () => {
      if (isAnew) await this.#empty(folder);
      const finishedMeanwhile = await this.#find<Facts>(kind, key);
      if (finishedMeanwhile !== undefined) return taken(finishedMeanwhile);
      await removePartials(folder, true);
      if (this.#temporary.has(kind)) {
        this.#leased.set(folder, { kind, key });
        await markTemporary(folder, this.#holder, this.owner);
      } else await markKept(folder);
      const before = this.used.length;
      const facts = await make(folder, key);
      const uses = this.used.slice(before).map((used): ArtifactName => ({ kind: used.kind, key: used.key }));
      const made = { madeAt: new Date().toISOString(), ...(await describeProgram()), uses, about };
      const manifest: Manifest<Facts> = { inputs, facts, execution: made };
      await writeJson(path.join(folder, manifestFile), manifest);
      return { ...taken(manifest), cached: false };
    });
  }

  /** What an earlier command left is as if it were not there. */
  async #empty(folder: string): Promise<void> {
    await refuseLeased(folder);
    // First: what is half gone must not look finished.
    await rm(path.join(folder, manifestFile), { force: true });
    for (const name of await readdir(folder))
      if (name !== 'lock') await rm(path.join(folder, name), { recursive: true, force: true });
    this.#remade?.add(folder);
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

/** Bytes of a file, or of all files below a folder. */
export async function bytesOnDisk(target: string): Promise<number> {
  const found = await stat(target);
  if (!found.isDirectory()) return found.size;
  let sum = 0;
  for (const name of await readdir(target)) sum += await bytesOnDisk(path.join(target, name));
  return sum;
}
