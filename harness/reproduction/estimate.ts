/** What a grid will take: passages to encode, bytes of bare vectors, GPU hours. Nothing is downloaded to find out. */
import { projectedVectorsBytes } from '../index/size.js';
import type { Grid, GridRun } from './grid.js';
import { CollectionSizes, type Sizes } from './sizes.js';
import { type EpochSteps, epochSteps } from './steps.js';
import { encodingHours, storedVectors, sumOf, trainingHours, type Work, workOf } from './work.js';

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
    const { trainings, encodings } = await workOf(grid, run);
    const fresh = (all: readonly Work[]) => all.filter(({ key }) => !done.has(key));
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
    total.passages += (passages ?? 0) * toEncode;
    total.indexBytes += (indexBytes ?? 0) * toEncode;
    for (const i of [0, 1] as const) total.hours[i] += gpuHours?.[i] ?? 0;
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
  const isUnknown = ({ passages, vectors, encodings, gpuHours }: RunEstimate) =>
    passages === null || (grid.scale === 'paper' && (vectors ?? encodings) !== 0 && gpuHours === null);
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

/** Null where the collection is not known, or what is trained on in it. */
function hoursOf(
  grid: Grid,
  run: GridRun,
  sizes: Sizes | null,
  toTrain: readonly Work[],
  toEncode: number,
): [number, number] | null {
  const trained = toTrain
    .map((each) => trainingHours(grid, run, sizes, each))
    .filter((hours) => hours !== null);
  if (sizes === null || trained.length < toTrain.length) return null;
  return sumOf([...trained, encodingHours(grid, toEncode * sizes.passages)]);
}
