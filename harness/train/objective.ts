/** What a step minimizes: the loss of a batch's vectors, as programs of both kinds of steps use it. */
import type { TrainConfig } from '../config/bench-config.js';
import type { PassageVectors, Tensor, Tensor2D } from '../contracts.js';
import type { Retriever } from '../model/retriever.js';
import type { ArraySpec, NumericArray } from '../tensor/engine.js';
import * as tf from '../tensor/operations.js';
import type { Batch } from './batches.js';
import { type ContrastiveLoss, contrastiveLoss } from './loss.js';
import type { TeacherObjective } from './teacher-loss.js';

/** What decides the loss beside the architecture. */
export interface Objective {
  /** Scores are divided by it before every softmax. */
  temperature: number;
  /** Shorter lengths of vectors whose losses are added to that of the whole. */
  matryoshka?: readonly number[];
  /** What is made of a teacher's scores; absent where there are none. */
  teacher?: TeacherObjective;
}

export const usualObjective: Objective = { temperature: 1 };

export function objectiveOf({ temperature, matryoshka, teacher }: TrainConfig): Objective {
  const { scores, loss, weight, contrastive, temperature: ofTeacher } = teacher;
  return {
    temperature,
    ...(matryoshka && { matryoshka }),
    ...(scores !== null && { teacher: { loss, weight, contrastive, temperature: ofTeacher } }),
  };
}

/** [P] or [B, P]: see Batch. */
const candidatesShape = ({ candidates, queries, passages }: Batch): number[] =>
  candidates.length === passages ? [passages] : [queries, passages];

/** Shapes of `labelFeeds`. */
export function labelSpecs(batch: Batch): ArraySpec[] {
  const each: ArraySpec = { shape: [batch.queries, batch.passages], dtype: 'float32' };
  const candidates: ArraySpec = { shape: candidatesShape(batch), dtype: 'float32' };
  return [each, candidates, ...(batch.teacher ? [each, each] : [])];
}

/** What a batch says of its passages beside their texts: positive, candidates, and a teacher's scores with what they are of. */
export const labelFeeds = ({ positive, candidates, teacher }: Batch): NumericArray[] => [
  ...[positive, candidates],
  ...(teacher ? [teacher.scores, teacher.scored] : []),
];

/** Tells programs of other labels apart. */
export const labelKey = (batch: Batch): string =>
  `${candidatesShape(batch)}${batch.teacher ? ', taught' : ''}`;

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
  { temperature, matryoshka, teacher }: Objective,
  encoded: Encoded,
  labels: readonly Tensor[],
): ContrastiveLoss {
  const { pooling, resolved } = architecture;
  const [positive, candidates, scores, scored] = labels as [Tensor2D, Tensor, Tensor2D?, Tensor2D?];
  return contrastiveLoss({
    ...encoded,
    ...{ positive, candidates, similarity, temperature, lambda: resolved.lambda },
    ...(pooling && { pooling }),
    ...(matryoshka && { matryoshka }),
    ...(teacher && scores && scored && { teacher: { ...teacher, scores, scored } }),
  });
}

/** The parts of a loss, kept beyond the tape that it is differentiated on: contrastive, regularizer, the teacher's. */
export const keptParts = ({ contrastive, regularizer, taught }: ContrastiveLoss): Tensor[] =>
  [contrastive, regularizer ?? tf.scalar(0), taught ?? tf.scalar(0)].map((part) => tf.keep(part));
