/** Encoding the collection, as a stage. */
import { encodeCollection } from '../encode/encode.js';
import { BenchError } from '../errors.js';
import { readIndexFacts } from '../index/vector-index.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import type { Code } from '../program/code.js';
import type { Progress } from '../progress.js';
import { keyOf } from '../store/hash.js';
import { readManifest } from '../store/manifest.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import type { Checkpoint } from './checkpoint.js';
import { datasetIdentity, engineIdentity } from './identity.js';
import type { OpenModel } from './open-model.js';
import type { Prepared } from './prepare.js';
import { stageCode } from './stage-code.js';

export function encodeStage(
  { config: { encode }, store, dataset }: Prepared,
  { name, key, retriever, weights, texts, maxTokens, code }: OpenModel,
  engine: Engine,
  progress: Progress,
): Promise<Artifact<{ vectors: number }>> {
  const inputs: ShardInputs = {
    made: 'shards 3',
    checkpoint: key,
    dataset: datasetIdentity(dataset),
    // Of reading the model too, and of its tokenizer.
    code: stageCode('encode', { dataset, engine, ...code }),
    shardPassages: encode.shardPassages,
    engine: engineIdentity(engine),
  };
  return store.artifact(
    'shards',
    inputs,
    async (folder) => {
      const { batchTokens } = encode;
      const encoder = new VectorEncoder({
        engine,
        retriever,
        weights,
        side: 'passage',
        maxTokens: maxTokens.passage,
        batchTokens,
      });
      try {
        const { vectors } = await encodeCollection({
          passages: dataset.passages(),
          count: dataset.passageCount,
          tokenize: texts.passage,
          encoder,
          vectorsPerPassage: retriever.indexedVectors,
          folder,
          shardPassages: encode.shardPassages,
          memoryBytes: encode.memoryMiB * 2 ** 20,
          progress,
        });
        return { vectors };
      } finally {
        await encoder.dispose();
      }
    },
    { dataset: dataset.name, system: name },
  );
}

/** What an index was made from, as its manifest says. */
type ShardInputs = {
  made: 'shards 3';
  checkpoint: string;
  dataset: ReturnType<typeof datasetIdentity>;
  code: Code;
  shardPassages: number;
  engine: ReturnType<typeof engineIdentity>;
};

/**
 * The key of an index that `encodeStage` made, wherever it lies now.
 * @throws BenchError PATH_INVALID where it is none; CONFIG_INVALID where it is of other weights or another dataset
 */
export async function indexKey(
  folder: string,
  { dataset }: Pick<Prepared, 'dataset'>,
  { key, folder: checkpoint }: Pick<Checkpoint, 'key' | 'folder'>,
): Promise<string> {
  await readIndexFacts(folder);
  const inputs = (await readManifest(folder))?.inputs as ShardInputs | undefined;
  const hint =
    'bench encode with this checkpoint and dataset prints the folder of the index that belongs to them.';
  if (inputs?.made !== 'shards 3') {
    throw new BenchError('PATH_INVALID', `${folder} does not say what its index was made from.`, { hint });
  }
  const other = keyOf(inputs.dataset) !== keyOf(datasetIdentity(dataset));
  const faults = [
    ...(inputs.checkpoint === key ? [] : [`with other weights than those in ${checkpoint}`]),
    ...(other ? [`from ${inputs.dataset.name}, version ${inputs.dataset.version}, and other files`] : []),
  ];
  if (faults.length === 0) return keyOf(inputs);
  throw new BenchError('CONFIG_INVALID', `The index ${folder} was made ${faults.join(' and ')}.`, { hint });
}
