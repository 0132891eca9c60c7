/** What training found out, epoch by epoch. */
import type { DevScore } from './dev-score.js';

/** What an epoch came to. */
export interface EpochFacts {
  /** From 0. */
  epoch: number;
  steps: number;
  /** Means over the steps. */
  loss: number;
  contrastive: number;
  regularizer?: number;
  /** The teacher's part, before its weight. */
  taught?: number;
  dev?: DevScore;
  /** Of its steps. */
  seconds: number;
  /** Of its score on dev; absent where there is no dev set. */
  devSeconds?: number;
}

export interface TrainingFacts {
  epochs: EpochFacts[];
  /** The epoch whose weights were kept, from 0. */
  keptEpoch: number;
  steps: number;
  examples: number;
  devExamples: number;
  learningRate: number;
  /** In what products with weights were computed, the scale of the loss in the end, and steps that updated nothing since the gradient overflowed; absent in float32. */
  precision?: string;
  lossScale?: number;
  skippedSteps?: number;
  /** Over the steps of the last process that trained; validation and compilation left out. */
  stepsPerSecond: number;
  passagesPerSecond: number;
  javascriptShare: number;
}
