/** Opens a dataset: from the cache, a folder or the network; what it finds out of its files is kept. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import type { Dataset, DatasetPlugin, DatasetRequest, Download } from '../contracts.js';
import { checkedDataset } from '../dataset/checked.js';
import { BenchError, changedWhileRead } from '../errors.js';
import { loadDataset } from '../plugins.js';
import type { Progress, StageProgress } from '../progress.js';
import { stageCode } from '../stages/code.js';
import { fetchFile } from '../store/download.js';
import { hubFolder } from '../store/hub-files.js';
import { parseHubName } from '../store/hub-names.js';
import { openRepository } from '../store/hub-repository.js';
import { downloadsOf, type Store } from '../store/store.js';
import { type DistractorsChoice, withDistractors } from './distractors.js';

/** Which dataset, and where its files come from. */
export interface DatasetChoice {
  /** `squad`, `dpr/nq` */
  dataset: string;
  /** Folder that holds the dataset; nothing is downloaded then. */
  data?: string;
  offline: boolean;
  /** What may come out of an archive without a published hash; usual limits where absent. */
  config?: Pick<BenchConfig, 'unpack'>;
  /** Passages that are added to it. */
  distractors?: DistractorsChoice;
}

/** Brings the downloads of a dataset into the cache; says so only where one has to be brought. */
export function fetcher(
  { dataset, offline }: Pick<DatasetChoice, 'dataset' | 'offline'>,
  store: Store,
  progress: Progress,
): (download: Download) => Promise<string> {
  return async (download) => {
    let stage: StageProgress | undefined;
    const onProgress = (doneBytes: number, totalBytes: number) => {
      stage ??= progress.stage(`download ${download.name}`, totalBytes, 'bytes');
      stage.update(doneBytes);
      progress.checkInterrupted();
    };
    const file = await fetchFile(download, store.downloadsOf(dataset), { offline, onProgress });
    stage?.end();
    return file;
  };
}

/** Opens repositories of datasets of the hub. @param progress absent where nothing may be fetched */
function repositories(
  cache: string,
  offline: boolean,
  progress?: Progress,
): NonNullable<DatasetRequest['repository']> {
  return async (name, isEnough) => {
    const found = parseHubName(name);
    if (found === undefined) throw new TypeError(`${name} is no name of the hub`);
    let stage: StageProgress | undefined;
    return openRepository(
      'dataset',
      found,
      {
        ...{ cacheFolder: hubFolder(cache), offline },
        onProgress(file, done, total) {
          if (done === 0 || stage === undefined) stage = progress?.stage(`download ${file}`, total, 'bytes');
          stage?.update(done);
          if (done === total) stage?.end();
          progress?.checkInterrupted();
        },
      },
      isEnough,
    );
  };
}

/**
 * Opens a dataset that needs no network, its files lying in the cache perhaps, and keeps nothing of what it finds out.
 * @throws BenchError DOWNLOAD_FAILED where it is not here
 */
export async function openDatasetHere(name: string, cache: string, folder?: string): Promise<Dataset> {
  const { plugin, variant, address } = await loadDataset(name);
  return plugin.open({
    ...(variant !== undefined && { variant }),
    ...(address !== undefined && { address }),
    ...(folder !== undefined && { folder }),
    repository: repositories(cache, true),
    fetch: (download) => fetchFile(download, downloadsOf(cache, name), { offline: true }),
  });
}

/** @throws also, where it has distractors, as `withDistractors` */
export async function openDataset(
  request: DatasetChoice,
  store: Store,
  progress: Progress,
): Promise<Dataset> {
  const { distractors, ...alone } = request;
  const whole = await openAlone(alone, store, progress);
  if (distractors === undefined) return whole;
  const { from } = distractors;
  const { data: _, ...others } = alone;
  const source = from && (await openAlone({ ...others, ...from }, store, progress));
  return withDistractors(whole, source, distractors, store, progress);
}

