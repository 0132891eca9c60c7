/** What lies in the cache: every artifact, finished or not, and what was downloaded, with the bytes that they take. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  type About,
  type ArtifactKind,
  type ArtifactName,
  artifactKinds,
  manifestFile,
  readManifest,
} from './manifest.js';

/** Brought from elsewhere: nothing here can make them again. */
const fetchedKinds = ['downloads', 'hub'] as const;

export type StoredKind = ArtifactKind | (typeof fetchedKinds)[number];
export const storedKinds: readonly StoredKind[] = [...artifactKinds, ...fetchedKinds];

export const isFetched = (kind: StoredKind): boolean => (fetchedKinds as readonly string[]).includes(kind);

export interface Stored extends About {
  kind: StoredKind;
  /** Of an artifact; of what was fetched, the name of its dataset or model. */
  key: string;
  folder: string;
  sizeBytes: number;
  /** When it was last made, gone on with, or used, in milliseconds since 1970. */
  usedMs: number;
  /** `unfinished` is what a run that was stopped left, and goes on with. */
  state: 'finished' | 'unfinished' | 'fetched';
  /** Other artifacts that it was made with. */
  uses: readonly ArtifactName[];
}

/** @param root of the cache; one that is not there is empty */
export async function inventory(root: string): Promise<Stored[]> {
  const found: Stored[] = [];
  for (const kind of artifactKinds)
    for (const key of await namesIn(path.join(root, kind)))
      if (/^[0-9a-f]{20}$/.test(key)) found.push(await artifactIn(root, kind, key));
  for (const kind of fetchedKinds)
    for (const key of await namesIn(path.join(root, kind))) found.push(await fetchedIn(root, kind, key));
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function artifactIn(root: string, kind: ArtifactKind, key: string): Promise<Stored> {
  const folder = path.join(root, kind, key);
  // One that is damaged is no more than one that was never finished.
  const manifest = await readManifest(folder).catch(() => undefined);
  const { about, uses = [] } = manifest?.execution ?? {};
  const dated = manifest === undefined ? folder : path.join(folder, manifestFile);
  return {
    kind,
    key,
    folder,
    sizeBytes: await bytesOnDisk(folder).catch(() => 0),
    usedMs: (await stat(dated).catch(() => ({ mtimeMs: 0 }))).mtimeMs,
    state: manifest === undefined ? 'unfinished' : 'finished',
    uses,
    ...about,
  };
}

async function fetchedIn(root: string, kind: 'downloads' | 'hub', key: string): Promise<Stored> {
  const folder = path.join(root, kind, key);
  return {
    kind,
    key,
    folder,
    sizeBytes: await bytesOnDisk(folder),
    usedMs: (await stat(folder)).mtimeMs,
    state: 'fetched',
    uses: [],
    ...(kind === 'downloads' && { dataset: key }),
  };
}

/** Bytes of a file, or of all files below a folder. */
export async function bytesOnDisk(target: string): Promise<number> {
  const found = await stat(target);
  if (!found.isDirectory()) return found.size;
  let sum = 0;
  for (const name of await readdir(target)) sum += await bytesOnDisk(path.join(target, name));
  return sum;
}
