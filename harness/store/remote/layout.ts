/**
 * What lies where in a store on a server. Files are named by what they hold, so that nobody writes over what another's manifest
 * names, and what two artifacts have in common lies there once; a manifest is put last, and only where there is none.
 */
import { BenchError } from '../../errors.js';
import { parseJson } from '../../json.js';
import { type ContentFile, isContent } from '../content.js';
import { hasItsDigest } from '../digest.js';
import { keyOf } from '../hash.js';
import { filesOfTimes } from '../log-file.js';
import { type ArtifactName, type Manifest, manifestFile } from '../manifest.js';

export const manifestAt = ({ kind, key }: ArtifactName): string => `${kind}/${key}/${manifestFile}`;
export const leaseAt = ({ kind, key }: ArtifactName): string => `leases/${kind}/${key}`;
export const fileAt = (sha256: string): string => `files/${sha256}`;

export type WholeManifest<Facts = unknown> = Manifest<Facts> & { readonly files: readonly ContentFile[] };

/** What is wrong with something in the store. @param shown where it lies: `s3://BUCKET/...` */
export function storeDamage(shown: string, what: string, hint?: string): BenchError {
  return new BenchError('CACHE_INVALID', `In the store, ${shown} ${what}.`, {
    hint:
      hint ??
      'Remove that object, and the manifest of the artifact that names it, with the tools of the server: then it is made anew.',
  });
}

/**
 * A manifest as it lies in a store, which others may write to.
 * @param shown where it lies, for errors
 * @throws BenchError CACHE_INVALID where it is none of this artifact, or names what may not be written
 */
export function parseStoredManifest<Facts>(
  bytes: Buffer,
  { key }: ArtifactName,
  shown: string,
): WholeManifest<Facts> {
  let found: unknown;
  try {
    found = parseJson(bytes.toString('utf8'));
  } catch {
    throw storeDamage(shown, 'is not JSON');
  }
  if (!hasItsDigest(found)) throw storeDamage(shown, 'is not as it was written');
  const manifest = found as Partial<Manifest<Facts>>;
  if (!('inputs' in manifest) || keyOf(manifest.inputs) !== key)
    throw storeDamage(shown, 'is that of another artifact');
  if (!Array.isArray(manifest.files)) throw storeDamage(shown, 'names no files');
  const names = new Set<string>();
  for (const file of manifest.files as readonly unknown[]) {
    if (!isNamedFile(file) || names.has(file.name))
      throw storeDamage(shown, 'names a file that cannot be one');
    names.add(file.name);
  }
  return manifest as WholeManifest<Facts>;
}

function isNamedFile(value: unknown): value is ContentFile {
  const { name, sizeBytes, sha256 } = (value ?? {}) as Partial<Record<keyof ContentFile, unknown>>;
  return (
    typeof name === 'string' &&
    isInside(name) &&
    isContent(name) &&
    Number.isSafeInteger(sizeBytes) &&
    (sizeBytes as number) >= 0 &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256)
  );
}

/** A path that leads out of no folder, on any system. */
const isInside = (name: string): boolean =>
  name.length <= 1000 &&
  !/[\\:\0]/.test(name) &&
  name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

/** The first file that two artifacts of one name do not have alike; undefined where they are the same, but for times. */
export function difference(
  here: readonly ContentFile[],
  there: readonly ContentFile[],
): { name: string; here?: ContentFile | undefined; there?: ContentFile | undefined } | undefined {
  const byName = new Map(there.map((file) => [file.name, file]));
  for (const file of here) {
    const other = byName.get(file.name);
    const isAlike =
      other?.sha256 === file.sha256 || (other !== undefined && filesOfTimes.includes(file.name));
    if (!isAlike) return { name: file.name, here: file, there: other };
    byName.delete(file.name);
  }
  const [more] = byName.values();
  return more && { name: more.name, there: more };
}
