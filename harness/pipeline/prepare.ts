/** What every stage needs before it begins: the cache and the dataset. */
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import type { Dataset, DatasetPlugin, Download } from '../contracts.js';
import { BenchError } from '../errors.js';
import { parseMeasures } from '../plugins/measures.js';
import { loadDataset } from '../plugins.js';
import type { Progress, StageProgress } from '../progress.js';
import { stageCode } from '../stages/code.js';
import { fetchFile } from '../store/download.js';
import { stateOf } from '../store/file-state.js';
import { type Anew, Store } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import { openEngine } from '../tensor/engines.js';
import { assertSearcherName } from './choose-searcher.js';

/** Which dataset, and where its files come from. */
export interface DatasetChoice {
  /** `squad`, `dpr/nq` */
  dataset: string;
  /** Folder that holds the dataset; nothing is downloaded then. */
  data?: string;
  offline: boolean;
  /** What may come out of an archive without a published hash; usual limits where absent. */
  config?: Pick<BenchConfig, 'unpack'>;
}

/** A dataset and the settings of one stage. */
export interface StageRequest extends DatasetChoice {
  config: BenchConfig;
  /** Where given, what of the cache is made anew. */
  anew?: Anew;
}

export interface Prepared {
  config: BenchConfig;
  offline: boolean;
  store: Store;
  dataset: Dataset;
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

export async function openDataset(
  request: DatasetChoice,
  store: Store,
  progress: Progress,
): Promise<Dataset> {
  const { plugin, variant, label } = await loadDataset(request.dataset);
  if (label !== undefined && request.data === undefined) {
    throw new BenchError('USAGE', `--dataset ${request.dataset} names a collection of your own.`, {
      hint: 'Say where it lies: --data DIR.',
    });
  }
  const own =
    label ?? (request.data !== undefined && isAnyFolder(plugin, variant) ? nameOf(request.data) : undefined);
  const about = {
    dataset: label === undefined && own !== undefined ? `${request.dataset}:${own}` : request.dataset,
  };
  const code = stageCode('dataset', { dataset: { name: request.dataset } });
  const dataset = await plugin.open({
    ...(variant !== undefined && { variant }),
    ...(request.data !== undefined && { folder: request.data }),
    ...(request.config !== undefined && { unpacking: unpackingOf(request.config) }),
    fetch: fetcher(request, store, progress),
    async remember<T>(what: string, files: readonly string[], find: () => Promise<T>): Promise<T> {
      const inputs = { what, files: await statesOf(files), code };
      const found = await store.artifact('findings', inputs, async () => ({ found: await find() }), about);
      return found.facts.found;
    },
    async keepFile(what, files, make) {
      const inputs = { what, files: await statesOf(files), code };
      const kept = (folder: string) => path.join(folder, 'content');
      const { folder } = await store.artifact(
        'findings',
        inputs,
        async (made) => {
          await make(kept(made));
          return {};
        },
        about,
      );
      return kept(folder);
    },
  });
  if (own !== undefined) dataset.name = `${dataset.name}:${own}`;
  return dataset;
}

const unpackingOf = ({ unpack: { largestGiB, largestRatio } }: Pick<BenchConfig, 'unpack'>) => ({
  bytes: largestGiB * 2 ** 30,
  ratio: largestRatio,
});

/** Whether it opens a layout rather than one collection: nothing is published under its name. */
function isAnyFolder(plugin: DatasetPlugin, variant: string | undefined): boolean {
  const downloads = plugin.downloads(variant);
  return variant === undefined && downloads.length > 0 && downloads.every(({ url }) => url === '');
}

/** The name of a collection that nobody gave a name to. */
const nameOf = (folder: string): string =>
  path.basename(path.resolve(folder)).replace(/[^\w.-]+/g, '-') || 'root';

/** What tells one state of files from another without reading them. */
function statesOf(files: readonly string[]) {
  return Promise.all(files.map(async (file) => ({ file: path.resolve(file), ...(await stateOf(file)) })));
}

/** The cache as a request wants it. */
export const storeOf = ({ config, anew }: Pick<StageRequest, 'config' | 'anew'>, told: Progress): Store =>
  new Store(config.cache, { anew, told });

/** @throws BenchError UNKNOWN_NAME, DATA_INVALID, and whatever the dataset says of its files */
export async function prepare(
  request: StageRequest,
  progress: Progress,
  store: Store = storeOf(request, progress),
): Promise<Prepared> {
  const { config, offline } = request;
  // A slip in a name is better known now than after training.
  parseMeasures(config.measures);
  await assertSearcherName(config);
  const dataset = await openDataset(request, store, progress);
  if (dataset.passageCount === 0) {
    throw new BenchError('DATA_INVALID', `${dataset.name} has no passages.`, {
      hint: 'There is nothing to search.',
    });
  }
  return { config, offline, store, dataset };
}

export function engineOf({ engine, threads }: BenchConfig): Promise<Engine> {
  return openEngine(engine, threads === null ? {} : { threads });
}
