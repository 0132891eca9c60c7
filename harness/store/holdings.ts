/** What is on this machine of a download. Never uses the network. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Download } from '../contracts.js';
import { hashFile } from './hash.js';
import { sizeOf } from './transfer.js';
import { expectedHash, firstSeen, isOfSize, isVerified, readVerification, remember } from './verification.js';

/**
 * `verified`: there, and its hash was right when it was last computed; `here`: there, not computed yet; `partly`: a download
 * that was cut, which the next one goes on with; `wrong`: there, and not what its publisher describes.
 */
export type HoldingState = 'verified' | 'here' | 'partly' | 'missing' | 'wrong';

export interface Holding {
  download: Download;
  /** Where it lies, or would. */
  file: string;
  state: HoldingState;
  /** Bytes that are here. */
  sizeBytes: number;
  /** What is wrong: the size or the hash that was found. */
  found?: string;
}

/** Looks at names, sizes and what was verified before; computes no hash. */
export async function holdingOf(download: Download, folder: string): Promise<Holding> {
  const file = path.resolve(folder, download.name);
  const there = await stat(file).catch(() => undefined);
  if (there === undefined) {
    const sizeBytes = await sizeOf(`${file}.part`);
    return { download, file, state: sizeBytes > 0 ? 'partly' : 'missing', sizeBytes };
  }
  const holding = { download, file, sizeBytes: there.size };
  if (!there.isFile()) return { ...holding, state: 'wrong', found: 'no file' };
  if (!isOfSize(there, download)) return { ...holding, state: 'wrong', found: `${there.size} bytes` };
  const known = await readVerification(file);
  const expected = expectedHash(download) ?? known;
  const isKnown = expected !== undefined && isVerified(there, known, expected, download);
  return { ...holding, state: isKnown ? 'verified' : 'here' };
}

/**
 * The same with the hash computed anew, whatever was known: bytes rot, and files are edited. Where the publisher gives no
 * hash, the one that the file had first is what it has to have.
 */
export async function verifyHolding(download: Download, folder: string): Promise<Holding> {
  const holding = await holdingOf(download, folder);
  const { state, file } = holding;
  if (state !== 'verified' && state !== 'here') return holding;
  const expected = expectedHash(download) ?? (await readVerification(file)) ?? (await firstSeen(file));
  const hash = await hashFile(file, expected.algorithm);
  if (hash !== expected.hash) return { ...holding, state: 'wrong', found: `${expected.algorithm} ${hash}` };
  await remember(file, expected);
  return { ...holding, state: 'verified' };
}
