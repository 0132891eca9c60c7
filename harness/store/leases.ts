/** The artifacts of a store that are to go again: which it holds, and what becomes of each when it is done with them. */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { bytesOnDisk } from './inventory.js';
import { type ArtifactKind, type ArtifactName, artifactFolder, isFinished } from './manifest.js';
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

/** `kept` stays for good, `held` stays and is asked about again, `left` stays for the next attempt. */
export type Verdict = 'removed' | 'kept' | 'held' | 'left';

export class Leases {
  readonly #holder = randomBytes(4).toString('hex');
  /** By folder. */
  readonly #leased = new Map<string, ArtifactName>();

  /**
   * @param root of the cache
   * @param kinds of which artifacts are temporary; those of all others are kept
   * @param owner names the work they are made for, the same at every attempt
   */
  constructor(
    readonly root: string,
    readonly kinds: ReadonlySet<ArtifactKind>,
    readonly owner: string,
  ) {}

  /** Marks an artifact that is about to be made. */
  async mark(kind: ArtifactKind, key: string): Promise<void> {
    const folder = artifactFolder(this.root, kind, key);
    if (!this.kinds.has(kind)) return markKept(folder);
    this.#leased.set(folder, { kind, key });
    await markTemporary(folder, this.#holder, this.owner);
  }

  /** Holds a finished temporary artifact, or claims it for good where its kind is kept. */
  async #claim(kind: ArtifactKind, key: string): Promise<void> {
    const folder = artifactFolder(this.root, kind, key);
    if (!this.kinds.has(kind)) return markKept(folder);
    await addOwner(folder, this.owner);
    await this.#hold(kind, key);
  }

  /** Claims what is there and temporary, while nobody removes it. @returns whether there is a finished artifact, sound or not */
  async claimFinished(kind: ArtifactKind, key: string): Promise<boolean> {
    const folder = artifactFolder(this.root, kind, key);
    if (!(await isFinished(folder))) return false;
    if (!(await isTemporary(folder))) return true;
    return undisturbed(folder, async () => {
      const still = await isFinished(folder);
      if (still) await this.#claim(kind, key);
      return still;
    });
  }

  #hold(kind: ArtifactKind, key: string): Promise<void> {
    const folder = artifactFolder(this.root, kind, key);
    this.#leased.set(folder, { kind, key });
    return writeLease(folder, this.#holder);
  }

  /**
   * Holds what killed attempts at the same work left and this one had no need to ask for, and removes what they were about
   * to remove.
   */
  async holdLeft(): Promise<void> {
    for (const kind of this.kinds) {
      await removeRemains(path.join(this.root, kind));
      const names = await readdir(path.join(this.root, kind)).catch(() => []);
      for (const key of names.filter((name) => /^[0-9a-f]+$/.test(name))) {
        const folder = artifactFolder(this.root, kind, key);
        if (this.#leased.has(folder) || !(await isOwned(folder, this.owner))) continue;
        await undisturbed(folder, async () => {
          if (await isOwned(folder, this.owner)) await this.#hold(kind, key);
        });
      }
    }
  }

  get folders(): string[] {
    return [...this.#leased.keys()];
  }

  /**
   * Is done with temporary artifacts: each that nobody else uses is removed. Those that were there before any store
   * marked them stay.
   * @returns bytes removed
   */
  async release(which: (kind: ArtifactKind, key: string) => Verdict): Promise<number> {
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
