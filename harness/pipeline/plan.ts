/** What a run would do, for --dry-run. */
import type { BenchConfig } from '../config/config.js';
import { parseMeasures } from '../metrics/measures.js';
import type { RunRequest } from '../pipeline.js';
import { loadArchitecture, loadDataset, loadSparse } from '../plugins.js';
import { scoringOf } from './sparse-index.js';
import { resolveArchitecture, scratchShape } from './starting-model.js';
import { secondStage } from './training.js';

export interface Plan {
  /** The stages in order, for people. */
  lines: string[];
  /** The configuration with every value resolved. */
  config: BenchConfig;
}

/** The second training, as `stage2.*` has it. */
function secondStagePlan(config: BenchConfig): string {
  const { init, negatives, depth } = config.stage2;
  const { epochs, negativePool } = secondStage(config).train;
  const from = init === 'first' ? 'from the weights of the first training' : 'from the model again';
  const mined = `negatives mined with the first training's weights (${depth} hits)`;
  const on = negatives === 'both' ? `the negatives of the first training and ${mined}` : `${mined} alone`;
  return `${epochs} epochs ${from}, on ${on}; a pool of ${negativePool} each`;
}

/** @throws BenchError CONFIG_INVALID for options that do not fit the model, as far as its shape is known */
export async function planOf({
  architecture,
  dataset,
  seed,
  data,
  offline,
  config,
  init,
  negatives,
}: RunRequest): Promise<Plan> {
  parseMeasures(config.measures);
  const { plugin, variant } = await loadDataset(dataset);
  const { train, model, encode, search, latency } = config;
  const downloads = plugin.downloads(variant);
  const source =
    data !== undefined
      ? `read from ${data}`
      : downloads.length === 0
        ? 'embedded, nothing to download'
        : `${offline ? 'from the cache' : 'downloaded unless in the cache'}: ${downloads.map(({ name, sizeBytes }) => `${name} (${(sizeBytes / 1e6).toFixed(1)} MB)`).join(', ')}`;
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
      config,
    };
  }
  const loaded = await loadArchitecture(architecture);
  // Of any other model the layers are not known before it is here.
  if (init === undefined && model.name === 'scratch')
    resolveArchitecture(loaded, scratchShape(config), config);
  const { family, pooling } = loaded;
  return {
    lines: [
      `dataset   ${dataset}: ${source}`,
      `model     ${from}; ${model.tied ? 'one encoder for queries and passages' : 'an encoder each for queries and passages'}`,
      `arch      ${architecture}: ${family.summary}${pooling === undefined ? '' : `; ${pooling.summary}`}`,
      `train     ${train.epochs} epochs, ${train.batchSize} queries per batch, seed ${seed}, ${train.chunkSize === null ? 'no gradient cache' : `gradient cache of ${train.chunkSize}`}`,
      ...(negatives === undefined ? [] : [`negatives ${negatives.join(', ')}`]),
      ...(config.stages === 1 ? [] : [`again     ${secondStagePlan(config)}`]),
      `encode    every passage, ${config.text.passageTokens} tokens at most, shards of ${encode.shardPassages} passages`,
      `index     ${config.index.kind}${config.index.kind === 'Flat' ? '' : ', built by FAISS and compared with the exact hits'}`,
      `search    the test queries, ${search.depth} hits each, searcher ${config.searcher}, engine ${config.engine}`,
      `measure   ${config.measures.join(', ')}`,
      `latency   ${latency.queries} queries, one at a time`,
      `record    in ${config.out}; cache in ${config.cache}`,
    ],
    config,
  };
}
