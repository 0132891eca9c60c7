/** What a run of a grid trains and encodes, and how many GPU hours the paper's figure gives it. */
import type { EncoderShape } from '../contracts.js';
import { scratchKind } from '../model/scratch.js';
import { examplesOf } from '../pipeline/example-sizes.js';
import { resolveArchitecture } from '../pipeline/starting-model.js';
import { loadArchitecture } from '../plugins.js';
import { inputKey } from '../stages/graph.js';
import { namesOf } from '../stages/known.js';
import { askedOf, modelStages } from '../stages/systems.js';
import { type Trainings, trainingStages } from '../stages/training.js';
import { loadSystem } from '../systems.js';
import type { Grid, GridRun } from './grid.js';
import type { Sizes } from './sizes.js';

/** One piece of work; two of one key are the same. */
export interface Work {
  key: string;
}

export interface Training extends Work {
  stage: 1 | 2;
  epochs: number;
}

export interface Encoding extends Work {
  /** The training whose vectors they are. */
  stage: 1 | 2;
}

/** Each training, and each time that vectors are made, as the graph of the run has them. */
export async function workOf(
  { request, after, trainsOnly }: GridRun,
  { shape }: Stored,
): Promise<{ trainings: Training[]; encodings: Encoding[] }> {
  const begun = after === undefined ? request : { ...request, init: after.key };
  const known = { ...namesOf(begun), shape };
  const last = await trainingStages(begun, known);
  const { first } = last;
  const of = (stage: 1 | 2, { tried, config }: Trainings): Training[] =>
    tried.map((each) => ({ key: inputKey(each.stage), stage, epochs: config.train.epochs }));
  const { encoding } = modelStages(last.model, begun, known, askedOf(begun, known));
  // The vectors of the last training are searched; those of the first mine negatives.
  const encodings = [...(first ? [first.shards] : []), ...(trainsOnly ? [] : [encoding])];
  return {
    trainings: first === undefined ? of(1, last) : [...of(1, first), ...of(2, last)],
    encodings: encodings.map((stage, i) => ({
      ...{ key: inputKey(stage), stage: i === 0 && first !== undefined ? 1 : last.first ? 2 : 1 },
    })),
  };
}

/** What a run stores of a passage. */
export interface Stored {
  vectors: number;
  atMost: boolean;
  dimensions: number;
  usesLambda: boolean;
  /** Of the model. */
  shape: EncoderShape;
}

export async function storedVectors(
  { loaded: { reproduction }, scale }: Grid,
  { request: { architecture, config } }: GridRun,
): Promise<Stored | null> {
  if (!(await loadSystem(architecture)).isTrained) return null;
  const loaded = await loadArchitecture(architecture);
  const { pooling } = loaded;
  const { layers, dimensions } = scale === 'paper' ? reproduction.encoder : config.model.scratch;
  const maxTokens = config.text.passageTokens;
  const shape = { ...scratchKind, layers, dimensions, maxTokens };
  const { vectors, lambda } = resolveArchitecture(loaded, shape, config).resolved;
  const rest = { dimensions, shape, usesLambda: lambda !== 0 };
  if (pooling !== undefined) return { vectors: 1, atMost: false, ...rest };
  return { vectors: vectors === 'varies' ? maxTokens : vectors, atMost: vectors === 'varies', ...rest };
}

/** Fewest and most, of one training; null where its examples are not known. */
export function trainingHours(
  grid: Grid,
  { request: { config } }: GridRun,
  sizes: Sizes | null,
  { stage, epochs }: Training,
): Hours | null {
  if (epochs === 0) return [0, 0];
  const examples = examplesOf(config, sizes, stage);
  const { trainedPassageWeight: weight } = grid.loaded.reproduction.cost;
  return examples && hours(grid, weight * examples.value * epochs * (1 + config.train.negatives));
}

/** Fewest and most, of encoding so many passages. */
export const encodingHours = (grid: Grid, passages: number): Hours => hours(grid, passages);

export type Hours = readonly [number, number];

/** In proportion to the passages encoded and trained on, from what the paper says that one training took. */
function hours({ loaded: { reproduction } }: Grid, work: number): Hours {
  const { gpuHours, trainedPassages, encodedPassages, trainedPassageWeight: weight } = reproduction.cost;
  const unit = encodedPassages + weight * trainedPassages;
  return [(gpuHours[0] * work) / unit, (gpuHours[1] * work) / unit];
}

export const sumOf = (all: readonly Hours[]): [number, number] =>
  all.reduce<[number, number]>((sum, each) => [sum[0] + each[0], sum[1] + each[1]], [0, 0]);
