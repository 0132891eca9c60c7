/** What a step minimizes: the loss of a batch's vectors, as programs of both kinds of steps use it. */
import type { TrainConfig } from '../config/bench-config.js';
import type { PassageVectors, Tensor, Tensor2D } from '../contracts.js';
import type { Retriever } from '../model/retriever.js';
import type { ArraySpec, NumericArray } from '../tensor/engine.js';
import * as tf from '../tensor/operations.js';
import type { Batch } from './batches.js';
import { type ContrastiveLoss, contrastiveLoss } from './loss.js';

/** What decides the loss beside the architecture. */
export interface Objective {
  /** Scores are divided by it before every softmax. */
  temperature: number;
}

export const usualObjective: Objective = { temperature: 1 };

export const objectiveOf = ({ temperature }: TrainConfig): Objective => ({ temperature });

/** [P] or [B, P]: see Batch. */
const candidatesShape = ({ candidates, queries, passages }: Batch): number[] =>
  candidates.length === passages ? [passages] : [queries, passages];

/** Shapes of `labelFeeds`. */
export const labelSpecs = (batch: Batch): ArraySpec[] => [
  { shape: [batch.queries, batch.passages], dtype: 'float32' },
  { shape: candidatesShape(batch), dtype: 'float32' },
];

/** What a batch says of its passages beside their texts. */
export const labelFeeds = (batch: Batch): NumericArray[] => [batch.positive, batch.candidates];

/** Tells programs of other labels apart. */
export const labelKey = (batch: Batch): string => `${candidatesShape(batch)}`;

interface Encoded {
  /** [B, D] */
  queries: Tensor2D;
  passages: PassageVectors;
  /** The pooling's own weights. */
  weights: readonly Tensor[];
}

/** @param labels one tensor for each of `labelSpecs` */
export function lossOf(
  { architecture, similarity }: Retriever,
  { temperature }: Objective,
  encoded: Encoded,
  labels: readonly Tensor[],
): ContrastiveLoss {
  const { pooling, resolved } = architecture;
  const [positive, candidates] = labels as [Tensor2D, Tensor];
  return contrastiveLoss({
    ...encoded,
    ...{ positive, candidates, similarity, temperature, lambda: resolved.lambda },
    ...(pooling && { pooling }),
  });
}

/** The parts of a loss, kept beyond the tape that it is differentiated on: contrastive, regularizer. */
export const keptParts = ({ contrastive, regularizer }: ContrastiveLoss): Tensor[] =>
  [contrastive, regularizer ?? tf.scalar(0)].map((part) => tf.keep(part));
