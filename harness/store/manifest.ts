/** What a finished artifact says of itself, in a file that is written last. */
import { access, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, succeeds } from '../errors.js';
import { parseJson } from '../json.js';
import type { Program } from '../program/git.js';
import { type ContentFile, contentFault, type Fault, manifestFile, type Told } from './content.js';
import { hasItsDigest } from './digest.js';
import { keyOf } from './hash.js';
import { textIfThere } from './text-file.js';

export { manifestFile } from './content.js';

export const artifactKinds = [
  'checkpoints',
  'shards',
  'queries',
  'indexes',
  'runs',
  'negatives',
  'models',
  'findings',
] as const;

export type ArtifactKind = (typeof artifactKinds)[number];

/** What a finished artifact says of itself. */
export interface Manifest<Facts = unknown> {
  /** What the key was made from, in full. */
  inputs: unknown;
  /** What the stage found out: counts, scores, durations. */
  facts: Facts;
  execution: Making;
  /** Every file of the artifact, by name. */
  files: readonly ContentFile[];
  /** Hexadecimal sha256 over all of the above. */
  digest: string;
}

/** When an artifact was finished, and by which version of this program. */
export interface Making extends Program {
  /** ISO 8601, UTC */
  madeAt: string;
  /** Other artifacts that it was made with and its inputs do not name. */
  uses: readonly ArtifactName[];
  about: About;
  /** Absent where nobody asked. */
  took?: Took;
}

/** How long an artifact was in the making, and under which conditions: at another number of threads it has the same bytes. */
export interface Took {
  /** Null where one process did not make all of it. */
  seconds: number | null;
  /** Of no seconds. */
  reason?: string;
  /** As the processor calls itself. */
  cpu: string;
  threads: number;
}

/** What the store cannot know of a making. */
export interface MakingConditions {
  threads: number;
  /** Whether parts of it were made elsewhere. */
  inPieces?: true;
}

/** What people look for an artifact by; no part of its key. */
export interface About {
  dataset?: string;
  /** `mlr-sc`; absent where it serves every system. */
  system?: string;
}

export interface ArtifactName {
  kind: ArtifactKind;
  key: string;
}

/** @param root of the cache, absolute */
export const artifactFolder = (root: string, kind: ArtifactKind, key: string): string =>
  path.join(root, kind, key);

/** Whether an artifact is finished; it is not looked at further. */
export const isFinished = (folder: string): Promise<boolean> =>
  succeeds(access(path.join(folder, manifestFile)));

/**
 * The manifest of a finished artifact, as it was written; undefined where there is none yet.
 * @throws BenchError CACHE_INVALID where it is damaged
 */
export async function readManifest<Facts>(folder: string): Promise<Manifest<Facts> | undefined> {
  const text = await textIfThere(path.join(folder, manifestFile));
  if (text === undefined) return undefined;
  let found: Manifest<Facts> | null;
  try {
    found = parseJson(text) as Manifest<Facts> | null;
  } catch {
    throw damagedArtifact(folder, { file: manifestFile, what: 'is not JSON' });
  }
  const what = manifestFault(found);
  if (what !== undefined) throw damagedArtifact(folder, { file: manifestFile, what });
  return found!;
}

function manifestFault(found: Manifest | null): string | undefined {
  if (found === null || typeof found !== 'object' || !('inputs' in found)) return 'is no manifest';
  return hasItsDigest(found) && Array.isArray(found.files) ? undefined : 'is not as it was written';
}

/** Of a finished artifact that is not what it was; of what an unfinished one left to go on from. */
export class DamagedArtifact extends BenchError {
  /** @param folder of the artifact */
  constructor(
    readonly folder: string,
    message: string,
  ) {
    super('CACHE_INVALID', message, {
      hint: `Give the command that makes it once more with --repair, or delete ${folder}: either way it is made anew. Bytes that change by themselves speak of a disk or memory that fails.`,
    });
  }
}

/** Its kind and its key; where a user put it somewhere else it is called by its folder's name, and has no key. */
function placeOf(folder: string): [string, string | undefined] {
  const [kind = '', name = ''] = path.resolve(folder).split(path.sep).slice(-2);
  return /^[0-9a-f]{20}$/.test(name) ? [kind, name] : [name, undefined];
}

const nameOf = (folder: string): string => placeOf(folder).join('/').replace(/\/$/, '');

function damagedArtifact(folder: string, { file, what }: Fault): DamagedArtifact {
  return new DamagedArtifact(
    folder,
    `The artifact ${nameOf(folder)} is damaged: ${file} ${what} (${folder}).`,
  );
}

/**
 * The manifest of a finished artifact, once all that it names is found to be so; undefined where there is none yet.
 * @throws DamagedArtifact where it, or any file of the artifact, is not what it was when the artifact was finished
 */
export async function checkedManifest<Facts>(
  folder: string,
  told?: Told,
): Promise<Manifest<Facts> | undefined> {
  const manifest = await readManifest<Facts>(folder);
  if (manifest === undefined) return undefined;
  const { files, inputs, digest } = manifest;
  const [kind, key] = placeOf(folder);
  if (key !== undefined && keyOf(inputs) !== key) {
    throw damagedArtifact(folder, { file: manifestFile, what: 'is that of another artifact' });
  }
  const fault = await contentFault(folder, files, kind, told);
  if (fault === undefined) return manifest;
  // Another process may just have begun to make it anew, or have finished.
  const still = await readManifest(folder);
  if (still?.digest !== digest) return checkedManifest(folder, told);
  throw damagedArtifact(folder, fault);
}

/** The time of the manifest is when its artifact was last made or used, by the clock of the file system. */
export async function noteUse(folder: string): Promise<void> {
  const file = path.join(folder, manifestFile);
  try {
    const now = new Date();
    await utimes(file, now, now);
    // The clock of this host may be wrong, and that of the file system is the one that all hosts have.
    const { ctime } = await stat(file);
    await utimes(file, ctime, ctime);
  } catch {
    // A cache that may only be read is one that nobody prunes.
  }
}
