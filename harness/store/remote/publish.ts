/** Puts an artifact of the cache into a store on a server: its files, then its manifest, where there is none yet. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PlacedArtifact } from '../artifact.js';
import type { ContentFile, Told } from '../content.js';
import { type ArtifactName, manifestFile } from '../manifest.js';
import type { Bucket } from './bucket.js';
import {
  difference,
  fileAt,
  manifestAt,
  parseStoredManifest,
  storeDamage,
  type WholeManifest,
} from './layout.js';
import { atOnce, Moved } from './moved.js';

/**
 * @param artifact finished and checked
 * @returns the manifest here, and the one that is there now: the same, or that of another who was first with the same bytes
 * @throws BenchError CACHE_INVALID where another was first with other bytes; UNAVAILABLE, INTERRUPTED
 */
export async function publishArtifact(
  bucket: Bucket,
  artifact: PlacedArtifact,
  told: Told | undefined,
): Promise<{ own: WholeManifest; there: WholeManifest }> {
  const file = path.join(artifact.folder, manifestFile);
  const bytes = await readFile(file);
  const own = parseStoredManifest(bytes, artifact, file);
  const distinct = [...new Map(own.files.map((file) => [file.sha256, file])).values()];
  const moved = new Moved(`store ${artifact.kind}`, distinct, told);
  await atOnce(distinct, (file) => sendFile(bucket, artifact.folder, file, moved));
  moved.end();
  await bucket.create(manifestAt(artifact), bytes);
  // Read in any case: it may be ours though the answer said that there is one.
  const there = await storedManifest(bucket, artifact);
  if (there === undefined)
    throw storeDamage(bucket.shown(manifestAt(artifact)), 'is gone as soon as it was written');
  assertSame(bucket, artifact, own.files, there.files);
  return { own, there };
}

async function sendFile(bucket: Bucket, folder: string, file: ContentFile, moved: Moved): Promise<void> {
  const name = fileAt(file.sha256);
  const there = await bucket.sizeOf(name);
  if (there === undefined) {
    await bucket.upload(name, path.join(folder, file.name), file, (bytes) => moved.by(bytes));
  } else if (there !== file.sizeBytes) {
    throw storeDamage(
      bucket.shown(name),
      `has ${there} bytes, and ${file.name}, which has that hash, has ${file.sizeBytes}`,
      'Remove that object with the tools of the server: the same command puts it there again.',
    );
  } else moved.by(file.sizeBytes);
}

/** @returns undefined where there is none @throws BenchError CACHE_INVALID */
export async function storedManifest<Facts>(
  bucket: Bucket,
  artifact: ArtifactName,
): Promise<WholeManifest<Facts> | undefined> {
  const name = manifestAt(artifact);
  const found = await bucket.read(name);
  return found && parseStoredManifest<Facts>(found.bytes, artifact, bucket.shown(name));
}

/** One key, one content: what decides the last bits of numbers is in the keys that it plays a part in. */
export function assertSame(
  bucket: Bucket,
  { kind, key, folder }: PlacedArtifact,
  here: readonly ContentFile[],
  there: readonly ContentFile[],
): void {
  const found = difference(here, there);
  if (found === undefined) return;
  const shown = (file: ContentFile | undefined) =>
    file === undefined ? 'is not' : `has ${file.sizeBytes} bytes with sha256 ${file.sha256}`;
  throw storeDamage(
    bucket.shown(manifestAt({ kind, key })),
    `is of another ${kind}/${key} than the one here (${folder}): ${found.name} ${shown(found.here)} here, and ${shown(found.there)} there`,
    `One of the two is wrong, or was made by a machine whose numbers are others. Remove ${folder} to take what the store has, or give this machine a store of its own: --store s3://BUCKET/OTHER.`,
  );
}
