/** What a run of a grid trains and encodes, and how many GPU hours the paper's figure gives it. */
import { secondTraining } from '../config/config.js';
import type { EncoderShape } from '../contracts.js';
import { scratchKind } from '../model/scratch.js';
import { examplesOf } from '../pipeline/example-sizes.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { storedOf } from '../pipeline/starting-model.js';
import { hasFamily, loadArchitecture } from '../plugins.js';
import { inOrder, inputKey, type Need, type Stage } from '../stages/graph.js';
import { namesOf } from '../stages/known.js';
import { loadSystem } from '../systems.js';
import type { Grid, GridRun } from './grid.js';
import type { Sizes } from './sizes.js';

/** A training, or an encoding of the collection: the second stage trains with what the first one's model mined. */
export interface Work {
  /** Two of one key are the same. */
  key: string;
  stage: 1 | 2;
}

/** Each training, and each time that a model gives the collection its vectors, as the graph of the run has them. */
export async function workOf(
  grid: Grid,
  { request, after, trainsOnly }: GridRun,
): Promise<{ trainings: Work[]; encodings: Work[] }> {
  const begun = after === undefined ? request : { ...request, init: after.key };
  const { stages } = await (await loadSystem(begun.architecture)).steps();
  const { all } = await stages(begun, { ...namesOf(begun), shape: shapeOf(grid, begun) });
  const trainingsOf = (needs: readonly Need[]) => inOrder(needs).filter(({ task }) => task === 'train');
  const trainings = trainingsOf(all);
  const isSecond = (training: Stage) => trainingsOf([training]).length > 1;
  const works = (made: readonly Stage[]) =>
    made.map(
      (stage): Work => ({
        key: inputKey(stage),
        stage: trainingsOf([stage]).some(isSecond) ? 2 : 1,
      }),
    );
  const encodings = inOrder(trainsOnly ? trainings : all).filter(({ task }) => task === 'encode');
  return { trainings: works(trainings), encodings: works(encodings) };
}

/** What a run stores of a passage. */
export interface Stored {
  vectors: number;
  atMost: boolean;
  dimensions: number;
  usesLambda: boolean;
}

/** Of the model that a grid is about. */
function shapeOf({ loaded, scale }: Grid, { config }: RunRequest): EncoderShape {
  const { layers, dimensions } = scale === 'paper' ? loaded.reproduction.encoder : config.model.scratch;
  return { ...scratchKind, layers, dimensions, maxTokens: config.text.passageTokens };
}

/** Null of what is no architecture, which has no vectors or its own way to them. */
export async function storedVectors(grid: Grid, { request }: GridRun): Promise<Stored | null> {
  const { architecture, config } = request;
  if (!hasFamily(architecture)) return null;
  const shape = shapeOf(grid, request);
  const { perPassage, atMost, dimensions, lambda } = storedOf(
    await loadArchitecture(architecture),
    shape,
    config,
  );
  return { vectors: perPassage, atMost, dimensions, usesLambda: lambda !== 0 };
}

/** Fewest and most, of one training; null where its examples are not known. */
export function trainingHours(
  grid: Grid,
  { request: { config } }: GridRun,
  sizes: Sizes | null,
  { stage }: Work,
): Hours | null {
  const { epochs } = stage === 1 ? config.train : secondTraining(config);
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
