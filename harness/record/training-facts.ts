/** What a record says of how a model was trained. */
import type { DataFile } from '../contracts.js';

export interface EpochFacts {
  /** From 0. */
  readonly epoch: number;
  readonly steps: number;
  /** Mean training loss. */
  readonly loss: number;
  /** What dev said, by name: crossEntropy, averageRank. */
  readonly dev: Readonly<Record<string, number>>;
  readonly execution?: { readonly seconds: number };
}

/** One training: its epochs and what it took. */
export interface TrainingStageFacts {
  readonly epochs: readonly EpochFacts[];
  /** Whose checkpoint was kept. */
  readonly bestEpoch: number | null;
  /** In what products with weights were computed, where that is not float32; with it steps that updated nothing since their gradient overflowed, and the scale of the loss in the end. */
  readonly precision?: string;
  readonly skippedSteps?: number;
  readonly lossScale?: number;
  readonly execution: {
    readonly seconds: number;
    readonly stepsPerSecond: number;
    /** Share of a step's time spent outside the engine. */
    readonly javascriptShare?: number;
  };
}

/** The training whose checkpoint was searched. */
export interface TrainingFacts extends TrainingStageFacts {
  /** The stage before, where there were two. */
  readonly firstStage?: TrainingStageFacts;
  /** The trained checkpoint that it began with. */
  readonly init?: { readonly architecture: string; readonly key: string };
  /** Where hard negatives came from: `dataset`, `bm25`, or a file. */
  readonly negatives?: readonly (Partial<DataFile> & { readonly name: string })[];
  /** The file of a teacher's scores. */
  readonly teacher?: DataFile;
  /** Of two stages: what became of the hits of the first when examples were mined from them, see MinedFacts. */
  readonly mined?: Readonly<Record<string, number>>;
  /** What was trained on and what was left out, by split: see ExampleCounts. */
  readonly examples?: Readonly<Partial<Record<'train' | 'dev', Readonly<Record<string, number>>>>>;
  /** Every value of lambda tried; `arch.lambda` is the one chosen. */
  readonly lambdaSearch?: readonly LambdaTried[];
  /** The pooling's trained weights by name, a number per row of E(d): alpha of scalar mix after the softmax. */
  readonly poolingWeights?: Readonly<Record<string, readonly number[]>>;
}

export interface LambdaTried {
  readonly lambda: number;
  /** The epoch that was kept, from 0. */
  readonly epoch: number;
  readonly measure: 'crossEntropy' | 'averageRank';
  /** Of that epoch; lower is better. */
  readonly dev: number;
}
