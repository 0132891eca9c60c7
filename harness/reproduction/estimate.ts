/** What a grid will take: passages to encode, bytes of bare vectors, GPU hours. Nothing is downloaded to find out. */
import { vectorsBytes } from '../index/size.js';
import type { Grid, GridRun } from './grid.js';
import { CollectionSizes, type Sizes } from './sizes.js';
import {
  type EpochSteps,
  encodingHours,
  epochSteps,
  storedVectors,
  sumOf,
  trainingHours,
  type Work,
  workOf,
} from './work.js';

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
  // A run of which something is not known leaves it to the next that needs the same.
  const done = { passages: new Set<string>(), bytes: new Set<string>(), hours: new Set<string>() };
  const works = new Map<RunEstimate, Awaited<ReturnType<typeof workOf>>>();
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
    const fresh = (all: readonly Work[], part: keyof typeof done) =>
      all.filter(({ key }) => !done[part].has(key));
    const count = (part: keyof typeof done, works: readonly Work[]) => {
      for (const { key } of works) done[part].add(key);
    };
    const indexBytes =
      passages === null || stored === null || encodings.length === 0 ? null : vectorsBytes(stored, passages);
    const gpuHours =
      stored === null || grid.scale === 'small'
        ? null
        : hoursOf(grid, run, sizes, fresh(trainings, 'hours'), fresh(encodings, 'hours').length);
    total.passages += (passages ?? 0) * fresh(encodings, 'passages').length;
    total.indexBytes += (indexBytes ?? 0) * fresh(encodings, 'bytes').length;
    for (const i of [0, 1] as const) total.hours[i] += gpuHours?.[i] ?? 0;
    if (passages !== null) count('passages', encodings);
    if (indexBytes !== null) count('bytes', encodings);
    if (gpuHours !== null) count('hours', [...trainings, ...encodings]);
    const estimated: RunEstimate = {
      run,
      rows: rowsOf(grid, run),
      passages,
      encodings: encodings.length,
      vectors: stored?.perPassage ?? null,
      atMost: stored?.atMost ?? false,
      usesLambda: stored?.usesLambda ?? false,
      indexBytes,
      gpuHours,
    };
    runs.push(estimated);
    works.set(estimated, { trainings, encodings });
  }
  const isLeft = (all: readonly Work[], part: keyof typeof done) =>
    all.some(({ key }) => !done[part].has(key));
  const isUnknown = (run: RunEstimate) => {
    const { trainings = [], encodings = [] } = works.get(run) ?? {};
    if (run.passages === null || isLeft(encodings, 'bytes')) return true;
    return grid.scale === 'paper' && isLeft([...trainings, ...encodings], 'hours');
  };
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
