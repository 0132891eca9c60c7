/** The files of a dataset on this machine: what is here, bringing the rest, checking it, and what it holds. */
import type { Dataset, Download, Split } from '../contracts.js';
import { qrelsById } from '../dataset/qrels.js';
import { BenchError } from '../errors.js';
import { writeQrels } from '../interchange/qrels.js';
import { datasetsNamed, loadDataset } from '../plugins.js';
import type { Progress } from '../progress.js';
import { type Holding, holdingOf, verifyHolding } from '../store/holdings.js';
import { removePartialsOf } from '../store/partials.js';
import { Store } from '../store/store.js';
import { byHand } from '../store/verification.js';
import { assertFileTakes } from '../store/writable.js';
import { type DatasetChoice, fetcher, openDataset } from './open-dataset.js';

export type { Holding } from '../store/holdings.js';

export interface DatasetFilesRequest extends DatasetChoice {
  /** The cache. */
  cache: string;
}

/** What an opened dataset holds. */
export interface DatasetContents {
  version: string;
  passages: number;
  splits: Record<Split, { queries: number; qrels: number }>;
  answerMatching: 'string' | 'regex' | null;
  /** Lowest relevance that measures without grades count. */
  relevantFrom: number;
  hasNegatives: boolean;
  remarks: readonly string[];
}

export interface DatasetInfo {
  name: string;
  summary: string;
  /** The names that it stands for, where it stands for several. */
  members: readonly string[];
  holdings: readonly Holding[];
  /** Where it was opened. */
  contents?: DatasetContents;
}

/** Every download of a dataset, or of all members of a group, each once. */
async function downloadsOf(name: string): Promise<Download[]> {
  const byName = new Map<string, Download>();
  for (const member of await datasetsNamed(name)) {
    const { plugin, variant } = await loadDataset(member);
    for (const download of plugin.downloads(variant)) byName.set(download.name, download);
  }
  return [...byName.values()];
}

export async function datasetInfo(
  request: DatasetFilesRequest,
  { open }: { open: boolean },
  progress: Progress,
): Promise<DatasetInfo> {
  const { dataset: name, cache, data } = request;
  const store = new Store(cache);
  const named = await datasetsNamed(name);
  const { plugin } = await loadDataset(named[0]!);
  const downloads = data === undefined ? await downloadsOf(name) : [];
  const holdings = await Promise.all(downloads.map((each) => holdingOf(each, store.downloadsOf(name))));
  const isOpened = named.length === 1 && (open || data !== undefined || plugin.embedded === true);
  return {
    name,
    summary: plugin.summary,
    members: named.length > 1 ? named : [],
    holdings,
    ...(isOpened && { contents: await contentsOf(await openDataset(request, store, progress)) }),
  };
}

async function contentsOf(dataset: Dataset): Promise<DatasetContents> {
  const splits = {} as DatasetContents['splits'];
  for (const split of ['train', 'dev', 'test'] as const) {
    const [queries, qrels] = [await dataset.queries(split), await dataset.qrels(split)];
    splits[split] = { queries: queries.length, qrels: qrels.length };
  }
  return {
    version: dataset.version,
    passages: dataset.passageCount,
    splits,
    answerMatching: dataset.answerMatching ?? null,
    relevantFrom: dataset.relevantFrom ?? 1,
    hasNegatives: dataset.negatives !== undefined,
    remarks: dataset.remarks ?? [],
  };
}

/**
 * Brings what is not here, verified. What was cut is gone on with.
 * @throws BenchError DOWNLOAD_FAILED, which without a network names everything that is missing and where it has to be put
 */
export async function getDataset(request: DatasetFilesRequest, progress: Progress): Promise<Holding[]> {
  const { dataset: name, cache, offline } = request;
  const store = new Store(cache);
  if (await isAddress(name)) return repositoryHoldings(await openDataset(request, store, progress));
  const folder = store.downloadsOf(name);
  const downloads = await downloadsOf(name);
  if (offline) refuseMissing(name, await Promise.all(downloads.map((each) => holdingOf(each, folder))));
  const fetch = fetcher(request, store, progress);
  for (const download of downloads) await fetch(download);
  return Promise.all(downloads.map((each) => holdingOf(each, folder)));
}

/** Whether it is a repository, whose files are not known before it is asked. */
async function isAddress(name: string): Promise<boolean> {
  const { plugin } = await loadDataset((await datasetsNamed(name))[0]!);
  return plugin.address !== undefined;
}

/** What was fetched of a repository: each file was verified when it came. */
function repositoryHoldings({ files, licence, version }: Dataset): Holding[] {
  return files.map(({ name, sizeBytes, sha256 }) => ({
    download: { name, url: `hub at ${version}`, sizeBytes, sha256, licence },
    file: name,
    state: 'verified',
    sizeBytes,
  }));
}

function refuseMissing(name: string, holdings: readonly Holding[]): void {
  const missing = holdings.filter(({ state }) => state === 'missing' || state === 'partly');
  if (missing.length === 0) return;
  const list = missing.map(({ download, file }) => `\n  ${download.name}, which belongs at ${file}`).join('');
  throw new BenchError(
    'DOWNLOAD_FAILED',
    `${name} lacks ${missing.length} of ${holdings.length} files, and the network may not be used:${list}`,
    { hint: missing.map(({ download, file }) => byHand(download, file)).join('\n  ') },
  );
}

/** Computes every hash anew. */
export async function verifyDataset(
  { dataset: name, cache }: DatasetFilesRequest,
  progress: Progress,
): Promise<Holding[]> {
  if (await isAddress(name)) {
    throw new BenchError('USAGE', `The files of ${name} were verified when they were fetched.`, {
      hint: 'Where one has been touched since, it is verified again when it is used.',
    });
  }
  const folder = new Store(cache).downloadsOf(name);
  const holdings: Holding[] = [];
  for (const download of await downloadsOf(name)) {
    progress.checkInterrupted();
    const { state } = await holdingOf(download, folder);
    // Gigabytes are read here.
    if (state === 'verified' || state === 'here') progress.note(`verifying ${download.name}`);
    holdings.push(await verifyHolding(download, folder));
  }
  return holdings;
}

/**
 * Writes the qrels of a split in TREC's format. Query ids are those of the dataset.
 * @throws BenchError DATA_INVALID where the split has none
 */
export async function exportQrels(
  request: DatasetFilesRequest,
  { split, out }: { split: Split; out: string },
  progress: Progress,
): Promise<{ queries: number; qrels: number }> {
  await assertFileTakes(out);
  const dataset = await openDataset(request, new Store(request.cache, { told: progress }), progress);
  const qrels = await dataset.qrels(split);
  if (qrels.length === 0) {
    throw new BenchError('DATA_INVALID', `${dataset.name} has no ${split} qrels.`, {
      hint: `'bench dataset info ${dataset.name}' shows which splits it has.`,
    });
  }
  const byQuery = qrelsById(qrels);
  await removePartialsOf(out);
  await writeQrels(out, byQuery);
  return { queries: byQuery.size, qrels: qrels.length };
}
