/**
 * The cache on disk. Every stage leaves an artifact: a folder named by its kind and by the hash of what it was made
 * from. It is finished once its manifest is there, which is written last; before that it can be resumed.
 */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Code } from '../program/code.js';
import { describeProgram } from '../program/git.js';
import { makeFolder, removePartials, writeJson } from './atomic.js';
import { keyOf } from './hash.js';
import { Leases, type Verdict } from './leases.js';
import { removeLeftLock, withLock } from './lock.js';
import {
  type About,
  type ArtifactKind,
  type ArtifactName,
  artifactFolder,
  type Making,
  type Manifest,
  manifestFile,
  noteUse,
  readManifest,
} from './manifest.js';
import { announce } from './running.js';
import { isTemporary, refuseLeased, undisturbed } from './temporary.js';

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
  readonly #remade: Remade | undefined;
  readonly #leases: Leases;
  /** Every artifact asked for, in the order in which it was ready. */
  readonly used: UsedArtifact[] = [];

  /**
   * @param temporary kinds of which what this store makes is to go again, see `release`
   * @param owner names the work it is made for, the same at every attempt
   * @param remade where given, what is in the cache already is made anew, each artifact once: those that were, for all
   *   stores of a command
   */
  constructor(
    root: string,
    temporary: readonly ArtifactKind[] = [],
    owner = 'nobody in particular',
    remade?: Remade,
  ) {
    this.root = path.resolve(root);
    this.#remade = remade;
    this.#leases = new Leases(this.root, new Set(temporary), owner);
  }

  /** Where the downloads of a dataset lie, shared by all runs and variants; names of different datasets cannot clash. */
  downloadsOf(dataset: string): string {
    return downloadsOf(this.root, dataset);
  }

  folderOf(kind: ArtifactKind, key: string): string {
    return artifactFolder(this.root, kind, key);
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
      await this.#leases.mark(kind, key);
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
      await this.#leases.claim(kind, key);
      return still;
    });
  }

  /** See `Leases.holdLeft`. */
  holdLeft(): Promise<void> {
    return this.#leases.holdLeft();
  }

  /** Folders of the temporary artifacts that this store holds. */
  get temporaryFolders(): string[] {
    return this.#leases.folders;
  }

  /** See `Leases.release`. */
  release(which: (kind: ArtifactKind, key: string) => Verdict): Promise<number> {
    return this.#leases.release(which);
  }
}
