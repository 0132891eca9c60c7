/**
 * What training leaves on disk to go on from: weights and moments in one safetensors file named by its step, and
 * `state.json`, written after it, which names that file and holds the rest. Random streams need no saving: each is
 * named by what it is for.
 */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import type { Retriever, RetrieverParameter } from '../model/retriever.js';
import { SafetensorsFile, writeSafetensors } from '../model/safetensors.js';
import { writeJson } from '../store/atomic.js';
import { textIfThere } from '../store/text-file.js';
import type { VariableSet } from '../tensor/engine.js';
import type { Moments } from './adamw.js';
import type { EpochFacts } from './training-facts.js';

/** Where training stands: everything but the arrays. */
export interface TrainingState {
  /** Updates made so far. */
  step: number;
  /** Epochs that are complete, with their dev scores. */
  epochs: EpochFacts[];
  /** The epoch that is the best on dev so far, from 0. Its weights are kept where `train.checkpoint` is `best`. */
  bestEpoch?: number;
  /** Its dev score; lower is better. */
  bestScore?: number;
  /** Sums over the steps of the epoch that is under way. */
  running: { steps: number; loss: number; contrastive: number; regularizer: number; milliseconds: number };
}

export interface TrainedArrays {
  parameters: VariableSet;
  moments: Moments;
}

const stateFile = (folder: string) => path.join(folder, 'state.json');
const bestFile = (folder: string, epoch: number) => path.join(folder, `best-${epoch}.safetensors`);
const nameOf = ({ owner, name }: RetrieverParameter) => `${owner}.${name}`;

function groups({ parameters, moments }: TrainedArrays): [string, VariableSet][] {
  return [
    ['weights', parameters],
    ['first', moments.first],
    ['second', moments.second],
  ];
}

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
  await writeSafetensors(path.join(folder, file), tensors);
  await writeJson(stateFile(folder), { ...state, file });
  await removeOthers(folder, /^state-\d+\.safetensors$/, file);
}

/** Fills the arrays from what an earlier process left; undefined where there is nothing to go on from. */
export async function resumeState(
  folder: string,
  retriever: Retriever,
  arrays: TrainedArrays,
): Promise<TrainingState | undefined> {
  const text = await textIfThere(stateFile(folder));
  if (text === undefined) return undefined;
  try {
    const { file, ...state } = parseJson(text) as TrainingState & { file: string };
    const source = await SafetensorsFile.open(path.join(folder, file));
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
  } catch (cause) {
    throw new BenchError(
      'CACHE_INVALID',
      `Training cannot go on from ${stateFile(folder)}: ${(cause as Error).message}`,
      {
        hint: `Delete ${folder} to train from the start.`,
        cause,
      },
    );
  }
}

/** Keeps the weights of now as the best so far. */
export async function saveBest(folder: string, retriever: Retriever, parameters: VariableSet, epoch: number) {
  const tensors = [];
  for (const [i, parameter] of retriever.parameters.entries()) {
    tensors.push({
      name: nameOf(parameter),
      shape: parameter.shape,
      values: await parameters.variables[i]!.read(),
    });
  }
  await writeSafetensors(bestFile(folder, epoch), tensors);
}

/** The weights kept by `saveBest`. */
export async function readBest(folder: string, retriever: Retriever, epoch: number): Promise<Float32Array[]> {
  const source = await SafetensorsFile.open(bestFile(folder, epoch));
  try {
    const weights: Float32Array[] = [];
    for (const parameter of retriever.parameters) weights.push(await source.read(nameOf(parameter)));
    return weights;
  } finally {
    await source.close();
  }
}

/** Removes the weights of epochs that are no longer the best; call it once the state that names the new one is saved. */
export async function removeWorse(folder: string, bestEpoch: number): Promise<void> {
  await removeOthers(folder, /^best-\d+\.safetensors$/, path.basename(bestFile(folder, bestEpoch)));
}

/** Removes all that served only to go on from. */
export async function removeState(folder: string): Promise<void> {
  await rm(stateFile(folder), { force: true });
  await removeOthers(folder, /^(state|best)-\d+\.safetensors$/, '');
}

async function removeOthers(folder: string, pattern: RegExp, keep: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (pattern.test(name) && name !== keep) await rm(path.join(folder, name), { force: true });
  }
}
