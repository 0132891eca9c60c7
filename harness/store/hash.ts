/** Hashes that name things: files by their bytes, artifacts by what they are made from. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { DataFile } from '../contracts.js';
import { assertGoesOn } from '../interruption.js';

export type HashAlgorithm = 'sha256' | 'md5';

/** The hexadecimal hash of a file, read as a stream. */
export async function hashFile(file: string, algorithm: HashAlgorithm = 'sha256'): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 })) {
    assertGoesOn();
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}

/** A file as a run record names it. */
export async function describeFile(file: string): Promise<DataFile> {
  return { name: path.basename(file), sizeBytes: (await stat(file)).size, sha256: await hashFile(file) };
}

/** JSON with sorted keys, so that equal values have equal texts. Undefined members are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The name of something made from `inputs`: 20 hexadecimal digits of a sha256. */
export function keyOf(inputs: unknown): string {
  return createHash('sha256').update(canonicalJson(inputs)).digest('hex').slice(0, 20);
}
