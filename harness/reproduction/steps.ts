/** How many updates an epoch of a grid's trainings has, beside how many it had in the paper's code. */
import type { BenchConfig } from '../config/config.js';
import { loadSystem } from '../systems.js';
import type { Grid } from './grid.js';
import type { CollectionSizes, Sizes } from './sizes.js';

/** A number known beforehand, or the most that it can be: what is mined is known after mining. */
export interface Bound {
  value: number;
  atMost: boolean;
}

export interface EpochSteps {
  dataset: string;
  stage: 1 | 2;
  /** Of the runs of this grid; null where the dataset's size is not known. */
  ours: Bound | null;
  /** Queries per update in them. */
  batchSize: number;
  published: Bound;
}

/** Examples of an epoch of either stage; null where nobody says how many the dataset has. */
export function examplesOf(
  { stage2 }: Pick<BenchConfig, 'stage2'>,
  sizes: Sizes | null,
  stage: 1 | 2,
): Bound | null {
  if (sizes?.trainingExamples === undefined) return null;
  const { trainingExamples: original, trainingQueries: queries } = sizes;
  if (stage === 1 || stage2.examples === 'merged') return { value: original, atMost: false };
  // Pairs of qrels are mined for as they are; else every query may have a hit that holds an answer.
  const mined = Math.max(original, queries ?? 0);
  return { value: stage2.negatives === 'mined' ? mined : original + mined, atMost: true };
}

/** Of every collection whose steps in the paper's code the file knows, and every way in which it is trained on. */
export async function epochSteps(grid: Grid, sizes: CollectionSizes): Promise<EpochSteps[]> {
  const found = new Map<string, EpochSteps>();
  for (const { request } of grid.scale === 'paper' ? grid.runs : []) {
    const { dataset, architecture, config } = request;
    const published = grid.loaded.reproduction.collections[dataset]?.codeSteps;
    if (published === undefined || config.train.epochs === 0) continue;
    if (!(await loadSystem(architecture)).isTrained) continue;
    const known = await sizes.of(request);
    const { batchSize } = config.train;
    for (const stage of config.stages === 2 ? ([1, 2] as const) : ([1] as const)) {
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
