/** What is exported, with what, and how it was checked. */
import type { Retriever } from '../model/retriever.js';
import type { RetrieverFacts } from '../model/retriever-facts.js';
import type { Progress } from '../progress.js';
import type { Engine } from '../tensor/engine.js';
import type { Tokenizer } from '../text/tokenizer.js';

/** What is exported. */
export interface TrainedRetriever {
  /** The checkpoint's own. */
  key: string;
  facts: RetrieverFacts;
  retriever: Retriever;
  /** One per parameter. */
  weights: readonly Float32Array[];
  tokenizer: Tokenizer;
}

export interface ExportTools {
  /** Makes the vectors that those of an exported encoder are held against. */
  engine: Engine;
  progress: Progress;
}

/** How far an exported encoder's vectors lie from ours. */
export interface VectorCheck {
  file: string;
  /** The largest difference of two numbers, divided by the largest magnitude of any. */
  largestDifference: number;
  /** What it may be. */
  tolerance: number;
  texts: number;
}

export type Side = 'passage' | 'query';
export const sides: readonly Side[] = ['passage', 'query'];

export const modelName = (side: Side): string => `${side}.onnx`;

/** The most tokens that a text of this side is cut to. */
export const textLimit = ({ text }: Pick<RetrieverFacts, 'text'>, side: Side): number =>
  side === 'passage' ? text.maxPassageTokens : text.maxQueryTokens;
