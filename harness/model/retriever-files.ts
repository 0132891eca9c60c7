/**
 * A trained retriever on disk: a Hugging Face checkpoint folder per encoder (`encoder`, or `passage` and `query`), the
 * pooling's own weights, and `retriever.json`, which says what they are.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ResolvedArchitecture } from '../contracts.js';
import { BenchError } from '../errors.js';
import { writeJson } from '../store/atomic.js';
import { loadEncoder, saveEncoder } from './checkpoint.js';
import type { Owner, Retriever } from './retriever.js';
import { SafetensorsFile, writeSafetensors } from './safetensors.js';
import type { T5Options } from './t5.js';

/** What retriever.json says. */
export interface RetrieverFacts {
  /** `mlr-sc` */
  architecture: string;
  resolved: ResolvedArchitecture;
  tied: boolean;
}

const poolingFile = (folder: string) => path.join(folder, 'pooling.safetensors');
const factsFile = (folder: string) => path.join(folder, 'retriever.json');
const encoderOwners = (tied: boolean): Owner[] => (tied ? ['encoder'] : ['passage', 'query']);

/** @param tokenizerFiles saved beside each encoder, by file name */
export async function saveRetriever(
  folder: string,
  retriever: Retriever,
  weights: readonly Float32Array[],
  tokenizerFiles: Readonly<Record<string, string>>,
): Promise<void> {
  const { architecture, tied, encoder, parameters } = retriever;
  for (const owner of encoderOwners(tied)) {
    const own = encoder.parameters.map(({ name }) => weights[retriever.indexOf(owner, name)]!);
    await saveEncoder(path.join(folder, owner), encoder, own, tokenizerFiles);
  }
  const pooling = parameters.flatMap(({ owner, name, shape }, i) =>
    owner === 'pooling' ? [{ name, shape, values: weights[i]! }] : [],
  );
  if (pooling.length > 0) await writeSafetensors(poolingFile(folder), pooling);
  const facts: RetrieverFacts = { architecture: architecture.name, resolved: architecture.resolved, tied };
  await writeJson(factsFile(folder), facts);
}

/** @throws BenchError CHECKPOINT_INVALID where the folder holds no trained retriever */
export async function readRetrieverFacts(folder: string): Promise<RetrieverFacts> {
  try {
    return JSON.parse(await readFile(factsFile(folder), 'utf8')) as RetrieverFacts;
  } catch (cause) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${folder} holds no trained retriever: ${(cause as Error).message}`,
      {
        hint: 'A trained retriever is what bench run and bench train leave; it has a retriever.json.',
        cause,
      },
    );
  }
}

/** The weights of a saved retriever, in the order of its parameters. */
export async function loadRetrieverWeights(
  folder: string,
  retriever: Retriever,
  options: T5Options = {},
): Promise<Float32Array[]> {
  const weights: Float32Array[] = new Array(retriever.parameters.length);
  for (const owner of encoderOwners(retriever.tied)) {
    const loaded = await loadEncoder(path.join(folder, owner), options);
    for (const [i, { name }] of loaded.encoder.parameters.entries()) {
      weights[retriever.indexOf(owner, name)] = loaded.weights[i]!;
    }
  }
  if (retriever.parameters.some(({ owner }) => owner === 'pooling')) {
    const source = await SafetensorsFile.open(poolingFile(folder));
    try {
      for (const [i, { owner, name }] of retriever.parameters.entries()) {
        if (owner === 'pooling') weights[i] = await source.read(name);
      }
    } finally {
      await source.close();
    }
  }
  return weights;
}

/** Where training starts: both encoders from one checkpoint, the pooling's own weights as it wants them. */
export function initialWeights(retriever: Retriever, checkpoint: readonly Float32Array[]): Float32Array[] {
  const places = new Map(retriever.encoder.parameters.map(({ name }, i) => [name, i]));
  return retriever.parameters.map(({ owner, name, shape }) => {
    if (owner === 'pooling') return new Float32Array(shape.reduce((product, d) => product * d, 1));
    return checkpoint[places.get(name)!]!;
  });
}
