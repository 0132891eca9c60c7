/** What every stage needs before it begins: the cache and the dataset. */
import type { BenchConfig } from '../config/config.js';
import type { Dataset, Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import { parseMeasures } from '../plugins/measures.js';
import type { Progress } from '../progress.js';
import { type Anew, Store } from '../store/store.js';
import { assertCacheTakes } from '../store/writable.js';
import type { Engine } from '../tensor/engine.js';
import { openEngine } from '../tensor/engines.js';
import { assertSearcherName } from './choose-searcher.js';
import { type DatasetChoice, openDataset } from './open-dataset.js';

/** A dataset and the settings of one stage. */
export interface StageRequest extends DatasetChoice {
  config: BenchConfig;
  /** Where given, what of the cache is made anew. */
  anew?: Anew;
}

export interface Session {
  config: BenchConfig;
  offline: boolean;
  store: Store;
  dataset: Dataset;
}

/** The cache as a request wants it. */
export const storeOf = ({ config, anew }: Pick<StageRequest, 'config' | 'anew'>, told: Progress): Store =>
  new Store(config.cache, { anew, told });

/** @throws BenchError UNKNOWN_NAME, DATA_INVALID, and whatever the dataset says of its files */
export async function prepare(
  request: StageRequest,
  progress: Progress,
  store: Store = storeOf(request, progress),
): Promise<Session> {
  const { config, offline } = request;
  // A slip in a name is better known now than after training.
  parseMeasures(config.measures);
  await assertSearcherName(config);
  await assertCacheTakes(store.root);
  const dataset = await openDataset(request, store, progress);
  if (dataset.passageCount === 0) {
    throw new BenchError('DATA_INVALID', `${dataset.name} has no passages.`, {
      hint: 'There is nothing to search.',
    });
  }
  return { config, offline, store, dataset };
}

/** @param missing what there are none of: `queries to mine negatives for` */
export async function assertQueries({ dataset }: Session, split: Split, missing: string): Promise<void> {
  if ((await dataset.queries(split)).length > 0) return;
  const what = missing.replace(/^queries/, `${split} queries`);
  throw new BenchError('DATA_INVALID', `${dataset.name} has no ${what}.`, {
    hint: 'Choose another part of it with --split train, dev or test.',
  });
}

/** @param told where given, is told of a GPU that nobody asked for by name */
export async function engineOf(
  { engine: name, device, threads }: BenchConfig,
  told?: Pick<Progress, 'note'>,
): Promise<Engine> {
  const engine = await openEngine(name, { device, ...(threads !== null && { threads }) });
  if (device === 'auto' && engine.device !== 'cpu') {
    const { gpu } = engine.versions;
    const which = gpu === undefined ? '' : ` (${gpu})`;
    told?.note(`computes on ${engine.device}${which}, chosen by auto; --device cpu is the processor`);
  }
  return engine;
}
