/**
 * The cache on disk. Every stage leaves an artifact: a folder named by its kind and by the hash of what it was made
 * from. It is finished once its manifest is there, which is written last; before that it can be resumed.
 */
import path from 'node:path';
import { describeProgram } from '../program/git.js';
import {
  type Artifact,
  type Inputs,
  lockOf,
  type StoreOptions,
  takenOf,
  type UsedArtifact,
  type Wanted,
} from './artifact.js';
import { writeFirstJson } from './atomic.js';
import { describeContent, type Told } from './content.js';
import { withDigest } from './digest.js';
import { assertHeld, LostLock } from './fence.js';
import { keyOf } from './hash.js';
import { AskedHashes } from './kept-hashes.js';
import { Leases } from './leases.js';
import { removeLeftLock, withLock } from './lock.js';
import { keepMade, type MadeArtifact, madeBefore } from './made.js';
import { makeFolder } from './make-folder.js';
import {
  type About,
  type ArtifactKind,
  type ArtifactName,
  artifactFolder,
  checkedManifest,
  DamagedArtifact,
  isFinished,
  type MakingConditions,
  type Manifest,
  manifestFile,
  noteUse,
} from './manifest.js';
import { removePartials } from './partials.js';
import { remoteStore } from './remote/remote-store.js';
import { type Anew, emptyFolder, toRepair } from './repair.js';
import { announce } from './running.js';
import { noteSharing } from './sharing.js';
import { timed } from './took.js';
import { removeUnfinished } from './unfinished.js';

export type { Artifact, Inputs, UsedArtifact } from './artifact.js';
export type { ArtifactKind, Making } from './manifest.js';
export type { Anew } from './repair.js';

/** @param dataset as the command line says it; its variants share a folder, `squad` or `beir` */
export function downloadsOf(root: string, dataset: string): string {
  return path.join(path.resolve(root), 'downloads', dataset.split('/')[0]!);
}

export class Store {
  /** Absolute path of the cache. */
  readonly root: string;
  /** Of files outside the cache. */
  readonly hashes: AskedHashes;
  readonly #anew: Anew | undefined;
  /** Its artifacts that are to go again. */
  readonly leases: Leases;
  readonly #told: Told | undefined;
  /** What lies behind the cache. */
  readonly #remote: typeof remoteStore;
  /** Every artifact asked for, in the order in which it was ready. */
  readonly used: UsedArtifact[] = [];

  constructor(root: string, options: StoreOptions = {}) {
    const { temporary = [], owner = 'nobody in particular', anew, told, isAlone } = options;
    this.root = path.resolve(root);
    this.#anew = anew;
    this.#told = told;
    this.#remote = isAlone ? async () => undefined : remoteStore;
    this.hashes = new AskedHashes(this.root, anew?.what === 'everything');
    this.leases = new Leases(this.root, new Set(temporary), owner);
  }

  /** Where the downloads of a dataset lie, shared by all runs and variants; names of different datasets cannot clash. */
  downloadsOf(dataset: string): string {
    return downloadsOf(this.root, dataset);
  }

  folderOf(kind: ArtifactKind, key: string): string {
    return artifactFolder(this.root, kind, key);
  }

