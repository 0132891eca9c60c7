/**
 * What can be known of a run before it begins: that its names exist, that files and folders are there, that this machine has
 * what it asks for. What is found here is a mistake in the request, and no run that failed.
 */
import { BenchError } from '../errors.js';
import { parseMeasures } from '../plugins/measures.js';
import { loadDataset } from '../plugins.js';
import { loadSystem } from '../systems.js';
import { assertSearcherName } from './choose-searcher.js';
import { assertIndexOf } from './index-builder.js';
import type { DatasetChoice } from './open-dataset.js';
import type { RunRequest } from './run-request.js';
import type { Means, System } from './system.js';

/**
 * Everything but what stands in the dataset's files, and in a model that would have to be downloaded.
 * @throws BenchError as the run would
 */
export async function assertRequirements(request: RunRequest): Promise<Means> {
  parseMeasures(request.config.measures);
  await assertSearcherName(request.config);
  await assertDataset(request);
  const system = await loadSystem(request.architecture);
  assertFinds(system);
  const { requirements } = await system.steps();
  const means = await requirements(request);
  await assertIndexOf(request.config, means);
  return means;
}

/** @throws BenchError USAGE for a system that does nothing alone */
export function assertFinds({ name, scoresOnly }: Pick<System, 'name' | 'scoresOnly'>): void {
  if (!scoresOnly) return;
  throw new BenchError('USAGE', `${name} scores passages that another system has found, and finds none.`, {
    hint: `Give it hits: --arch 'rerank:bm25>${name}', in quotes.`,
  });
}

async function assertDataset({ dataset, data, distractors }: DatasetChoice): Promise<void> {
  if (distractors?.from !== undefined) await assertDataset({ offline: true, ...distractors.from });
  const { plugin, variant, address } = await loadDataset(dataset);
  if (plugin.address !== undefined && address === undefined && data === undefined) {
    throw new BenchError('USAGE', `${dataset} alone is no dataset: a repository has to be named.`, {
      hint: `Write --dataset ${dataset}:${plugin.address.form}, or give the folder of a copy with --data DIR.`,
    });
  }
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

/** Whether opening the dataset needs no network, so that what is wrong with its files can be known at once. */
export async function isLocal({ dataset, data, distractors, offline }: DatasetChoice): Promise<boolean> {
  if (distractors?.from !== undefined && !(await isLocal({ offline, ...distractors.from }))) return false;
  if (data !== undefined || offline) return true;
  const { plugin, variant } = await loadDataset(dataset);
  return plugin.address === undefined && plugin.downloads(variant).every(({ url }) => url === '');
}
