/** What a run of a grid trains and encodes, how many GPU hours the paper's figure gives it, and how many updates an epoch has. */
import { secondTraining } from '../config/config.js';
import type { EncoderShape } from '../contracts.js';
import { scratchKind } from '../model/scratch.js';
import { type Bound, examplesOf } from '../pipeline/example-sizes.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { storedOf } from '../pipeline/starting-model.js';
import { hasFamily, loadArchitecture } from '../plugins.js';
import { inOrder, inputKey, type Need, type Stage } from '../stages/graph.js';
import { namesOf } from '../stages/known.js';
import { loadSystem } from '../systems.js';
import type { Grid, GridRun } from './grid.js';
import type { CollectionSizes, Sizes } from './sizes.js';

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
  /** Vectors. */
  perPassage: number;
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
  return { perPassage, atMost, dimensions, usesLambda: lambda !== 0 };
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

export interface EpochSteps {
  dataset: string;
  stage: 1 | 2;
  /** Of the runs of this grid; null where the dataset's size is not known. */
  ours: Bound | null;
  /** Queries per update in them. */
  batchSize: number;
  published: Bound;
}

/** Of every collection whose steps in the paper's code the file knows, and every way in which it is trained on. */
export async function epochSteps(grid: Grid, sizes: CollectionSizes): Promise<EpochSteps[]> {
  const found = new Map<string, EpochSteps>();
  for (const run of grid.scale === 'paper' ? grid.runs : []) {
    const { request } = run;
    const { dataset, config } = request;
    const published = grid.loaded.reproduction.collections[dataset]?.codeSteps;
    if (published === undefined || config.train.epochs === 0) continue;
    const known = await sizes.of(request);
    const { batchSize } = config.train;
    const { trainings } = await workOf(grid, run);
    for (const stage of new Set(trainings.map((each) => each.stage))) {
      const theirs = stage === 1 ? published.first : published.second;
      if (theirs === undefined) continue;
      const examples = examplesOf(config, known, stage);
      const ours = examples && { ...examples, value: Math.ceil(examples.value / batchSize) };
      const steps = { dataset, stage, ours, batchSize, published: { value: theirs, atMost: stage === 2 } };
      found.set(JSON.stringify(steps), steps);
    }
  }
  return [...found.values()].sort((a, b) => a.stage - b.stage);
}
