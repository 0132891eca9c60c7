/** Encoding the collection, as a stage. */
import type { Dataset } from '../contracts.js';
import { encodeCollection } from '../encode/encode.js';
import { BenchError } from '../errors.js';
import { readIndexFacts } from '../index/vector-index.js';
import type { Code } from '../program/code.js';
import type { Progress } from '../progress.js';
import { keyOf } from '../store/hash.js';
import { checkedManifest, type Manifest } from '../store/manifest.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import type { Checkpoint } from './checkpoint.js';
import { datasetIdentity, engineIdentity } from './identity.js';
import { type OpenModel, openEncoder } from './open-model.js';
import type { Prepared } from './prepare.js';
import { stageCode } from './stage-code.js';

/** Of reading the model too, and of its tokenizer. */
const encodeCode = (model: OpenModel['code'], engine: Engine, dataset: Pick<Dataset, 'name'>): Code =>
  stageCode('encode', { dataset, engine, ...model });

export function encodeStage(
  { config: { encode }, store, dataset }: Prepared,
  model: OpenModel,
  engine: Engine,
  progress: Progress,
): Promise<Artifact<{ vectors: number }>> {
  const { name, key, retriever, texts, code } = model;
  const inputs: ShardInputs = {
    made: 'shards 3',
    checkpoint: key,
    dataset: datasetIdentity(dataset),
    code: encodeCode(code, engine, dataset),
    shardPassages: encode.shardPassages,
    engine: engineIdentity(engine),
  };
  return store.artifact(
    'shards',
    inputs,
    async (folder) => {
      const encoder = openEncoder(model, 'passage', engine, encode);
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
 * The key of an index that `encodeStage` made, wherever it lies now. It is checked, and where other code made it than this
 * program's that is said.
 * @throws BenchError PATH_INVALID where it is none; CACHE_INVALID where it is not what was made; CONFIG_INVALID where it is of
 *   other weights or another dataset
 */
export async function indexKey(
  folder: string,
  { dataset }: Pick<Prepared, 'dataset'>,
  { key, folder: checkpoint, code }: Pick<Checkpoint, 'key' | 'folder' | 'code'>,
  engine: Engine,
  progress: Progress,
): Promise<string> {
  const hint =
    'bench encode with this checkpoint and dataset prints the folder of the index that belongs to them.';
  const manifest = await checkedManifest<unknown>(folder, progress);
  if (manifest === undefined) await readIndexFacts(folder);
  const inputs = (manifest?.inputs ?? undefined) as Partial<ShardInputs> | undefined;
  if (manifest === undefined || inputs?.made !== 'shards 3' || inputs.dataset === undefined) {
    throw new BenchError('PATH_INVALID', `${folder} does not say what its index was made from.`, { hint });
  }
  const other = keyOf(inputs.dataset) !== keyOf(datasetIdentity(dataset));
  const faults = [
    ...(inputs.checkpoint === key ? [] : [`with other weights than those in ${checkpoint}`]),
    ...(other ? [`from ${inputs.dataset.name}, version ${inputs.dataset.version}, and other files`] : []),
  ];
  if (faults.length > 0) {
    throw new BenchError('CONFIG_INVALID', `The index ${folder} was made ${faults.join(' and ')}.`, { hint });
  }
  noteOrigin(folder, inputs, { code: encodeCode(code, engine, dataset), engine }, manifest, progress);
  return keyOf(inputs);
}

/** What `encodeStage` would make here may be another index than one that was made by other code or on another engine. */
function noteOrigin(
  folder: string,
  inputs: Partial<ShardInputs>,
  here: { code: Code; engine: Engine },
  { execution }: Pick<Manifest, 'execution'>,
  progress: Progress,
): void {
  const ways = [
    ...(keyOf(inputs.code) === keyOf(here.code)
      ? []
      : [`by other code than this program's (bench ${execution?.benchVersion ?? 'of an unknown version'})`]),
    ...(keyOf(inputs.engine) === keyOf(engineIdentity(here.engine)) ? [] : ['on another engine']),
  ];
  if (ways.length > 0) progress.note(`The index ${folder} was made ${ways.join(' and ')}.`);
}
