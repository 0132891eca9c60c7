/** The store on a server that lies behind the cache: what is made once, on whichever machine, is everybody's. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { PlacedArtifact } from '../artifact.js';
import type { Told } from '../content.js';
import { type ArtifactName, type Manifest, manifestFile } from '../manifest.js';
import { storeInUse } from './address.js';
import { Bucket } from './bucket.js';
import { shownPlace } from './faults.js';
import { fetchArtifact } from './fetch.js';
import { manifestAt, type WholeManifest } from './layout.js';
import { StoreLease } from './lease.js';
import { probe } from './probe.js';
import { assertSame, publishArtifact, storedManifest } from './publish.js';

/** For the processes that this one starts: the store that it has tried. */
const triedVariable = 'BENCH_STORE_TRIED';

/** By address: opened and tried once in a process. */
const opened = new Map<string, Promise<RemoteStore>>();

/**
 * The one that this process works with; undefined where there is none.
 * @throws BenchError USAGE; UNAVAILABLE where it cannot be reached, or would let two machines write over each other
 */
export async function remoteStore(): Promise<RemoteStore | undefined> {
  const address = storeInUse();
  if (address === undefined) return undefined;
  let opening = opened.get(address.text);
  if (opening === undefined) {
    opening = Bucket.open(address).then(async (bucket) => {
      const place = shownPlace(bucket);
      if (process.env[triedVariable] !== place) await probe(bucket);
      process.env[triedVariable] = place;
      return new RemoteStore(bucket);
    });
    opened.set(address.text, opening);
    // What failed may pass.
    void opening.catch(() => opened.delete(address.text));
  }
  return opening;
}

export interface Obtained {
  readonly manifest: WholeManifest;
  /** Whether this process made it. */
  readonly isMade: boolean;
}

export class RemoteStore {
  /** Folders of artifacts that were found to be what the store has. */
  readonly #agreed = new Set<string>();

  constructor(readonly bucket: Bucket) {}

  async has(artifact: ArtifactName): Promise<boolean> {
    return (await this.bucket.sizeOf(manifestAt(artifact))) !== undefined;
  }

  /**
   * Brings an artifact into its folder, which this process holds the lock of, or has it made, by one machine at a time, and puts it
   * there.
   * @param make leaves it in its folder @param isAnew makes it in any case
   * @throws BenchError LOCKED, see `StoreLease.take`
   */
  async obtain(
    artifact: PlacedArtifact,
    make: () => Promise<unknown>,
    told: Told | undefined,
    isAnew: boolean,
  ): Promise<Obtained> {
    if (isAnew) {
      await make();
      return { manifest: await this.publish(artifact, told, true), isMade: true };
    }
    for (;;) {
      const there = await storedManifest(this.bucket, artifact);
      if (there !== undefined) {
        await fetchArtifact(this.bucket, artifact, there, told);
        this.#agreed.add(artifact.folder);
        return { manifest: there, isMade: false };
      }
      const manifest = await this.#once(artifact, make, told);
      if (manifest !== undefined) return { manifest, isMade: true };
    }
  }

  /** @returns undefined where another finished it meanwhile */
  async #once(
    artifact: PlacedArtifact,
    make: () => Promise<unknown>,
    told: Told | undefined,
  ): Promise<WholeManifest | undefined> {
    const lease = new StoreLease(this.bucket, artifact);
    if (!(await lease.take(() => this.has(artifact)))) return undefined;
    try {
      await make();
      const manifest = await this.publish(artifact, told);
      await lease.drop();
      return manifest;
    } catch (error) {
      await lease.giveBack();
      throw error;
    }
  }

  /**
   * Sees to it that the store has what is finished in a folder, which this process holds the lock of. Where another was first with
   * the same bytes its manifest is the one that counts, here too, unless it was made anew on purpose.
   * @returns the manifest that counts
   * @throws BenchError CACHE_INVALID where the bytes are others
   */
  async publish(artifact: PlacedArtifact, told: Told | undefined, isAnew = false): Promise<WholeManifest> {
    const { own, there } = await publishArtifact(this.bucket, artifact, told);
    this.#agreed.add(artifact.folder);
    if (isAnew || own.digest === there.digest) return own;
    // Without it nothing looks finished while the rest is brought: the log, in which times stand.
    await rm(path.join(artifact.folder, manifestFile), { force: true });
    await fetchArtifact(this.bucket, artifact, there, told);
    return there;
  }

  /**
   * Compares what lies in the cache with what the store has.
   * @returns whether the store has it
   * @throws BenchError CACHE_INVALID where the bytes are others
   */
  async agrees(artifact: PlacedArtifact, own: Manifest): Promise<boolean> {
    if (this.#agreed.has(artifact.folder)) return true;
    const there = await storedManifest(this.bucket, artifact);
    if (there === undefined) return false;
    assertSame(this.bucket, artifact, own.files ?? [], there.files);
    this.#agreed.add(artifact.folder);
    return true;
  }
}
