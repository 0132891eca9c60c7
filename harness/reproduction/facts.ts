/** What a column shows that is no measure: what the record of a run says of the run itself, or of its dataset. */
import type { DatasetFacts, RunRecord } from '../record.js';

/** A dataset that was opened and counted; nothing was run on it. */
export interface CountedDataset {
  dataset: DatasetFacts;
}

/** What became of a run of the grid. */
export type Made = RunRecord | CountedDataset;

export interface Fact {
  /** For an error, and for a reader of the file. */
  description: string;
  /** Undefined where the record does not say. */
  of(made: Pick<RunRecord, 'dataset'> & Partial<RunRecord>): number | undefined;
  /** Why it does not. */
  why?(made: Partial<RunRecord>): string | undefined;
}

const split = (name: 'train' | 'dev' | 'test', what: 'queries' | 'withPositive'): Fact => ({
  description: `${name} queries${what === 'withPositive' ? ' with a passage that is judged relevant' : ''}`,
  of: ({ dataset }) => dataset.counts[name]?.[what],
});

const facts: Readonly<Record<string, Fact>> = {
  'projected-bytes': {
    description: 'bytes of the bare vectors of 21,015,324 passages, projected from this index',
    of: ({ index }) => index?.projectedBytes,
  },
  'whole-index-s': {
    description: 'seconds to open the index and search it for all queries, over the number of queries',
    of: ({ latency }) => latency?.wholeIndexSecondsPerQuery,
    why: ({ latency }) => latency?.warnings.find((line) => line.startsWith('No seconds for')),
  },
  lambda: {
    description: 'the weight of the self-contrastive term that was chosen on dev',
    of: ({ training, arch }) =>
      training?.lambdaSearch === undefined ? undefined : (arch?.lambda ?? undefined),
  },
  'train-queries': split('train', 'queries'),
  'train-queries-with-positive': split('train', 'withPositive'),
  'dev-queries': split('dev', 'queries'),
  'test-queries': split('test', 'queries'),
};

const devScore = /^dev-score@(\d+(?:\.\d+)?)$/;

/** @param id of a column's `fact`; `dev-score@0.1` is the dev score of the training with that lambda */
export function factNamed(id: string): Fact | undefined {
  const lambda = devScore.exec(id)?.[1];
  if (lambda === undefined) return Object.hasOwn(facts, id) ? facts[id] : undefined;
  return {
    description: `dev score of the kept epoch with lambda ${lambda}, lower is better`,
    of: ({ training }) => training?.lambdaSearch?.find((tried) => tried.lambda === Number(lambda))?.dev,
  };
}

/** For an error. */
export const factNames = [...Object.keys(facts), 'dev-score@LAMBDA'];
