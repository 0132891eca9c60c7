/** How many updates an epoch of a grid's trainings has, beside how many it had in the paper's code. */
import { type Bound, examplesOf } from '../pipeline/example-sizes.js';
import type { Grid } from './grid.js';
import type { CollectionSizes } from './sizes.js';
import { workOf } from './work.js';

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