  /** Whether an artifact is finished, for all that share the store; it is checked when it is asked for. */
  async has(kind: ArtifactKind, key: string): Promise<boolean> {
    return (await this.#remote())?.has({ kind, key }) ?? isFinished(this.folderOf(kind, key));
  }

  /**
   * The artifact made from `inputs`: taken from the cache where it is finished, else made (or gone on with) by `make`. What
   * is taken is checked: see `checkedManifest`.
   * @param make gets the folder, which may hold what an earlier, killed attempt left; returns the facts
   * @param conditions under which it is made; where given, it keeps how long that took
   * @throws DamagedArtifact where it is damaged and not to be made anew
   */
  async artifact<Facts>(
    kind: ArtifactKind,
    inputs: Inputs,
    make: (folder: string, key: string) => Promise<Facts>,
    about: About = {},
    conditions?: MakingConditions,
  ): Promise<Artifact<Facts>> {
    await announce(this.root);
    await noteSharing(this.root, (line) => this.#note(line));
    // Before anything is made: the checkout may be another by the time that it is, and a store that cannot be used is of no use then.
    await Promise.all([describeProgram(), this.#remote()]);
    const key = keyOf(inputs);
    const folder = this.folderOf(kind, key);
    const begin = () => make(folder, key);
    const artifact = await this.#artifact({ kind, key, folder, inputs, about, conditions, make: begin });
    this.used.push({ kind, ...artifact });
    return artifact;
  }

  async #artifact<Facts>(wanted: Wanted<Facts>): Promise<Artifact<Facts>> {
    const { kind, key, folder } = wanted;
    const lock = lockOf(folder);
    const found = this.#isToEmpty(folder) ? undefined : await this.#find<Facts>(kind, key);
    const isTaken = found !== undefined && !(found instanceof DamagedArtifact);
    // What the store lacks, or has otherwise, is seen to under the lock.
    if (isTaken && (await (await this.#remote())?.agrees(wanted, found)) !== false) {
      // Of a process that was killed as it let go of the lock, or while it searched an index by way of a copy.
      await removeLeftLock(lock);
      await removePartials(folder, true);
      await removeUnfinished(folder);
      return takenOf(wanted, found);
    }
    const before = this.used.length;
    for (;;) {
      await makeFolder(folder);
      try {
        return await withLock(lock, () => this.#underLock(wanted));
      } catch (error) {
        if (!(error instanceof LostLock && error.file === lock)) throw error;
        this.#note(error.message);
        // What it asked for meanwhile it asks for again, where the other did not finish.
        this.used.length = before;
      }
    }
  }

  /** Takes what another process has finished meanwhile, here or elsewhere, or makes it. @throws LostLock */
  async #underLock<Facts>(wanted: Wanted<Facts>): Promise<Artifact<Facts>> {
    const { kind, key, folder } = wanted;
    const isAnew = this.#isToEmpty(folder);
    if (isAnew) await this.#empty(folder);
    const remote = await this.#remote();
    const taken = (manifest: Manifest) => takenOf(wanted, manifest as Manifest<Facts>);
    const meanwhile = await this.#find<Facts>(kind, key);
    if (meanwhile instanceof DamagedArtifact) {
      this.#note(`${meanwhile.message} It is made anew.`);
      await this.#empty(folder);
    } else if (meanwhile !== undefined) {
      if ((await remote?.agrees(wanted, meanwhile)) !== false) return taken(meanwhile);
      return taken(await remote!.publish(wanted, this.#told));
    }
    await removePartials(folder, true);
    await this.leases.mark(kind, key);
    if (remote === undefined) return { ...taken(await this.#make(wanted)), cached: false };
    const { manifest, isMade } = await remote.obtain(wanted, () => this.#make(wanted), this.#told, isAnew);
    return { ...taken(manifest), cached: !isMade };
  }

  /** @throws LostLock */
  async #make<Facts>(wanted: Wanted<Facts>): Promise<Manifest<Facts>> {
    const { kind, key, folder, inputs } = wanted;
    const { facts, execution } = (await madeBefore<Facts>(folder)) ?? (await this.#makeNow(wanted));
    const files = await describeContent(folder, kind, this.#told);
    const manifest = withDigest<Omit<Manifest<Facts>, 'digest'>>({ inputs, facts, execution, files });
    if (keyOf(manifest.inputs) !== key) throw new Error(`JSON does not keep the inputs of ${kind}/${key}.`);
    // Where another process took this one for dead and was first, what is there is to be what that one finished.
    if (!(await writeFirstJson(path.join(folder, manifestFile), manifest)))
      throw new LostLock(lockOf(folder));
    // Only now, when nothing can be lost any more.
    await removeUnfinished(folder);
    return { ...manifest, facts };
  }

  async #makeNow<Facts>(wanted: Wanted<Facts>): Promise<MadeArtifact<Facts>> {
    const { folder, about, conditions } = wanted;
    const before = this.used.length;
    const { result: facts, took } = await timed(folder, conditions, () => this.#made(wanted));
    const uses = this.used.slice(before).map((used): ArtifactName => ({ kind: used.kind, key: used.key }));
    const madeAt = new Date().toISOString();
    const execution = { madeAt, ...(await describeProgram()), uses, about, ...(took && { took }) };
    await keepMade(folder, { facts, execution });
    return { facts, execution };
  }

  /** Goes on with what an earlier attempt left, or, where that is damaged and may be made anew, begins. */
  async #made<Facts>({ kind, folder, make }: Wanted<Facts>): Promise<Facts> {
    try {
      return await make();
    } catch (error) {
      // Whatever it failed with, where another took over its files were no longer its own.
      await assertHeld(folder);
      if (!(error instanceof DamagedArtifact && error.folder === folder)) throw error;
      const { message } = toRepair(kind, error, this.#anew);
      this.#note(`${message} It is begun anew.`);
      await removeUnfinished(folder);
      return make();
    }
  }

  #isToEmpty(folder: string): boolean {
    return this.#anew?.what === 'everything' && !this.#anew.done.has(folder);
  }

  #note(line: string): void {
    if (this.#told === undefined) process.stderr.write(`${line}\n`);
    else this.#told.note(line);
  }

  async #empty(folder: string): Promise<void> {
    await emptyFolder(folder);
    this.#anew?.done.add(folder);
  }

  /**
   * A finished artifact, checked; one that is to go again is held, or claimed for good where this store keeps its kind.
   * @returns the error where it is damaged and may be made anew
   */
  async #find<Facts>(
    kind: ArtifactKind,
    key: string,
  ): Promise<Manifest<Facts> | DamagedArtifact | undefined> {
    const folder = this.folderOf(kind, key);
    if (!(await this.leases.claimFinished(kind, key))) return undefined;
    // Before it is checked, which may take long: what was just used is not pruned.
    await noteUse(folder);
    try {
      return await checkedManifest<Facts>(folder, this.#told);
    } catch (error) {
      return toRepair(kind, error, this.#anew);
    }
  }
}
