/**
 * A trained retriever on disk: a Hugging Face checkpoint folder per encoder (`encoder`, or `passage` and `query`), the
 * pooling's own weights, and `retriever.json`, which says what they are and how texts become their input.
 */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { closing } from '../closing.js';
import type { DataFile } from '../contracts.js';
import { BenchError } from '../errors.js';
import { writeJson } from '../store/atomic.js';
import { describeFile } from '../store/hash-once.js';
import { loadEncoder, saveEncoder } from './checkpoint.js';
import type { EncoderOptions } from './encoder.js';
import type { Owner, Retriever } from './retriever.js';
import { factsFile, factsName, type RetrieverFacts } from './retriever-facts.js';
import { SafetensorsFile, writeSafetensors } from './safetensors.js';
import { finite } from './stored-weights.js';

const poolingName = 'pooling.safetensors';
const poolingFile = (folder: string) => path.join(folder, poolingName);
const encoderOwners = (tied: boolean): Owner[] => (tied ? ['encoder'] : ['passage', 'query']);

/** The folder of one encoder of a saved retriever, in Hugging Face's layout. */
export function encoderFolder(folder: string, { tied }: Pick<RetrieverFacts, 'tied'>): string {
  return path.join(folder, encoderOwners(tied)[0]!);
}

/** @param tokenizerFiles saved beside each encoder, by file name */
export async function saveRetriever(
  folder: string,
  retriever: Retriever,
  weights: readonly Float32Array[],
  tokenizerFiles: Readonly<Record<string, string>>,
  origin: Pick<RetrieverFacts, 'model' | 't5LayerNorm' | 'text'>,
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
  const { name, resolved } = architecture;
  const { model, t5LayerNorm, text } = origin;
  const facts: RetrieverFacts = { architecture: name, resolved, tied, model, t5LayerNorm, text };
  await writeJson(factsFile(folder), facts);
}

/**
 * The files that decide what a saved retriever computes, names seen from its folder, sorted. Two folders with equal files
 * are the same checkpoint, wherever they lie.
 */
export async function retrieverFiles(
  folder: string,
  { tied }: Pick<RetrieverFacts, 'tied'>,
): Promise<DataFile[]> {
  const names = [factsName];
  if ((await readdir(folder)).includes(poolingName)) names.push(poolingName);
  for (const owner of encoderOwners(tied)) {
    const inside = await readdir(path.join(folder, owner)).catch(() => []);
    names.push(
      ...inside.filter((name) => /\.(json|safetensors|txt)$/.test(name)).map((n) => `${owner}/${n}`),
    );
  }
  const files: DataFile[] = [];
  for (const name of names.sort()) files.push({ ...(await describeFile(path.join(folder, name))), name });
  return files;
}

/**
 * The weights of a saved retriever, in the order of its parameters.
 * @throws BenchError CHECKPOINT_INVALID where an encoder or the pooling's weights are missing or misshapen
 */
export async function loadRetrieverWeights(
  folder: string,
  retriever: Retriever,
  options: EncoderOptions = {},
): Promise<Float32Array[]> {
  const weights: Float32Array[] = new Array(retriever.parameters.length);
  for (const owner of encoderOwners(retriever.tied)) {
    const loaded = await loadEncoder(path.join(folder, owner), options);
    for (const [i, { name }] of loaded.encoder.parameters.entries()) {
      weights[retriever.indexOf(owner, name)] = loaded.weights[i]!;
    }
  }
  const pooling = await poolingWeights(folder, retriever);
  for (const [i, values] of pooling) weights[i] = values;
  const absent = retriever.parameters.find((_, i) => weights[i] === undefined);
  if (absent !== undefined) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${folder} lacks the weights ${absent.owner}/${absent.name}.`,
      { hint: 'Train again, or copy the whole folder.' },
    );
  }
  return weights;
}

/** The pooling's own weights that a saved retriever has, by place in the retriever's parameters. */
export async function poolingWeights(
  folder: string,
  retriever: Retriever,
): Promise<Map<number, Float32Array>> {
  const found = new Map<number, Float32Array>();
  if (!retriever.parameters.some(({ owner }) => owner === 'pooling')) return found;
  if (!(await readdir(folder)).includes(poolingName)) return found;
  await closing(await SafetensorsFile.open(poolingFile(folder)), async (source) => {
    for (const [i, { owner, name, shape }] of retriever.parameters.entries()) {
      if (owner !== 'pooling') continue;
      const stored = source.entries.get(name)?.shape;
      if (stored === undefined) continue;
      if (stored.join() !== shape.join()) {
        throw new BenchError(
          'CHECKPOINT_INVALID',
          `${poolingFile(folder)} holds ${name} of shape [${stored}]; the architecture needs [${shape}].`,
          { hint: 'Choose as many vectors as the checkpoint was trained with.' },
        );
      }
      found.set(i, finite(poolingFile(folder), name, await source.read(name)));
    }
  });
  return found;
}

/** Where training starts: both encoders from one checkpoint, the pooling's own weights as it wants them. */
export function initialWeights(retriever: Retriever, checkpoint: readonly Float32Array[]): Float32Array[] {
  const places = new Map(retriever.encoder.parameters.map(({ name }, i) => [name, i]));
  return retriever.parameters.map(({ owner, name, shape }) => {
    if (owner === 'pooling') return new Float32Array(shape.reduce((product, d) => product * d, 1));
    return checkpoint[places.get(name)!]!;
  });
}

/** What training starts from. */
export interface StartingWeights {
  /** One per parameter of the retriever. */
  weights: Float32Array[];
  /** What a user of the figures should know of how they were read. */
  remarks: readonly string[];
}

/**
 * Where training starts from a trained retriever: its encoders, and its pooling's weights where both have the same ones.
 * One encoder for both sides begins as both where the new retriever has two.
 * @throws BenchError CHECKPOINT_INVALID where shapes differ, or two encoders are to become one
 */
export async function weightsToStartFrom(
  folder: string,
  facts: RetrieverFacts,
  retriever: Retriever,
): Promise<StartingWeights> {
  if (retriever.tied && !facts.tied) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${folder} has an encoder each for queries and passages, and training is to have one for both.`,
      { hint: 'Give --set model.tied=false.' },
    );
  }
  const weights = initialWeights(retriever, []);
  const remarks = new Set<string>();
  for (const [i, values] of await poolingWeights(folder, retriever)) weights[i] = values;
  for (const owner of encoderOwners(retriever.tied)) {
    const loaded = await loadEncoder(path.join(folder, facts.tied ? 'encoder' : owner), facts);
    for (const remark of loaded.remarks ?? []) remarks.add(remark);
    for (const [i, { name, shape }] of loaded.encoder.parameters.entries()) {
      const at = retriever.indexOf(owner, name);
      if (retriever.parameters[at]!.shape.join() !== shape.join()) {
        throw new BenchError(
          'CHECKPOINT_INVALID',
          `${folder}: ${owner}/${name} is [${shape}]; expected [${retriever.parameters[at]!.shape}].`,
          { hint: 'Its two encoders do not belong together.' },
        );
      }
      weights[at] = loaded.weights[i]!;
    }
  }
  return { weights, remarks: [...remarks] };
}