async function openAlone(request: DatasetChoice, store: Store, progress: Progress): Promise<Dataset> {
  const { plugin, variant, label, address } = await loadDataset(request.dataset);
  if (label !== undefined && request.data === undefined) {
    throw new BenchError('USAGE', `--dataset ${request.dataset} names a collection of your own.`, {
      hint: 'Say where it lies: --data DIR.',
    });
  }
  const own =
    label ??
    (request.data !== undefined && address === undefined && isAnyFolder(plugin, variant)
      ? nameOf(request.data)
      : undefined);
  const about = {
    dataset: label === undefined && own !== undefined ? `${request.dataset}:${own}` : request.dataset,
  };
  const code = stageCode('dataset', { dataset: { name: request.dataset } });
  const opened = await plugin.open({
    ...(variant !== undefined && { variant }),
    ...(address !== undefined && { address }),
    ...(request.data !== undefined && { folder: request.data }),
    repository: repositories(store.root, request.offline, progress),
    ...(request.config !== undefined && { unpacking: unpackingOf(request.config) }),
    fetch: fetcher(request, store, progress),
    sha256Of: (file) => store.hashes.of(file),
    async remember<T>(what: string, files: readonly string[], find: () => Promise<T>): Promise<T> {
      const inputs = { what, files: await contentsOf(files, store), code };
      const begin = async () => {
        const found = await find();
        await assertStill(files, inputs.files, store);
        return { found };
      };
      const { facts } = await store.artifact('findings', inputs, begin, about);
      return facts.found;
    },
    async keepFile(what, files, make) {
      const inputs = { what, files: await contentsOf(files, store), code };
      const kept = (folder: string) => path.join(folder, 'content');
      const begin = async (made: string) => {
        const reading = await readingOf(files, progress);
        await make(kept(made), reading.update);
        reading.end();
        await assertStill(files, inputs.files, store);
        return {};
      };
      return kept((await store.artifact('findings', inputs, begin, about)).folder);
    },
  });
  const dataset = checkedDataset(opened);
  if (own !== undefined) dataset.name = `${dataset.name}:${own}`;
  return dataset;
}

const unpackingOf = ({ unpack: { largestGiB, largestRatio } }: Pick<BenchConfig, 'unpack'>) => ({
  bytes: largestGiB * 2 ** 30,
  ratio: largestRatio,
});

/** Tells how far some files have been gone through, from when it is told so itself: most take too little to be worth a line. */
async function readingOf(files: readonly string[], progress: Progress) {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  let stage: StageProgress | undefined;
  const update = (doneBytes: number) => {
    stage ??= progress.stage(
      `look through ${files.map((file) => path.basename(file)).join(', ')}`,
      totalBytes,
      'bytes',
    );
    stage.update(Math.min(doneBytes, totalBytes));
    progress.checkInterrupted();
  };
  const end = () => {
    stage?.update(totalBytes);
    stage?.end();
  };
  return { update, end };
}

/** Whether it opens a layout rather than one collection: nothing is published under its name. */
function isAnyFolder(plugin: DatasetPlugin, variant: string | undefined): boolean {
  if (plugin.address !== undefined) return true;
  const downloads = plugin.downloads(variant);
  return variant === undefined && downloads.length > 0 && downloads.every(({ url }) => url === '');
}

/** The name of a collection that nobody gave a name to. */
const nameOf = (folder: string): string =>
  path.basename(path.resolve(folder)).replace(/[^\w.-]+/g, '-') || 'root';

interface NamedContent {
  name: string;
  sha256: string;
}

/** What was found out of files is kept by the hash that they had before. @throws BenchError DATA_INVALID */
async function assertStill(
  files: readonly string[],
  before: readonly NamedContent[],
  store: Store,
): Promise<void> {
  const now = await contentsOf(files, store);
  const at = now.findIndex(({ sha256 }, i) => sha256 !== before[i]!.sha256);
  if (at >= 0) throw changedWhileRead(files[at]!);
}

/** Files by what they hold, and by their names as seen from the folder of the first: wherever that lies. */
function contentsOf(files: readonly string[], store: Store): Promise<NamedContent[]> {
  const [first = ''] = files;
  return Promise.all(
    files.map(async (file) => ({
      name: path.relative(path.dirname(first), file).split(path.sep).join('/'),
      sha256: await store.hashes.of(file),
    })),
  );
}
