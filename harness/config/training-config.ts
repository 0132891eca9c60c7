/** The configuration of training, first and second. */

/** A teacher's scores, and what is made of them. */
export interface TeacherConfig {
  /** A file of them; null: there is no teacher. */
  scores: string | null;
  loss: 'margin-mse' | 'kl';
  /** What it counts beside the contrastive loss. */
  weight: number;
  /** What the contrastive loss counts beside it. */
  contrastive: number;
  /** Of kl: the teacher's scores are divided by it. */
  temperature: number;
  /** What becomes of a pair that is trained on and has no score. */
  missing: 'left-out' | 'refused';
}

export interface TrainConfig {
  epochs: number;
  /** Queries per update. */
  batchSize: number;
  /** The most texts of a chunk of the gradient cache, queries or passages; null trains without it. */
  chunkSize: number | 'fitting' | null;
  /** Peak of the schedule; null stands for the value of the model's kind: 5e-4 for T5, 2e-5 for all others. */
  learningRate: number | null;
  /** Scores are divided by it before the softmax. */
  temperature: number;
  /** Shorter lengths of vectors that the loss is taken of too, each as much as of the whole; null: of the whole alone. */
  matryoshka: number[] | null;
  teacher: TeacherConfig;
  /** Share of the steps over which the learning rate rises. */
  warmup: number;
  weightDecay: number;
  /** Largest norm of the whole gradient; null does not clip. */
  clipNorm: number | null;
  /** Of products with weights and of what makes their gradients: `float32`, or a file of `harness/precisions` that trains. Dev is judged in float32. */
  precision: string;
  dropout: number;
  /** Hard negatives per query. */
  negatives: number;
  /** How many hard negatives of each source they are drawn from, best first. */
  negativePool: number;
  /** Of datasets that train on each positive negatives are drawn again instead. */
  missingNegative: 'left-out' | 'padded';
  /** What a query's positive of another example in the batch is to it, where a query has several examples. */
  otherPositives: 'left-out' | 'negatives';
  checkpoint: 'best' | 'last';
  averageRank: 'dpr' | 'batch';
  /** First epoch, from 0, judged by average rank (`epoch >= averageRankFrom`); null stays with cross entropy. */
  averageRankFrom: number | null;
  /** Per dev query in the pool of `averageRank: dpr`; null stands for those of its batch. */
  averageRankHardNegatives: number | null;
  averageRankOtherNegatives: number;
  /** Where a passage stands that scores as much as the positive: behind it, or where the order of passages has it. */
  averageRankTies: 'behind' | 'listed';
  resetBestAtSwitch: boolean;
  devNegatives: 'fixed' | 'resampled';
  /** Epochs without a better dev score before training stops; null never stops early. */
  patience: number | null;
  /** Steps between two saved states from which training can be resumed. */
  saveEverySteps: number;
}

/** What the second of two stages does otherwise. */
export interface SecondStageConfig {
  /** The model that the first stage started from, or the weights that it left. */
  init: 'model' | 'first';
  /** Those of the first stage and the mined ones, or the mined ones alone. */
  negatives: 'both' | 'mined';
  /** The mined set behind the original one, with positives of its own, or its negatives as more of the same examples. */
  examples: 'concatenated' | 'merged';
  /** null stands for half the epochs of the first. */
  epochs: number | null;
  /** null stands for that of the first. */
  learningRate: number | null;
  /** Counted within the second stage, as `train.averageRankFrom`; null stands for that of the first. */
  averageRankFrom: number | null;
  /** How many hard negatives of each source they are drawn from, best first. */
  negativePool: number;
  /** Hits per training query that are looked at when negatives are mined. */
  depth: number;
  /** A mined passage is a negative only where its score is at most this share of the positive's. */
  maxScoreRatio: number | null;
  /** A mined passage is a negative only where its score is at least so much below the positive's. */
  scoreMargin: number | null;
}
