/** How many examples a training goes through, as far as that is known before anything is mined. */
import type { BenchConfig } from '../config/config.js';
import type { Dataset } from '../contracts.js';
import { relevantPassages } from '../dataset/qrels.js';

/** Absent where there is no training query, or nobody says. */
export interface ExampleSizes {
  /** Examples of an epoch of the original set. */
  trainingExamples?: number;
  /** Queries of `train`, with or without a positive. */
  trainingQueries?: number;
}

/** A number known beforehand, or the most that it can be: what is mined is known after mining. */
export interface Bound {
  value: number;
  atMost: boolean;
}

export async function trainingSizes(dataset: Dataset): Promise<ExampleSizes> {
  const trainingQueries = (await dataset.queries('train')).length;
  if (trainingQueries === 0) return {};
  const relevant = await relevantPassages(dataset, 'train');
  const trainingExamples =
    dataset.trainsOn === 'each-positive' ? [...relevant.values()].flat().length : relevant.size;
  return { trainingExamples, trainingQueries };
}

/** Examples of an epoch of either stage; null where nobody says how many the dataset has. */
export function examplesOf(
  { stage2 }: Pick<BenchConfig, 'stage2'>,
  sizes: ExampleSizes | null,
  stage: 1 | 2,
): Bound | null {
  if (sizes?.trainingExamples === undefined) return null;
  const { trainingExamples: original, trainingQueries: queries } = sizes;
  if (stage === 1 || stage2.examples === 'merged') return { value: original, atMost: false };
  // Pairs of qrels are mined for as they are; else every query may have a hit that holds an answer.
  const mined = Math.max(original, queries ?? 0);
  return { value: stage2.negatives === 'mined' ? mined : original + mined, atMost: true };
}
