/**
 * A repository of the Hugging Face hub on this machine: from our own cache, else from the cache that the tools of Hugging
 * Face share, else from the hub. Each file is brought when it is asked for, and verified.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { HubRepository } from '../contracts.js';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { writeJson } from './atomic.js';
import { hubAccess, isHubOffline, type Listing, listRepository, type RepositoryFile } from './hub-access.js';
import { bringFile, type HubOptions } from './hub-files.js';
import {
  type HubName,
  isCommit,
  isPathWithin,
  newest,
  type RepositoryKind,
  writtenName,
} from './hub-names.js';
import { findSnapshot, sharedHubCache } from './hub-snapshots.js';
import { readPlainText } from './plain-file.js';

/**
 * @param isEnough whether what is on this machine holds what is needed; where not, the hub is asked
 * @throws BenchError UNKNOWN_NAME, DOWNLOAD_FAILED
 */
export async function openRepository(
  kind: RepositoryKind,
  name: HubName,
  options: HubOptions,
  isEnough: (repository: HubRepository) => boolean | Promise<boolean>,
): Promise<HubRepository> {
  const home = homeOf(kind, name, options);
  const kept = await readKept(home, name.revision);
  if (kept !== undefined) {
    const repository = listedRepository(kind, name, home, kept, options);
    if (await isEnough(repository)) return repository;
  }
  const snapshot = await findSnapshot(kind, name);
  if (snapshot !== undefined) {
    const { folder } = snapshot;
    const repository: HubRepository = {
      ...{ ...snapshot, name: writtenName(name), isWhole: false },
      fetch: async (file) => presentIn(folder, file, kind, name),
      keep: async () => undefined,
    };
    if (await isEnough(repository)) return repository;
  }
  if (options.offline || isHubOffline()) throw notHere(kind, name, home, snapshot?.folder);
  const listing = await listRepository(kind, name, hubAccess(options.hubUrl));
  return listedRepository(kind, name, home, listing, options);
}

/** Where what is fetched of a repository is kept. */
function homeOf(kind: RepositoryKind, { repository }: HubName, { cacheFolder }: HubOptions): string {
  const key = repository.replace('/', '--');
  return path.join(path.resolve(cacheFolder), kind === 'model' ? key : `${kind}s--${key}`);
}

/** What an earlier run fetched: `revision.json`, or `revision@NAME.json` where NAME was pinned. */
const keptFile = (home: string, revision: string | undefined): string =>
  path.join(
    home,
    revision === undefined || revision === newest
      ? 'revision.json'
      : `revision@${encodeURIComponent(revision)}.json`,
  );

async function readKept(home: string, asked: string | undefined): Promise<Listing | undefined> {
  const own = await readKeptFile(home, keptFile(home, asked));
  if (own !== undefined || !isCommit(asked)) return own;
  const main = await readKeptFile(home, keptFile(home, undefined));
  return main?.revision === asked ? main : undefined;
}

async function readKeptFile(home: string, file: string): Promise<Listing | undefined> {
  const text = await readPlainText(file).catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { name: repository, revision, files } = parseJson(text) as Readonly<Record<string, unknown>>;
    if (typeof repository !== 'string' || !isCommit(revision)) return undefined;
    if (!(Array.isArray(files) && files.every(isListed))) return undefined;
    if (!(await stat(path.join(home, revision))).isDirectory()) return undefined;
    return { repository, revision, files };
  } catch {
    // Damaged or deleted: it is fetched again, and what is there of it is verified.
    return undefined;
  }
}

function isListed(value: unknown): value is RepositoryFile {
  const { path: file, size, oid, lfs } = (value ?? {}) as Partial<Record<keyof RepositoryFile, unknown>>;
  const isHash = (hash: unknown) => typeof hash === 'string' && /^[0-9a-f]{40,64}$/.test(hash);
  return (
    isPathWithin(file) &&
    Number.isSafeInteger(size) &&
    (size as number) >= 0 &&
    (lfs === undefined ? oid === undefined || isHash(oid) : isHash((lfs as { oid?: unknown } | null)?.oid))
  );
}

function listedRepository(
  kind: RepositoryKind,
  name: HubName,
  home: string,
  listing: Listing,
  options: HubOptions,
): HubRepository {
  const { repository, revision, files } = listing;
  const folder = path.join(home, revision);
  const listed = new Map(files.map((file) => [file.path, file]));
  return {
    ...{ name: writtenName({ ...name, repository }), revision, folder },
    ...{ files: [...listed.keys()].sort(), isWhole: true },
    lacks: (file) => !listed.has(file),
    async fetch(file) {
      const known = listed.get(file);
      if (known === undefined) throw new TypeError(`${file} is not in the list of ${repository}`);
      return bringFile(kind, listing, known, folder, options);
    },
    keep: () =>
      writeJson(keptFile(home, name.revision), { name: repository, revision, files: [...listed.values()] }),
  };
}

async function presentIn(folder: string, file: string, kind: RepositoryKind, name: HubName): Promise<string> {
  const found = path.join(folder, ...file.split('/'));
  if ((await stat(found).catch(() => undefined))?.isFile()) return found;
  throw new BenchError('DOWNLOAD_FAILED', `${found} of the ${kind} ${writtenName(name)} is gone.`, {
    hint: 'Start the same command again, with the network.',
  });
}

function notHere(
  kind: RepositoryKind,
  name: HubName,
  home: string,
  snapshot: string | undefined,
): BenchError {
  const shared = snapshot === undefined ? sharedHubCache() : `${snapshot}, which lacks files`;
  const copy = kind === 'model' ? ', or give the folder of a copy with --model DIR' : '';
  return new BenchError(
    'DOWNLOAD_FAILED',
    `The ${kind} ${writtenName(name)} is not in the cache (${home}), nor in that of Hugging Face's tools (${shared}), and the network may not be used.`,
    { hint: `Run once with the network${copy}. HF_HOME and HF_HUB_CACHE say where that cache lies.` },
  );
}
