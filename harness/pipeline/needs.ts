/** What a run needs beside what this machine has: disk for its index, memory. */

import { stat, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import type { Dataset } from '../contracts.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { vectorsBytes } from '../index/size.js';
import { byteSize } from '../progress.js';
import { relevantIds } from './distractors/choose.js';
import { trainingText } from './memory-needs.js';
import { type DatasetChoice, openDatasetHere } from './open-dataset.js';
import type { RunRequest } from './run-request.js';
import type { Means } from './system.js';

/** The dataset, where opening it needs no network, its downloads lying in the cache perhaps; else null. */
export async function datasetHere(
  request: DatasetChoice & Pick<RunRequest, 'config'>,
): Promise<Dataset | null> {
  try {
    return await openDatasetHere(request.dataset, request.config.cache, request.data);
  } catch (error) {
    if (error instanceof BenchError && error.code === 'DOWNLOAD_FAILED') return null;
    throw error;
  }
}

/** N, where it can be known without a network. */
export async function passagesHere(
  request: DatasetChoice & Pick<RunRequest, 'config'>,
): Promise<number | null> {
  const dataset = await datasetHere(request);
  return dataset && (await passagesAsked(dataset, request)).searched;
}

/** N with the distractors that a request adds to a dataset, and passages that are encoded for it, once for all its sizes. */
export async function passagesAsked(
  dataset: Dataset,
  { distractors }: Pick<DatasetChoice, 'distractors'>,
): Promise<{ searched: number; encoded: number }> {
  const { passageCount } = dataset;
  if (distractors === undefined) return { searched: passageCount, encoded: passageCount };
  const { from, count, largest } = distractors;
  const base = from === undefined ? (await relevantIds(dataset)).size : passageCount;
  return { searched: base + count, encoded: base + (count === 0 ? 0 : largest) };
}

const roomText = (free: number, { cache }: Pick<BenchConfig, 'cache'>): string =>
  `${byteSize(free)} free at ${cache}`;

/** `100.0 GiB free at .bench` */
export const diskRoom = async (config: Pick<BenchConfig, 'cache'>): Promise<string> =>
  roomText(await freeBytes(config.cache), config);

/** The disk that the bare vectors of one index take, in words, and what is free there. */
export async function diskLine(
  { config }: RunRequest,
  { vectors }: Means,
  passages: number | null,
): Promise<string> {
  const free = await freeBytes(config.cache);
  const room = roomText(free, config);
  if (vectors === undefined || passages === null) {
    const what = passages === null ? 'passages are not counted before the download' : 'the model is not here';
    return `the index is not known (${what}); ${room}`;
  }
  const { dimensions, perPassage, atMost } = vectors;
  const bytes = vectorsBytes(vectors, passages);
  const little = bytes > free ? '; TOO LITTLE' : '';
  const count = `${passages.toLocaleString('en-US')} passages x ${atMost ? 'at most ' : ''}${perPassage} x ${dimensions} numbers`;
  return `vectors of ${atMost ? 'at most ' : ''}${byteSize(bytes)} (${count}); ${room}${little}`;
}

export function memoryLine({ config }: RunRequest, means: Means): string {
  const { encode, search } = config;
  const training = means.engine?.device === 'cpu' ? trainingText(config, means, null) : undefined;
  const vectors = `vectors take at most ${encode.memoryMiB} MiB while encoding and ${search.memoryMiB} MiB in search, the engine its own beside them`;
  return [...(training === undefined ? [] : [training]), vectors, machineMemory()].join('; ');
}

/** `20.1 GiB free of 23.5 GiB` */
export const machineMemory = (): string => `${byteSize(freemem())} free of ${byteSize(totalmem())}`;

/** `2 cores, 20.1 GiB free of 23.5 GiB of memory, 100.0 GiB free at .bench` */
export async function describeRoom(cache: string): Promise<string> {
  return `${counted(availableParallelism(), 'cores')}, ${machineMemory()} of memory, ${byteSize(await freeBytes(cache))} free at ${cache}`;
}

/** Where the folder is, or would be made. */
export async function freeBytes(folder: string): Promise<number> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const there = await stat(at).catch(() => undefined);
    if (there === undefined && at !== path.dirname(at)) continue;
    const { bavail, bsize } = await statfs(at);
    return bavail * bsize;
  }
}
