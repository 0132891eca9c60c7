/** What a downloaded file has to be, what it was found to be, and what a person can do where it cannot be fetched. */
import type { Download } from '../contracts.js';
import { parseJson } from '../json.js';
import { writeJson } from './atomic.js';
import { type FileState, isSameState, stateOf } from './file-state.js';
import { type HashAlgorithm, hashFile } from './hash.js';
import { readPlainText } from './plain-file.js';

export interface ExpectedHash {
  algorithm: HashAlgorithm;
  hash: string;
}

/** What a file was found to be; it holds while its state stays the same. */
export type Verification = ExpectedHash & FileState;

/** Undefined where the publisher gives none. */
export function expectedHash(download: Download): ExpectedHash | undefined {
  if (download.sha256 !== undefined) return { algorithm: 'sha256', hash: download.sha256.toLowerCase() };
  if (download.md5 !== undefined) return { algorithm: 'md5', hash: download.md5.toLowerCase() };
  return undefined;
}

/** What a person can do where we cannot. */
export function byHand(download: Download, file: string): string {
  const { sizeBytes, instructions, url } = download;
  if (url === '' && instructions !== undefined) return instructions;
  const expected = expectedHash(download);
  const size = sizeBytes > 0 ? `${sizeBytes} bytes` : 'of a size that its publisher does not give';
  const what = expected === undefined ? size : `${size}, ${expected.algorithm} ${expected.hash}`;
  const how = instructions ?? `Fetch ${url} by other means`;
  return `${how.replace(/\.$/, '')}, and put it at ${file} (${what}).`;
}

export async function firstSeen(file: string): Promise<ExpectedHash> {
  return { algorithm: 'sha256', hash: await hashFile(file) };
}

/** True where the publisher does not say how large the file is. */
export function isOfSize({ size }: { size: number }, { sizeBytes }: Download): boolean {
  return sizeBytes === 0 || size === sizeBytes;
}

/** Whether the file was found right before and has not been touched since. */
export function isVerified(
  found: { size: number; mtimeMs: number; ctimeMs: number },
  known: Verification | undefined,
  expected: ExpectedHash,
  download: Download,
): boolean {
  if (known === undefined || !isSameState({ ...found, sizeBytes: found.size }, known)) return false;
  return known.algorithm === expected.algorithm && known.hash === expected.hash && isOfSize(found, download);
}

export async function readVerification(file: string): Promise<Verification | undefined> {
  try {
    const known = parseJson(await readPlainText(`${file}.verified.json`)) as Partial<Verification> | null;
    return isWhole(known) ? known : undefined;
  } catch {
    // Absent or damaged: the file is hashed again, which is always right.
    return undefined;
  }
}

export async function remember(file: string, { algorithm, hash }: ExpectedHash): Promise<void> {
  await writeJson(`${file}.verified.json`, {
    ...(await stateOf(file)),
    algorithm,
    hash,
  } satisfies Verification);
}

function isWhole(known: Partial<Verification> | null): known is Verification {
  const { algorithm, hash, sizeBytes, mtimeMs, ctimeMs } = known ?? {};
  return (
    (algorithm === 'sha256' || algorithm === 'md5') &&
    typeof hash === 'string' &&
    [sizeBytes, mtimeMs, ctimeMs].every((number) => typeof number === 'number')
  );
}
