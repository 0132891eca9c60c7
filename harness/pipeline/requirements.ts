/**
 * What can be known of a run before it begins: that its names exist, that files and folders are there, that this machine has
 * what it asks for. What is found here is a mistake in the request, and no run that failed.
 */
import path from 'node:path';
import type { EncoderShape } from '../contracts.js';
import { BenchError } from '../errors.js';
import { parseMeasures } from '../metrics/measures.js';
import { describeEncoder } from '../model/checkpoint.js';
import { resolveModel } from '../model/hub.js';
import { encoderFolder, readRetrieverFacts } from '../model/retriever-files.js';
import type { RunRequest } from '../pipeline.js';
import { loadArchitecture, loadDataset, loadSparse } from '../plugins.js';
import type { Engine } from '../tensor/engine.js';
import { checkVocabulary } from '../text/tokenizer.js';
import { loadTokenizer } from '../text/tokenizer-folder.js';
import { assertSearcher, assertSearcherName } from './choose-searcher.js';
import { indexBuilder } from './index-stage.js';
import { assertNegatives } from './negative-sources.js';
import { type DatasetChoice, engineOf } from './prepare.js';
import { resolveArchitecture, scratchShape } from './starting-model.js';

/** What a run comes to on this machine, as far as it is known before it begins. */
export interface Means {
  /** Absent where nothing is trained. */
  engine?: Pick<Engine, 'name' | 'device' | 'threads'>;
  /** The searcher that builds the index; absent where it is Flat, or nothing is trained. */
  builder?: string;
  /** D, and vectors per passage; absent where nothing is trained, and where the model is not here. */
  vectors?: { dimensions: number; perPassage: number; atMost: boolean };
}

/**
 * Everything but what stands in the dataset's files, and in a model that would have to be downloaded.
 * @throws BenchError as the run would
 */
export async function assertRequirements(request: RunRequest): Promise<Means> {
  const { architecture, config, negatives } = request;
  parseMeasures(config.measures);
  await assertSearcherName(config);
  await assertDataset(request);
  if ((await loadSparse(architecture)) !== undefined) return {};
  const loaded = await loadArchitecture(architecture);
  const shape = await shapeOf(request);
  const resolved = shape && resolveArchitecture(loaded, shape, config).resolved;
  if (negatives !== undefined) await assertNegatives(negatives);
  await assertSearcher(config);
  const builder = (await indexBuilder(config))?.name;
  const engine = await engineHere(config);
  const means = { engine, ...(builder !== undefined && { builder }) };
  if (shape === undefined || resolved === undefined) return means;
  const { dimensions, maxTokens } = shape;
  const atMost = loaded.pooling === undefined && resolved.vectors === 'varies';
  const stored = resolved.vectors === 'varies' ? maxTokens : resolved.vectors;
  const perPassage = loaded.pooling === undefined ? stored : 1;
  return { ...means, vectors: { dimensions, perPassage, atMost } };
}

async function assertDataset({ dataset, data }: DatasetChoice): Promise<void> {
  const { plugin, variant } = await loadDataset(dataset);
  if (variant === undefined && plugin.variantOnly) {
    throw new BenchError('UNKNOWN_NAME', `${dataset} alone is no dataset: one of several has to be named.`, {
      hint: `Write ${plugin.variants?.map((each) => `${dataset}/${each}`).join(', ')}.`,
    });
  }
  if (data !== undefined && plugin.embedded) {
    throw new BenchError('USAGE', `${dataset} is embedded, and would not read ${data}.`, {
      hint: 'Name the dataset of the folder: --dataset beir, squad or trec.',
    });
  }
}

/** Undefined where the model would have to be downloaded first. */
async function shapeOf({ config, init, offline }: RunRequest): Promise<EncoderShape | undefined> {
  const { name, t5LayerNorm } = config.model;
  if (init === undefined && name === 'scratch') return scratchShape(config);
  const folder =
    init === undefined
      ? await localModel(name, path.join(config.cache, 'hub'), offline)
      : encoderFolder(init, await readRetrieverFacts(init));
  if (folder === undefined) return undefined;
  const encoder = await describeEncoder(folder, { t5LayerNorm });
  checkVocabulary(await loadTokenizer(folder), encoder);
  const maxTokens = Math.min(config.text.passageTokens, encoder.shape.maxTokens);
  return { ...encoder.shape, maxTokens };
}

/** The folder of a model that is here; undefined where it may be downloaded. */
async function localModel(name: string, cacheFolder: string, offline: boolean): Promise<string | undefined> {
  try {
    return (await resolveModel(name, { cacheFolder, offline: true })).folder;
  } catch (error) {
    if (!offline && error instanceof BenchError && error.code === 'DOWNLOAD_FAILED') return undefined;
    throw error;
  }
}

/** Whether opening the dataset needs no network, so that what is wrong with its files can be known at once. */
export async function isLocal({ dataset, data, offline }: DatasetChoice): Promise<boolean> {
  if (data !== undefined || offline) return true;
  const { plugin, variant } = await loadDataset(dataset);
  return plugin.downloads(variant).every(({ url }) => url === '');
}

const enginesHere = new Map<string, NonNullable<Means['engine']>>();

/** @throws BenchError UNAVAILABLE with the command that adds it */
async function engineHere(config: RunRequest['config']): Promise<NonNullable<Means['engine']>> {
  const key = `${config.engine} ${config.threads}`;
  const known = enginesHere.get(key);
  if (known !== undefined) return known;
  const engine = await engineOf(config);
  const { name, device, threads } = engine;
  await engine.dispose();
  const here = { name, device, threads };
  enginesHere.set(key, here);
  return here;
}
