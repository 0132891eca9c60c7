/** What a grid will take: passages to encode, bytes of bare vectors, GPU hours. Nothing is downloaded to find out. */
import type { EncoderShape } from '../contracts.js';
import { projectedVectorsBytes } from '../index/size.js';
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
import { CollectionSizes, type Sizes } from './sizes.js';
import { type EpochSteps, epochSteps } from './steps.js';

export interface RunEstimate {
  run: GridRun;
  /** Rows that it fills, each with its group of columns where others of the same dataset are shown. */
  rows: readonly string[];
  /** N; null where nobody says. */
  passages: number | null;
  /** Times the collection is encoded: twice where negatives are mined with a first stage, once less where the run only trains. */
  encodings: number;
  /** Vectors per passage as they are stored; null for an index of terms. */
  vectors: number | null;
  /** Whether lambda plays a part in its loss. */
  usesLambda: boolean;
  /** Whether `vectors` is the most that a passage can have. */
  atMost: boolean;
  /** Bare vectors of one index; null where N is not known, and where none is made. */
  indexBytes: number | null;
  /** Fewest and most; null at the scale small, and where N or the training examples are not known. */
  gpuHours: readonly [number, number] | null;
}

export interface Estimate {
  runs: readonly RunEstimate[];
  /** Over all encodings, one that several runs share counted once; what is not known is left out. */
  passages: number;
  indexBytes: number;
  gpuHours: readonly [number, number] | null;
  /** Runs of which something is not known. */
  unknown: number;
  /** Where the file knows those of the paper's code. */
  steps: readonly EpochSteps[];
}

export async function estimate(grid: Grid): Promise<Estimate> {
  const runs: RunEstimate[] = [];
  const done = new Set<string>();
  const total = { passages: 0, indexBytes: 0, hours: [0, 0] as [number, number] };
  const collections = new CollectionSizes(grid);
  for (const run of grid.runs) {
    if (run.counts) {
      runs.push({ run, rows: rowsOf(grid, run), ...nothing });
      continue;
    }
    const sizes = await collections.of(run.request);
    const passages = sizes?.passages ?? null;
    const stored = await storedVectors(grid, run);
    const { trainings, encodings } = stored ? await workOf(run, stored) : { trainings: [], encodings: [] };
    const fresh = <T extends { key: string }>(all: readonly T[]) => all.filter(({ key }) => !done.has(key));
    const toTrain = fresh(trainings);
    const toEncode = fresh(encodings).length;
    for (const { key } of [...trainings, ...encodings]) done.add(key);
    const indexBytes =
      passages === null || stored === null || encodings.length === 0
        ? null
        : projectedVectorsBytes(
            { passages: 1, vectors: stored.vectors, dimensions: stored.dimensions },
            passages,
          );
    const gpuHours =
      stored === null || grid.scale === 'small' ? null : hoursOf(grid, run, sizes, toTrain, toEncode);
    if (stored !== null) {
      total.passages += (passages ?? 0) * toEncode;
      total.indexBytes += (indexBytes ?? 0) * toEncode;
      for (const i of [0, 1] as const) total.hours[i] += gpuHours?.[i] ?? 0;
    }
    runs.push({
      run,
      rows: rowsOf(grid, run),
      passages,
      encodings: encodings.length,
      vectors: stored?.vectors ?? null,
      atMost: stored?.atMost ?? false,
      usesLambda: stored?.usesLambda ?? false,
      indexBytes,
      gpuHours,
    });
  }
  const isUnknown = ({ passages, vectors, gpuHours }: RunEstimate) =>
    passages === null || (grid.scale === 'paper' && vectors !== null && gpuHours === null);
  return {
    runs,
    passages: total.passages,
    indexBytes: total.indexBytes,
    gpuHours: grid.scale === 'small' ? null : total.hours,
    unknown: runs.filter(isUnknown).length,
    steps: await epochSteps(grid, collections),
  };
}

/** What counting a dataset takes of what is estimated. */
const nothing = {
  ...{ passages: 0, encodings: 0, vectors: null, atMost: false, usesLambda: false },
  ...{ indexBytes: null, gpuHours: null },
} as const;

function rowsOf({ entries, groups }: Grid, { key }: GridRun): string[] {
  const uses = (run: GridRun) => run.key === key || run.after?.key === key;
  const filled = entries.filter(({ seeds }) => seeds.some(({ runs }) => runs.some(uses)));
  const shared = ({ dataset }: Grid['groups'][number]) =>
    groups.filter((group) => group.dataset === dataset).length > 1;
  const labels = filled.map(({ row, group }) => (shared(group) ? `${row.label}, ${group.label}` : row.label));
  return [...new Set(labels)];
}

/** One piece of work; two of one key are the same. */
interface Work {
  key: string;
}

interface Training extends Work {
  stage: 1 | 2;
  epochs: number;
}

/** Each training, and each time that vectors are made, as the graph of the run has them. */
async function workOf(
  { request, after, trainsOnly }: GridRun,
  { shape }: Stored,
): Promise<{ trainings: Training[]; encodings: Work[] }> {
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
    encodings: encodings.map((stage) => ({ key: inputKey(stage) })),
  };
}

/** What a run stores of a passage. */
interface Stored {
  vectors: number;
  atMost: boolean;
  dimensions: number;
  usesLambda: boolean;
  /** Of the model. */
  shape: EncoderShape;
}

async function storedVectors(
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

/** In proportion to the passages encoded and trained on, from what the paper says that one training took. */
function hoursOf(
  { loaded: { reproduction } }: Grid,
  { request: { config } }: GridRun,
  sizes: Sizes | null,
  toTrain: readonly Training[],
  toEncode: number,
): [number, number] | null {
  const { gpuHours, trainedPassages, encodedPassages, trainedPassageWeight: weight } = reproduction.cost;
  const { negatives } = config.train;
  const trained = toTrain
    .filter(({ epochs }) => epochs > 0)
    .map(({ stage, epochs }) => {
      const examples = examplesOf(config, sizes, stage);
      return examples && examples.value * epochs * (1 + negatives);
    });
  if (sizes === null || trained.includes(null)) return null;
  const passages = trained.reduce<number>((sum, count) => sum + count!, 0);
  const work = toEncode * sizes.passages + weight * passages;
  const unit = encodedPassages + weight * trainedPassages;
  return [(gpuHours[0] * work) / unit, (gpuHours[1] * work) / unit];
}
