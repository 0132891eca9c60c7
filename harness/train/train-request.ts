/** What a training is asked for. */
import type { TrainConfig } from '../config/bench-config.js';
import type { Retriever } from '../model/retriever.js';
import type { Progress } from '../progress.js';
import type { Engine } from '../tensor/engine.js';
import type { TrainingExample } from './batches.js';

export interface TrainRequest {
  engine: Engine;
  retriever: Retriever;
  /** One per parameter: where training starts from. */
  initial: readonly Float32Array[];
  examples: readonly TrainingExample[];
  /** Empty where there is no dev set: then the last epoch's weights are kept. */
  dev: readonly TrainingExample[];
  options: TrainConfig;
  /** A query with too few negatives is given them again, whatever `options.missingNegative` says. */
  cyclesNegatives?: boolean;
  /** Of the device, where it is known. */
  deviceMemoryMiB?: number | null;
  /** Nobody asked for `options.chunkSize`: where a larger one fits a GPU, a line says so. */
  chunkIsUsual?: boolean;
  /** The peak of the schedule. */
  learningRate: number;
  maxQueryTokens: number;
  maxPassageTokens: number;
  /** Tokens per batch when dev is encoded. */
  batchTokens: number;
  seed: number;
  /** Where the state lies while training goes on, and the step metrics for good. */
  folder: string;
  progress: Progress;
}
