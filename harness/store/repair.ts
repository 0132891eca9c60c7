/** What of the cache is made anew. */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { assertHeld } from './fence.js';
import { type ArtifactKind, DamagedArtifact, manifestFile } from './manifest.js';
import { refuseLeased } from './temporary.js';

/** What a command makes anew of what is in the cache: everything that it asks for, or what is damaged. */
export interface Anew {
  what: 'everything' | 'damaged';
  /** Folders of the artifacts that were made anew by now, by any store of the command. */
  done: Set<string>;
}

/** Found out from files that are here: made anew at once where damaged. All else may have taken days. */
const nothingLost: readonly ArtifactKind[] = ['findings'];

/**
 * @param anew absent where what is damaged is refused
 * @returns the error, where it is of an artifact that may be made anew
 * @throws the error where it is not
 */
export function toRepair(kind: ArtifactKind, error: unknown, anew: Anew | undefined): DamagedArtifact {
  if (!(error instanceof DamagedArtifact)) throw error;
  if (anew === undefined && !nothingLost.includes(kind)) throw error;
  return error;
}

/** What an earlier command left is as if it were not there. @param folder of an artifact, which this process holds the lock of */
export async function emptyFolder(folder: string): Promise<void> {
  await assertHeld(folder);
  await refuseLeased(folder);
  // First: what is half gone must not look finished.
  await rm(path.join(folder, manifestFile), { force: true });
  for (const name of await readdir(folder))
    if (name !== 'lock') await rm(path.join(folder, name), { recursive: true, force: true });
}
