/** Files from the network: brought once, checked against what their publisher says of them, kept in the cache. */
import { rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Download } from '../contracts.js';
import { BenchError, fileError } from '../errors.js';
import { assertGoesOn, interruption } from '../interruption.js';
import { hashFile } from './hash.js';
import { withLock } from './lock.js';
import { makeFolder } from './make-folder.js';
import { discardPart, sizeOf, transfer } from './transfer.js';
import { TransferError } from './transfer-error.js';
import {
  byHand,
  expectedHash,
  firstSeen,
  isOfSize,
  isVerified,
  readVerification,
  remember,
} from './verification.js';

export interface FetchOptions {
  /** The network may not be used: only what is in the cache is given. */
  offline?: boolean | undefined;
  /** Called with every piece that comes; the first call says what was there already. */
  onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  /** Sent with every request: an access token. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** An attempt fails after so long without a byte. */
  stallMs?: number | undefined;
  /** Further attempts, counted anew whenever one has gained bytes. */
  retries?: number | undefined;
}

/**
 * The path of a downloaded file, `folder/NAME`, fetched where it is not there. A download that was cut or killed goes
 * on where it stopped. Nothing stands under the name before size and hash are right, and they are not computed again
 * while the file stays untouched (`NAME.verified.json`). Processes that want the same file wait for each other.
 * @throws BenchError LOCKED where another brings it and waiting is not wished for; DOWNLOAD_FAILED where it cannot be had, or is not what was promised (then it is removed);
 *   CACHE_INVALID where a file of the name is there and is another one (it is left alone); DISK_FULL; NOT_WRITABLE
 */
export async function fetchFile(
  download: Download,
  folder: string,
  options: FetchOptions = {},
): Promise<string> {
  const file = path.resolve(folder, download.name);
  if (await isPresent(download, file)) return file;
  if (options.offline) {
    throw new BenchError(
      'DOWNLOAD_FAILED',
      `${download.name} is not at ${file}, and the network may not be used.`,
      { hint: byHand(download, file) },
    );
  }
  if (download.url === '') {
    throw new BenchError(
      'DOWNLOAD_FAILED',
      `${download.name} is not at ${file}, and cannot be fetched from here.`,
      { hint: byHand(download, file) },
    );
  }
  await makeFolder(path.dirname(file));
  return withLock(`${file}.lock`, async () => {
    if (!(await isPresent(download, file))) await bring(download, file, options);
    return file;
  });
}

/** Whether the file is there and right. One that somebody put there by hand is checked like any other. */
async function isPresent(download: Download, file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return false;
  const known = await readVerification(file);
  // Where nothing is published, what was first here is what is expected.
  const expected = expectedHash(download) ?? known ?? (await firstSeen(file));
  if (isVerified(found, known, expected, download)) return true;
  const isSize = isOfSize(found, download);
  let seen = `${found.size} bytes`;
  if (found.isFile() && isSize) {
    const hash = await hashFile(file, expected.algorithm);
    if (hash === expected.hash) {
      await remember(file, expected);
      return true;
    }
    seen = `${expected.algorithm} ${hash}`;
  }
  throw new BenchError(
    'CACHE_INVALID',
    `${file} is not the file that ${download.name} should be: it has ${seen}.`,
    { hint: `Delete it and start again to have it fetched. ${byHand(download, file)}` },
  );
}

/** Downloads, checks and names the file. */
async function bring(download: Download, file: string, options: FetchOptions): Promise<void> {
  const part = `${file}.part`;
  const published = expectedHash(download);
  let wasContinued = await attempts(download, file, options);
  let hash = await hashFile(part, published?.algorithm);
  const expected = published ?? { algorithm: 'sha256', hash };
  if (hash !== expected.hash && wasContinued) {
    // The file may have changed between the pieces: whole, from one answer, it may yet be right.
    await discardPart(part);
    wasContinued = await attempts(download, file, options);
    hash = await hashFile(part, expected.algorithm);
  }
  if (hash !== expected.hash) {
    await discardPart(part);
    const wrong = `its ${expected.algorithm} is ${hash} and ${expected.hash} was expected; it has been removed`;
    throw failure(download, file, wrong, undefined, 0);
  }
  try {
    await rename(part, file);
  } catch (error) {
    throw fileError(error, file);
  }
  await rm(`${part}.json`, { force: true });
  await remember(file, expected);
}

/** Tries until the part is whole; bytes gained give fresh patience. Returns whether it was put together from pieces. */
async function attempts(download: Download, file: string, options: FetchOptions): Promise<boolean> {
  const part = `${file}.part`;
  const retries = options.retries ?? 4;
  let most = await sizeOf(part);
  for (let vain = 0; ; vain++) {
    let pauseMs = Math.min(500 * 2 ** vain, 10_000);
    try {
      return await transfer(download, part, {
        headers: options.headers ?? {},
        stallMs: options.stallMs ?? 60_000,
        onProgress: options.onProgress ?? (() => undefined),
      });
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      const has = await sizeOf(part);
      if (has > most) vain = 0;
      most = Math.max(most, has);
      if (!error.again || vain >= retries) throw failure(download, file, error.message, error, has);
      pauseMs = Math.max(pauseMs, error.afterMs ?? 0);
    }
    await waited(pauseMs);
  }
}

function failure(download: Download, file: string, reason: string, cause: unknown, kept: number): BenchError {
  const goesOn =
    kept > 0 ? `Start the same command again to go on from the ${kept} bytes that are here. ` : '';
  const message = `${download.name} could not be downloaded from ${download.url}: ${reason}.`;
  return new BenchError('DOWNLOAD_FAILED', message, { hint: `${goesOn}${byHand(download, file)}`, cause });
}

/** @throws BenchError INTERRUPTED */
export async function waited(milliseconds: number): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal: interruption }).catch(() => assertGoesOn());
}
