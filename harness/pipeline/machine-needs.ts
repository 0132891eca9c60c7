/** What a machine has to have for a part of a run, as far as it is known before it begins: the least, for a queue that hands parts out. */
import { projectedVectorsBytes } from '../index/size.js';
import { chunkFor, stateBytes, trainingBytes } from '../train/training-memory.js';
import { trainingSize } from './device-needs.js';
import type { RunRequest } from './run-request.js';
import type { Means } from './system.js';

/** Of a part that computes on a device, its own memory is not counted. */
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
  const { engine, vectors, trained, builder } = means;
  const device = engine === undefined || engine.device === 'cpu' ? 'cpu' : 'gpu';
  const weightBytes = 4 * (trained?.weights ?? 0);
  const size = trained && trainingSize(config, trained);
  const bytesOf = (count: number | null) =>
    vectors === undefined || count === null
      ? 0
      : projectedVectorsBytes(
          { passages: 1, vectors: vectors.perPassage, dimensions: vectors.dimensions },
          count,
        );
  const shardPassages = Math.min(config.encode.shardPassages, passages ?? Number.POSITIVE_INFINITY);
  const indexBytes = builder === undefined ? 0 : bytesOf(passages);
  const needs = (memoryBytes: number, diskBytes: number, on: 'cpu' | 'gpu' = device) => ({
    ...{ device: on, memoryMiB: mebibytes(memoryBytes), diskMiB: mebibytes(diskBytes) },
  });
  const searchMemory = vectors === undefined ? 0 : config.search.memoryMiB * 2 ** 20;
  return {
    train: needs(trainingMemory(), savedNumbers * weightBytes),
    encode: needs(config.encode.memoryMiB * 2 ** 20 + weightBytes, bytesOf(shardPassages)),
    search: needs(searchMemory, 0),
    cell: needs(searchMemory + weightBytes + indexBytes, indexBytes),
  };

  function trainingMemory(): number {
    if (size === undefined) return 0;
    if (device === 'gpu') return stateBytes(size);
    return trainingBytes(size, chunkFor(config.train.chunkSize, null, size), 'own');
  }
}

/** Whatever is made takes a little. */
const mebibytes = (bytes: number): number => Math.max(1, Math.ceil(bytes / 2 ** 20));
