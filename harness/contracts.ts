/**
 * The records that travel between rooms and the interfaces that plug-ins implement. Imports nothing of ours.
 *
 * Letters used in every shape: B batch, T tokens, M vectors per passage, D dimensions, L layers, N passages,
 * Q queries, P passages of a batch, k depth.
 */
import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { Report } from './contracts/report.js';

export type { Scalar, Tensor, Tensor2D, Tensor3D };

// ---------------------------------------------------------------------------------------------------- records

export type * from './contracts/records.js';

// --------------------------------------------------------------------------------------------------- datasets

export type * from './contracts/dataset.js';

// ---------------------------------------------------------------------------------------------- architectures

/** The shape of an encoder, as far as an architecture needs to know it. */
export interface EncoderShape {
  /** What it is called in records and errors, `bert`; nothing is decided by it. */
  kind: string;
  /** L, transformer layers. */
  layers: number;
  /** D */
  dimensions: number;
  /** The longest input it takes, in tokens; Infinity where positions are relative. */
  maxTokens: number;
  /** What stands for a text in a layer: the vector of its first token, such as BERT's [CLS], or the mean over its tokens. */
  summary: 'first-token' | 'mean';
}

/** What an encoder makes of one padded batch. */
export interface EncoderStates {
  /** L + 1 tensors [B, T, D]: the embeddings, then the output of every layer. */
  hidden: readonly Tensor3D[];
  /** [B, T], 1 for a token, 0 for padding. */
  mask: Tensor2D;
  /** One vector of a layer per text, [B, D]: that of its first token, or the masked mean (`EncoderShape.summary`). */
  summary(layer: number): Tensor2D;
}

/** E(d) for a batch of passages. Row 0 is always h_0^(L), the vector that can stand alone. */
export interface PassageVectors {
  /** [B, M, D] */
  vectors: Tensor3D;
  /** [B, M], 1 where a vector exists; absent where all do. */
  present?: Tensor2D;
}

/** `arch.*` of the configuration as the user gave it. */
export interface ArchitectureOptions {
  layers?: readonly number[] | 'last' | 'first' | 'uniform';
  vectors?: number;
  lambda?: number;
  /** me-bert: whether a passage of fewer than m tokens has fewer vectors (default) or padding positions take part. */
  maskShort?: boolean;
  /** me-bert and colbert-cls over T5: whether the mean vector stands before those of the tokens (default) or nowhere. */
  meanFirst?: boolean;
}

/** The options after a family has checked them against an encoder and filled in its defaults. */
export interface ResolvedArchitecture {
  /** S, ascending, the last one being L. Families that use only the last layer give [L]. */
  layers: readonly number[];
  /** M, the most vectors a passage has (`present` tells where it has fewer), or 'varies' where its length decides. */
  vectors: number | 'varies';
  /** lambda of equation (6); 0 where it plays no part. */
  lambda: number;
  /** As in ArchitectureOptions; absent where it plays no part. */
  maskShort?: boolean;
  /** Families of token vectors: true where h_0^(L) is no token's own (T5's masked mean) and stands before theirs; else it is that of the first token. */
  meanFirst?: boolean;
  /** How two vectors are compared. Set by the harness, not by a family: vectors get length 1 behind it and its pooling. Absent: their product. */
  similarity?: 'cosine';
}

/** `architectures/NAME.ts` exports one of these by default: how E(d) is made. */
export interface ArchitectureFamily {
  /** One line for `bench list architectures`. */
  summary: string;
  /** By pooling's short name: true, or the reason why the combination makes no sense. What is not listed is allowed. */
  poolings: Readonly<Record<string, true | string>>;
  /**
   * Checks the options against the encoder and fills in the defaults.
   * @param pooling short name of the pooling, absent for multi-vector search
   * @throws BenchError CONFIG_INVALID that names every option at fault
   */
  resolve(options: ArchitectureOptions, encoder: EncoderShape, pooling?: string): ResolvedArchitecture;
  /** E(d) of a batch, from the states of the passage encoder. */
  represent(states: EncoderStates, architecture: ResolvedArchitecture): PassageVectors;
  /** What people call a row of E(d), counted from 0: `layer 8`. `vector 1` and so on where absent. */
  vectorName?(row: number, architecture: ResolvedArchitecture): string;
}

export type * from './contracts/sparse.js';

/** The scores of a batch while training. */
export interface BatchScores {
  /** [Q, P, M]: h_q . h for every vector of every passage; absent vectors hold a score that never wins. */
  all: Tensor3D;
  /** [Q, P], 1 where the passage is the query's own positive, else 0. */
  positive: Tensor2D;
  /** sim(q, d) of equation (2), [Q, P]: the largest over the vectors of each passage. */
  largest(): Tensor2D;
  /** [Q, M]: the scores of each query against the vectors of its own positive. */
  own(): Tensor2D;
}

/** A trained number array that belongs to a pooling rather than to an encoder. */
export interface ParameterSpec {
  name: string;
  shape: readonly number[];
  initial: 'zeros';
}

/** `architectures/pooling/NAME.ts` exports one of these by default: how E(d) becomes one vector, h_D(d). */
export interface Pooling {
  /** What follows the dash: `sc` of `mlr-sc`. */
  shortName: string;
  summary: string;
  /** Trained weights of its own. */
  parameters?(architecture: ResolvedArchitecture): readonly ParameterSpec[];
  /** Trained weights as a reader wants them, by name, one number per row of E(d): alpha after the softmax. */
  describeWeights?(weights: readonly Float32Array[]): Record<string, number[]>;
  /** h_D(d), the one vector that is stored and searched: [B, 1, D]. */
  pool(passages: PassageVectors, weights: readonly Tensor[]): PassageVectors;
  /** Which vectors the training loss sees: the pooled one, or all of E(d). */
  trainsOn: 'pooled' | 'all';
  /** The similarity of training, [Q, P]; equation (2) where absent. */
  trainingSimilarity?(scores: BatchScores): Tensor2D;
  /** Added to the loss lambda times: a mean over queries. */
  regularizer?(scores: BatchScores): Scalar;
}

// ---------------------------------------------------------------------------------------------------- reports

export type * from './contracts/prices.js';
export type * from './contracts/report.js';

/** `reports/NAME.ts` exports one of these by default. It lays out what was worked out before, and reads nothing itself. */
export interface ReportPlugin {
  /** One line for `bench list reports`. */
  summary: string;
  /** The file's ending, without a dot. */
  extension: string;
  /** What takes time or room to find out and this report shows: texts of queries and passages, values of every query. */
  needs?: readonly ('texts' | 'values')[];
  /** What it shows where it is asked for; of one that does not, `bench report` refuses the option. */
  shows?: readonly ('slice' | 'prices')[];
  /** The whole file; a report that needs a heavy library loads it here. */
  render(report: Report): string | Promise<string>;
}
