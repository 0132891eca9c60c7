/** What a run needs of a device's memory, in words. */

import type { BenchConfig } from '../config/config.js';
import { counted } from '../counted.js';
import { projectedVectorsBytes } from '../index/size.js';
import { byteSize } from '../progress.js';
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

/** Absent where nothing lies on a device. @throws BenchError OUT_OF_MEMORY where deviceMemoryMiB does not hold the training */
export function deviceLine(
  { config }: Pick<RunRequest, 'config'>,
  means: Means,
  passages: number | null,
): string | undefined {
  const { engine, vectors } = means;
  if (engine?.name !== 'onnx' || engine.device === 'cpu') return undefined;
  const { deviceMemoryMiB, search } = config;
  const training = trainingText(config, means, deviceMemoryMiB);
  const parts = training === undefined ? [] : [training];
  if (vectors !== undefined && passages !== null) {
    const { dimensions, perPassage } = vectors;
    const whole = projectedVectorsBytes({ passages: 1, vectors: perPassage, dimensions }, passages);
    const budget = (search.deviceMemoryMiB ?? search.memoryMiB) * 2 ** 20;
    const how = whole <= budget ? 'kept there' : 'sent again for every batch of queries';
    parts.push(`blocks of the index, searched by exact, ${byteSize(Math.min(whole, budget))}, ${how}`);
  }
  const there =
    deviceMemoryMiB === null
      ? 'what it has is not known (ONNX Runtime does not tell; deviceMemoryMiB says it)'
      : `it has ${byteSize(deviceMemoryMiB * 2 ** 20)} by deviceMemoryMiB, three quarters of which are used`;
  return [...parts, there].join('; ');
}
