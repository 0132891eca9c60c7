/** One file of a repository of the hub, verified against what the hub lists. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { writeAtomic } from './atomic.js';
import { fetchFile } from './download.js';
import {
  fileUrl,
  hubAccess,
  isHubOffline,
  type Listing,
  type RepositoryFile,
  smallFile,
} from './hub-access.js';
import type { RepositoryKind } from './hub-names.js';
import { readPlain } from './plain-file.js';

/** Where what is fetched of the hub lies in the cache. */
export const hubFolder = (cache: string): string => path.join(cache, 'hub');

export interface HubOptions {
  /** Where our own downloads of the hub lie. */
  cacheFolder: string;
  /** The network may not be used: only what is on this machine is given. */
  offline?: boolean | undefined;
  /** The hub's address; HF_ENDPOINT of the environment where absent, else the public hub. */
  hubUrl?: string | undefined;
  /** Called while the large files come. */
  onProgress?: ((file: string, doneBytes: number, totalBytes: number) => void) | undefined;
}

/** One file: those outside of git through the resumable download, small ones at once; either is verified. */
export async function bringFile(
  kind: RepositoryKind,
  listing: Listing,
  file: RepositoryFile,
  folder: string,
  { hubUrl, offline, onProgress }: HubOptions,
): Promise<string> {
  const access = hubAccess(hubUrl);
  const url = fileUrl(kind, listing, access, file.path);
  const isOffline = offline === true || isHubOffline();
  const headers: Record<string, string> =
    access.token === undefined ? {} : { authorization: `Bearer ${access.token}` };
  if (file.lfs !== undefined) {
    const licence = `see ${access.hubUrl}/${listing.repository}`;
    const download = { name: file.path, url, sizeBytes: file.size, sha256: file.lfs.oid, licence };
    return fetchFile(download, folder, {
      ...{ headers, offline: isOffline },
      onProgress: (done, total) => onProgress?.(file.path, done, total),
    });
  }
  const target = path.join(folder, ...file.path.split('/'));
  const isRight = (bytes: Uint8Array) =>
    bytes.byteLength === file.size && (file.oid === undefined || file.oid === gitBlobHash(bytes));
  const present = await readPlain(target).catch(() => undefined);
  if (present !== undefined && isRight(present)) return target;
  if (isOffline) {
    const seen = present === undefined ? 'is not here' : 'is not the file that it should be';
    throw new BenchError('DOWNLOAD_FAILED', `${target} ${seen}, and the network may not be used.`, {
      hint: 'Start the same command once with the network.',
    });
  }
  const bytes = await smallFile(kind, listing, access, file.path);
  if (!isRight(bytes)) {
    const seen = `${bytes.byteLength} bytes, git hash ${gitBlobHash(bytes)}`;
    throw new BenchError(
      'DOWNLOAD_FAILED',
      `${url} gave ${seen}; expected ${file.size} bytes, ${file.oid}.`,
      { hint: 'Start the same command again; a proxy or a mirror may have answered in its place.' },
    );
  }
  await writeAtomic(target, bytes);
  return target;
}

/** What git calls a file's content. */
function gitBlobHash(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');
}
