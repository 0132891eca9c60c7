/** What a finished artifact says of itself, in a file that is written last. */
import { utimes } from 'node:fs/promises';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import type { Program } from '../program/git.js';
import { textIfThere } from './text-file.js';

export const manifestFile = 'manifest.json';

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
  /** Absent in what older versions left. */
  execution?: Making;
}

/** When an artifact was finished, and by which version of this program. */
export interface Making extends Program {
  /** ISO 8601, UTC */
  madeAt: string;
  /** Other artifacts that it was made with and its inputs do not name. */
  uses: readonly ArtifactName[];
  about: About;
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

/** The manifest of a finished artifact; undefined where there is none yet. */
export async function readManifest<Facts>(folder: string): Promise<Manifest<Facts> | undefined> {
  const file = path.join(folder, manifestFile);
  const text = await textIfThere(file);
  if (text === undefined) return undefined;
  try {
    return parseJson(text) as Manifest<Facts>;
  } catch (cause) {
    throw new BenchError('CACHE_INVALID', `${file} is not JSON.`, {
      hint: `Delete ${folder}; the next run makes it again.`,
      cause,
    });
  }
}

/** The time of the manifest is when its artifact was last made or used. */
export async function noteUse(folder: string): Promise<void> {
  const now = new Date();
  // A cache that may only be read is one that nobody prunes.
  await utimes(path.join(folder, manifestFile), now, now).catch(() => undefined);
}
