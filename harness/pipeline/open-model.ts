/** A model that is open: all that encoding and searching need of it, wherever it came from. */
import type { BenchConfig } from '../config/config.js';
import type { Passage } from '../contracts.js';
import type { Architecture } from '../model/retriever.js';
import { VectorEncoder, type VectorModel } from '../model/vector-encoder.js';
import type { WorkedWith } from '../stages/code.js';
import { type Engine, sizeOf } from '../tensor/engine.js';

export interface OpenModel {
  /** The system's, by which people look for what was made with it: `mlr-sc`. */
  name: string;
  /** Made from the hashes of its files, and of what else decides its vectors: a copy elsewhere has the same one. */
  key: string;
  retriever: VectorModel;
  /** One per parameter. */
  weights: Float32Array[];
  texts: TextEncoders;
  /** Longest text, in tokens. */
  maxTokens: { query: number; passage: number };
  /** Present where it was trained here. */
  architecture?: Architecture;
  /** What computes beside the stages' own code. */
  code: Partial<Pick<WorkedWith, 'architecture' | 'encoder' | 'published' | 'sparse'>>;
}

/** The caller disposes of what comes back. */
export function openEncoder(
  { retriever, weights, maxTokens }: Pick<OpenModel, 'retriever' | 'weights' | 'maxTokens'>,
  side: 'query' | 'passage',
  engine: Engine,
  { batchTokens, precision }: Pick<BenchConfig['encode'], 'batchTokens' | 'precision'>,
): VectorEncoder {
  const options = { engine, retriever, weights, side, maxTokens: maxTokens[side] };
  return new VectorEncoder({ ...options, batchTokens, precision });
}

/** How texts become token ids. */
export interface TextEncoders {
  query(text: string): Int32Array;
  passage(passage: Passage): Int32Array;
}

/** Numbers of all its parameters together. */
export const parameterCountOf = ({ parameters }: Pick<VectorModel, 'parameters'>): number =>
  parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
