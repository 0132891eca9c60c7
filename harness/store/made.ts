/**
 * What is known of an artifact between its making and its manifest, while its files are hashed. Hashing a large one takes a minute,
 * and a process that is stopped then has lost nothing.
 */
import path from 'node:path';
import { parseJson } from '../json.js';
import { writeJson } from './atomic.js';
import { contentNames } from './content.js';
import { hasItsDigest, withDigest } from './digest.js';
import { type FileState, isSameState, stateOf } from './file-state.js';
import type { Making } from './manifest.js';
import { textIfThere } from './text-file.js';
import { unfinishedFolder } from './unfinished.js';

export interface MadeArtifact<Facts> {
  facts: Facts;
  execution: Making;
}

interface KeptMade<Facts> extends MadeArtifact<Facts> {
  /** By name, sorted. */
  files: readonly (FileState & { name: string })[];
}

/** Less is hashed before a signal is heard. */
const worthKeepingBytes = 2 ** 25;

const fileOf = (folder: string): string => path.join(unfinishedFolder(folder), 'made.json');

async function statesIn(folder: string): Promise<(FileState & { name: string })[]> {
  const names = await contentNames(folder);
  return Promise.all(names.map(async (name) => ({ name, ...(await stateOf(path.join(folder, name))) })));
}

/** To be called when all files of the artifact are in place. */
export async function keepMade<Facts>(folder: string, made: MadeArtifact<Facts>): Promise<void> {
  const files = await statesIn(folder);
  if (files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) < worthKeepingBytes) return;
  await writeJson(fileOf(folder), withDigest<KeptMade<Facts>>({ ...made, files }));
}

/** What an attempt before this one had made, where no file of it was touched since; undefined where it is to be made. */
export async function madeBefore<Facts>(folder: string): Promise<MadeArtifact<Facts> | undefined> {
  const text = await textIfThere(fileOf(folder));
  if (text === undefined) return undefined;
  let kept: KeptMade<Facts>;
  try {
    const known = parseJson(text) as (KeptMade<Facts> & { digest: string }) | null;
    if (!hasItsDigest(known)) return undefined;
    kept = known as KeptMade<Facts>;
  } catch {
    // Damaged: it is made again, which is always right.
    return undefined;
  }
  const found = await statesIn(folder);
  const isSame =
    found.length === kept.files.length &&
    found.every((file, i) => file.name === kept.files[i]!.name && isSameState(file, kept.files[i]!));
  return isSame ? { facts: kept.facts, execution: kept.execution } : undefined;
}
