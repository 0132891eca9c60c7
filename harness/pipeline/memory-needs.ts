/** What a run needs of memory, on its device and on the machine: in words, and for a queue that hands parts out. */
import { type BenchConfig, hasUsualChunk } from '../config/config.js';
import { counted } from '../counted.js';
import { vectorsBytes } from '../index/size.js';
import { byteSize } from '../progress.js';
import type { DeviceName } from '../tensor/engine.js';
import { gpuMemoryMiB } from '../tensor/onnx/gpu-memory.js';
import {
  chunkFor,
  largestBatch,
  programMemory,
  stateBytes,
  type TrainingSize,
  trainingBytes,
} from '../train/training-memory.js';
import type { RunRequest } from './run-request.js';
import type { Means } from './system.js';

/** @param shape and weights of what is trained: both encoders where they are two */
export function trainingSize(
  { train, text }: Pick<BenchConfig, 'train' | 'text'>,
  { weights, shape }: Pick<TrainingSize, 'weights' | 'shape'>,
): TrainingSize {
  return { weights, shape, ...largestBatch(train, text) };
}

/** `training about 4.0 GiB (weights, ...)`; absent where nothing is trained. @throws as `deviceLine` */
export function trainingText(
  { train, text }: BenchConfig,
  { trained, engine }: Pick<Means, 'trained' | 'engine'>,
  deviceMemoryMiB: number | null,
): string | undefined {
  if (trained === undefined || train.epochs === 0) return undefined;
  const size = trainingSize({ train, text }, trained);
  const chunk = chunkFor(train.chunkSize, deviceMemoryMiB, size);
  const chosen = train.chunkSize === 'fitting' ? ', chosen to fit' : '';
  const memory = engine === undefined ? 'own' : programMemory(engine);
  const each = memory === 'own' ? ', and of shorter ones' : '';
  const at = chunk === null ? 'a whole batch' : `a chunk of ${counted(chunk, 'texts')}${chosen}${each}`;
  const [all, state] = [trainingBytes(size, chunk, memory), stateBytes(size)];
  return `training about ${byteSize(all)} (weights, gradients and moments ${byteSize(state)}, activations of ${at} ${byteSize(all - state)})`;
}

/**
 * Absent where nothing lies on a device.
 * @param memoryOf what a GPU says of itself, in MiB; another one for tests
 * @throws BenchError OUT_OF_MEMORY where deviceMemoryMiB does not hold the training
 */
export function deviceLine(
  { config }: Pick<RunRequest, 'config'>,
  means: Means,
  passages: number | null,
  memoryOf: (device: DeviceName) => number | undefined = gpuMemoryMiB,
): string | undefined {
  const { engine, vectors } = means;
  if (engine?.name !== 'onnx' || engine.device === 'cpu') return undefined;
  const { deviceMemoryMiB, search } = config;
  const training = trainingText(config, means, deviceMemoryMiB);
  const parts = training === undefined ? [] : [training];
  if (vectors !== undefined && passages !== null) {
    const whole = vectorsBytes(vectors, passages);
    const budget = (search.deviceMemoryMiB ?? search.memoryMiB) * 2 ** 20;
    const how = whole <= budget ? 'kept there' : 'sent again for every batch of queries';
    parts.push(`blocks of the index, searched by exact, ${byteSize(Math.min(whole, budget))}, ${how}`);
  }
  const there =
    deviceMemoryMiB === null
      ? memoryThere(config, training !== undefined, memoryOf(engine.device))
      : `it has ${byteSize(deviceMemoryMiB * 2 ** 20)} by deviceMemoryMiB, three quarters of which are used`;
  return [...parts, there].join('; ');
}

/** Where the setting does not say it. The setting stays the user's: it is part of what a training is made of. */
function memoryThere(config: BenchConfig, trains: boolean, memoryMiB: number | undefined): string {
  if (memoryMiB === undefined)
    return 'what it has is not known (ONNX Runtime does not tell; deviceMemoryMiB says it)';
  const has = `nvidia-smi says ${byteSize(memoryMiB * 2 ** 20)}`;
  if (!trains) return has;
  const gain = hasUsualChunk(config)
    ? 'lets the largest chunk that fits be chosen'
    : 'refuses beforehand what does not fit';
  return `${has}: --set deviceMemoryMiB=${memoryMiB} ${gain}`;
}

/** The least, as far as it is known beforehand. Of a part that computes on a device, that device's memory is not counted. */
export interface MachineNeeds {
  readonly device: 'cpu' | 'gpu';
  readonly memoryMiB: number;
  readonly diskMiB: number;
}

export interface PartNeeds {
  readonly train: MachineNeeds;
  /** Of one shard. */
  readonly encode: MachineNeeds;
  /** Of some shards, for all queries: hits take little beside what is held to find them. */
  readonly search: MachineNeeds;
  /** Of all else: query vectors, index, hits. */
  readonly cell: MachineNeeds;
}

/** A checkpoint, and the states that a training saves: weights and two moments, once more while the next is written. */
const savedNumbers = 1 + 2 * 3;

/** @param passages N; null where it is not known */
export function machineNeeds({ config }: RunRequest, means: Means, passages: number | null): PartNeeds {
  const { engine, vectors, pairs, postings, trained, builder } = means;
  const device = engine === undefined || engine.device === 'cpu' ? 'cpu' : 'gpu';
  const weightBytes = 4 * (trained?.weights ?? 0);
  const size = trained && trainingSize(config, trained);
  const bytesOf = (count: number | null) =>
    vectors === undefined || count === null ? 0 : vectorsBytes(vectors, count);
  const shardPassages = Math.min(config.encode.shardPassages, passages ?? Number.POSITIVE_INFINITY);
  const indexBytes = builder === undefined ? 0 : bytesOf(passages);
  const needs = (memoryBytes: number, diskBytes: number): MachineNeeds => ({
    ...{ device, memoryMiB: mebibytes(memoryBytes), diskMiB: mebibytes(diskBytes) },
  });
  const scorerMemory = pairs === undefined ? 0 : 4 * pairs.weights + config.search.memoryMiB * 2 ** 20;
  const searchMemory =
    vectors === undefined && postings === undefined ? 0 : config.search.memoryMiB * 2 ** 20;
  return {
    train: needs(trainingMemory(), savedNumbers * weightBytes),
    encode: needs(config.encode.memoryMiB * 2 ** 20 + weightBytes, bytesOf(shardPassages)),
    search: needs(searchMemory, 0),
    cell: needs(searchMemory + scorerMemory + weightBytes + indexBytes, indexBytes),
  };

  function trainingMemory(): number {
    if (size === undefined) return 0;
    if (device === 'gpu') return stateBytes(size);
    return trainingBytes(size, chunkFor(config.train.chunkSize, null, size), 'own');
  }
}

/** Whatever is made takes a little. */
const mebibytes = (bytes: number): number => Math.max(1, Math.ceil(bytes / 2 ** 20));
