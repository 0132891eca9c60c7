/** How many updates an epoch of a grid's trainings has, beside how many it had in the paper's code. */
import { type Bound, examplesOf } from '../pipeline/example-sizes.js';
import { loadSystem } from '../systems.js';
import type { Grid } from './grid.js';
import type { CollectionSizes } from './sizes.js';

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
