/** What a run would do, for --dry-run. */
import type { BenchConfig } from '../config/config.js';
import type { DatasetPlugin, Download } from '../contracts.js';
import { loadDataset } from '../plugins.js';
import { loadSystem } from '../systems.js';
import { passagesHere } from './needs.js';
import { assertRequirements } from './requirements.js';
import type { RunRequest } from './run-request.js';

export interface Plan {
  /** The stages in order, for people. */
  lines: string[];
  /** The configuration with every value resolved, without what plays no part. */
  config: Partial<BenchConfig>;
}

/**
 * What a run would do. Opens the dataset where that needs no network; trains and writes nothing.
 * @throws BenchError as the run would: for names that are not there, a folder that would not be read, and (CONFIG_INVALID)
 *   options that do not fit the model, as far as its shape is known
 */
export async function planRun(request: RunRequest): Promise<Plan> {
  const { architecture, dataset, config } = request;
  const means = await assertRequirements(request);
  const system = await loadSystem(architecture);
  const { stages, needs } = await (await system.steps()).plan(request, means);
  const { plugin, variant } = await loadDataset(dataset);
  return {
    lines: [
      `dataset   ${dataset}: ${sourceOf(request, plugin, variant)}`,
      `arch      ${architecture}: ${system.summary}`,
      ...stages,
      `measure   ${config.measures.join(', ')}`,
      `latency   ${config.latency.queries} queries, one at a time`,
      ...(await needs(await passagesHere(request))),
      `record    in ${config.out}; cache in ${config.cache}`,
    ],
    config: configOf(system.settings, config),
  };
}

/** @param settings that play a part; all where absent */
function configOf(
  settings: readonly (keyof BenchConfig)[] | undefined,
  config: BenchConfig,
): Partial<BenchConfig> {
  if (settings === undefined) return config;
  const counts: readonly string[] = settings;
  return Object.fromEntries(Object.entries(config).filter(([key]) => counts.includes(key)));
}

function sourceOf({ data, offline }: RunRequest, plugin: DatasetPlugin, variant: string | undefined): string {
  if (data !== undefined) return `read from ${data}`;
  return plugin.embedded
    ? 'embedded, nothing to download'
    : downloadsText(plugin.downloads(variant), offline);
}

function downloadsText(downloads: readonly Download[], offline: boolean): string {
  if (downloads.length === 0) return 'nothing to download';
  const parts = downloads.map(({ name, url, sizeBytes, instructions }) => {
    if (url === '') return `${name} cannot be downloaded: ${instructions ?? 'give a folder with --data DIR'}`;
    return `${name} (${sizeBytes === 0 ? 'size not published' : `${(sizeBytes / 1e6).toFixed(1)} MB`})`;
  });
  if (downloads.every(({ url }) => url === '')) return parts.join('; ');
  return `${offline ? 'from the cache' : 'downloaded unless in the cache'}: ${parts.join(', ')}`;
}
