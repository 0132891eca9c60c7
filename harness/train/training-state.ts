/**
 * What training leaves on disk to go on from, in the folder of what is unfinished: weights and moments in one safetensors
 * file named by its step, and `state.json`, written after it, which names that file with its hash and holds the rest. Random
 * streams need no saving: each is named by what it is for.
 */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { TrainConfig } from '../config/bench-config.js';
import { parseJson } from '../json.js';
import type { Retriever, RetrieverParameter } from '../model/retriever.js';
import { SafetensorsFile, writeSafetensors } from '../model/safetensors.js';
import { writeJson } from '../store/atomic.js';
import { hasItsDigest, withDigest } from '../store/digest.js';
import { hashFile } from '../store/hash.js';
import { DamagedArtifact } from '../store/manifest.js';
import { textIfThere } from '../store/text-file.js';
import { unfinishedFolder } from '../store/unfinished.js';
import type { VariableSet } from '../tensor/engine.js';
import type { Moments } from './adamw.js';
import type { LossScaling } from './loss-scale.js';
import type { EpochFacts } from './training-facts.js';

/** Where training stands: everything but the arrays. */
export interface TrainingState {
  /** Steps made so far. */
  step: number;
  /** Epochs that are complete, with their dev scores. */
  epochs: EpochFacts[];
  /** The epoch that is the best on dev so far, from 0. Its weights are kept where `train.checkpoint` is `best`. */
  bestEpoch?: number;
  /** Its dev score; lower is better. */
  bestScore?: number;
  /** Of the file of its weights, where they are kept. */
  bestSha256?: string;
  /** Absent where training is float32. */
  scaling?: LossScaling;
  /** Sums over the steps of the epoch that is under way. */
  running: {
    steps: number;
    loss: number;
    contrastive: number;
    regularizer: number;
    taught: number;
    milliseconds: number;
  };
}

export interface TrainedArrays {
  parameters: VariableSet;
  moments: Moments;
}

/** What `state.json` holds. */
interface StoredState extends TrainingState {
  /** Name of the file of the arrays. */
  file: string;
  /** Of that file. */
  sha256: string;
}

const stateFile = (folder: string) => path.join(unfinishedFolder(folder), 'state.json');
const bestFile = (folder: string, epoch: number) =>
  path.join(unfinishedFolder(folder), `best-${epoch}.safetensors`);
const nameOf = ({ owner, name }: RetrieverParameter) => `${owner}.${name}`;

function groups({ parameters, moments }: TrainedArrays): [string, VariableSet][] {
  return [
    ['weights', parameters],
    ['first', moments.first],
    ['second', moments.second],
  ];
}

/** Nothing here asks whether the process was asked to stop: that is when it is called. */
export async function saveState(
  folder: string,
  retriever: Retriever,
  arrays: TrainedArrays,
  state: TrainingState,
) {
  const tensors = [];
  for (const [group, { variables }] of groups(arrays)) {
    for (const [i, parameter] of retriever.parameters.entries()) {
      const values = await variables[i]!.read();
      tensors.push({ name: `${group}.${nameOf(parameter)}`, shape: parameter.shape, values });
    }
  }
  const file = `state-${state.step}.safetensors`;
  const place = path.join(unfinishedFolder(folder), file);
  const stored: StoredState = { ...state, file, sha256: await writeSafetensors(place, tensors) };
  await writeJson(stateFile(folder), withDigest(stored));
  await removeOthers(folder, /^state-\d+\.safetensors$/, file);
}

/**
 * Fills the arrays from what an earlier process left; undefined where there is nothing to go on from.
 * @param steps of the whole training
 * @throws DamagedArtifact where what was left is not what was written
 */
export async function resumeState(
  folder: string,
  retriever: Retriever,
  arrays: TrainedArrays,
  steps: number,
): Promise<TrainingState | undefined> {
  const text = await textIfThere(stateFile(folder));
  if (text === undefined) return undefined;
  try {
    const { file, sha256, ...state } = storedState(text, steps);
    const place = path.join(unfinishedFolder(folder), file);
    await assertHash(place, sha256);
    const source = await SafetensorsFile.open(place);
    try {
      for (const [group, { variables }] of groups(arrays)) {
        for (const [i, parameter] of retriever.parameters.entries()) {
          variables[i]!.write(await source.read(`${group}.${nameOf(parameter)}`));
        }
      }
    } finally {
      await source.close();
    }
    return state;
  } catch (error) {
    throw notToGoOnFrom(folder, error);
  }
}

function storedState(text: string, steps: number): StoredState {
  const { digest: _, ...stored } = parseJson(text) as StoredState & { digest: string };
  if (!hasItsDigest({ ...stored, digest: _ })) throw new Error('it is not as it was written');
  const { step, file } = stored;
  if (!(Number.isInteger(step) && step >= 0 && step <= steps))
    throw new Error(`it is of step ${step}, and there are ${steps}`);
  if (file !== `state-${step}.safetensors`) throw new Error(`it names the file ${file} for step ${step}`);
  return stored;
}

async function assertHash(file: string, sha256: string | undefined): Promise<void> {
  if ((await hashFile(file)) !== sha256)
    throw new Error(`${path.basename(file)} holds other bytes than those written`);
}

function notToGoOnFrom(folder: string, error: unknown): DamagedArtifact {
  const { message } = error as Error;
  return new DamagedArtifact(folder, `Training cannot go on from ${stateFile(folder)}: ${message}.`);
}

/** Keeps the weights of now as the best so far. @returns the sha256 of their file */
export async function saveBest(
  folder: string,
  retriever: Retriever,
  parameters: VariableSet,
  epoch: number,
): Promise<string> {
  const tensors = [];
  for (const [i, parameter] of retriever.parameters.entries()) {
    tensors.push({
      name: nameOf(parameter),
      shape: parameter.shape,
      values: await parameters.variables[i]!.read(),
    });
  }
  return writeSafetensors(bestFile(folder, epoch), tensors);
}

/** The weights kept by `saveBest`. @throws DamagedArtifact where they are not those */
export async function readBest(
  folder: string,
  retriever: Retriever,
  epoch: number,
  sha256: string | undefined,
): Promise<Float32Array[]> {
  try {
    await assertHash(bestFile(folder, epoch), sha256);
    const source = await SafetensorsFile.open(bestFile(folder, epoch));
    try {
      const weights: Float32Array[] = [];
      for (const parameter of retriever.parameters) weights.push(await source.read(nameOf(parameter)));
      return weights;
    } finally {
      await source.close();
    }
  } catch (error) {
    throw notToGoOnFrom(folder, error);
  }
}

/** The epoch whose weights lie in the folder as the best so far; undefined where none are kept there. */
export const savedEpoch = (
  { bestEpoch }: TrainingState,
  { checkpoint }: Pick<TrainConfig, 'checkpoint'>,
): number | undefined => (checkpoint === 'best' ? bestEpoch : undefined);

/** Removes the weights of epochs that are no longer the best; call it once the state that names the new one is saved. */
export async function removeWorse(folder: string, bestEpoch: number): Promise<void> {
  await removeOthers(folder, /^best-\d+\.safetensors$/, path.basename(bestFile(folder, bestEpoch)));
}

async function removeOthers(folder: string, pattern: RegExp, keep: string): Promise<void> {
  const place = unfinishedFolder(folder);
  for (const name of await readdir(place)) {
    if (pattern.test(name) && name !== keep) await rm(path.join(place, name), { force: true });
  }
}
