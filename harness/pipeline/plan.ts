/** What a run would do, for --dry-run. */
import type { BenchConfig } from '../config/config.js';
import type { Download } from '../contracts.js';
import type { RunRequest } from '../pipeline.js';
import { loadArchitecture, loadDataset, loadSparse } from '../plugins.js';
import { diskLine, memoryLine, passagesHere } from './needs.js';
import { assertRequirements, type Means } from './requirements.js';
import { scoringOf } from './sparse-index.js';

import { secondStage } from './training.js';

export interface Plan {
  /** The stages in order, for people. */
  lines: string[];
  /** The configuration with every value resolved, without what plays no part. */
  config: Partial<BenchConfig>;
}

/** The second training, as `stage2.*` has it. */
function secondStagePlan(config: BenchConfig): string {
  const { init, negatives, examples, depth } = config.stage2;
  const { epochs, negativePool } = secondStage(config).train;
  const from = init === 'first' ? 'from the weights of the first training' : 'from the model again';
  const found = `mined with the first training's weights (${depth} hits)`;
  const [original, mined] =
    examples === 'concatenated'
      ? ['the examples of the first training and, behind them,', `examples ${found}`]
      : ['the negatives of the first training and', `negatives ${found}`];
  const on = negatives === 'both' ? `${original} ${mined}` : `${mined} alone`;
  return `${epochs} epochs ${from}, on ${on}; a pool of ${negativePool} each`;
}

/** What of the configuration counts where nothing is trained. */
const sparseKeys = [
  'preset',
  'search',
  'bm25',
  'latency',
  'measures',
  'measure',
  'seeds',
  'cache',
  'out',
  'keep',
];

/** What `auto` came to on this machine. */
function engineText({ engine }: Means, config: BenchConfig): string {
  const { name, device, threads } = engine!;
  const chosen = config.engine === 'auto' ? ', chosen by auto' : '';
  return `${name} on ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}${chosen}`;
}

function sourceOf(downloads: readonly Download[], offline: boolean): string {
  if (downloads.length === 0) return 'nothing to download';
  const parts = downloads.map(({ name, url, sizeBytes, instructions }) => {
    if (url === '') return `${name} cannot be downloaded: ${instructions ?? 'give a folder with --data DIR'}`;
    return `${name} (${sizeBytes === 0 ? 'size not published' : `${(sizeBytes / 1e6).toFixed(1)} MB`})`;
  });
  if (downloads.every(({ url }) => url === '')) return parts.join('; ');
  return `${offline ? 'from the cache' : 'downloaded unless in the cache'}: ${parts.join(', ')}`;
}

/**
 * @throws BenchError as the run would: for names that are not there, a folder that would not be read, and (CONFIG_INVALID)
 *   options that do not fit the model, as far as its shape is known
 */
export async function planOf(request: RunRequest): Promise<Plan> {
  const { architecture, dataset, seed, data, offline, config, init, negatives } = request;
  const means = await assertRequirements(request);
  const passages = await passagesHere(request);
  const { plugin, variant } = await loadDataset(dataset);
  const { train, model, encode, search, latency } = config;
  const downloads = plugin.downloads(variant);
  const source =
    data !== undefined
      ? `read from ${data}`
      : plugin.embedded
        ? 'embedded, nothing to download'
        : sourceOf(downloads, offline);
  const { scratch } = model;
  const from =
    init !== undefined
      ? `the trained checkpoint ${init}, which began with ${model.name}`
      : model.name === 'scratch'
        ? `a BERT with random weights, ${scratch.layers} layers, D=${scratch.dimensions}, vocabulary of ${scratch.vocabularySize} from the collection`
        : model.name;
  const sparse = await loadSparse(architecture);
  if (sparse !== undefined) {
    return {
      lines: [
        `dataset   ${dataset}: ${source}`,
        `arch      ${architecture}: ${sparse.summary}`,
        `index     every passage; ${JSON.stringify(scoringOf(sparse, config))}`,
        `search    the test queries, ${search.depth} hits each`,
        `measure   ${config.measures.join(', ')}`,
        `latency   ${latency.queries} queries, one at a time`,
        `record    in ${config.out}; cache in ${config.cache}`,
      ],
      config: Object.fromEntries(Object.entries(config).filter(([key]) => sparseKeys.includes(key))),
    };
  }
  const loaded = await loadArchitecture(architecture);
  const { family, pooling } = loaded;
  return {
    lines: [
      `dataset   ${dataset}: ${source}`,
      `model     ${from}; ${model.tied ? 'one encoder for queries and passages' : 'an encoder each for queries and passages'}`,
      `arch      ${architecture}: ${family.summary}${pooling === undefined ? '' : `; ${pooling.summary}`}`,
      `train     ${train.epochs} epochs, ${train.batchSize} queries per batch, seed ${seed}, ${train.chunkSize === null ? 'no gradient cache' : `gradient cache of ${train.chunkSize} texts`}`,
      ...(negatives === undefined ? [] : [`negatives ${negatives.join(', ')}`]),
      ...(config.stages === 1 ? [] : [`again     ${secondStagePlan(config)}`]),
      `encode    every passage, ${config.text.passageTokens} tokens at most, shards of ${encode.shardPassages} passages`,
      `index     ${config.index.kind}${means.builder === undefined ? '' : `, built by ${means.builder} and compared with the exact hits`}`,
      `search    the test queries, ${search.depth} hits each, searcher ${means.builder ?? config.searcher}`,
      `engine    ${engineText(means, config)}`,
      `measure   ${config.measures.join(', ')}`,
      `latency   ${latency.queries} queries, one at a time`,
      `disk      ${await diskLine(request, means, passages)}`,
      `memory    ${memoryLine(request)}`,
      `record    in ${config.out}; cache in ${config.cache}`,
    ],
    config,
  };
}
