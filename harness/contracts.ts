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

/** The three parts of a dataset: what trains, what chooses the checkpoint, what is reported. */
export type Split = 'train' | 'dev' | 'test';

/** A text that can be retrieved. An empty text or title is kept and encoded. */
export interface Passage {
  passageId: string;
  title: string;
  text: string;
}

/** A text that asks. `answers` are the strings of a question answering set (DPR's answer matching). */
export interface Query {
  queryId: string;
  text: string;
  answers?: readonly string[];
}

/** A judgement: `relevance` of 1 or more is relevant; 0 and below is judged and not relevant. */
export interface Qrel {
  queryId: string;
  passageId: string;
  relevance: number;
}

/** One retrieved passage of one query. Ranks count from 1; a higher score is better. */
export interface Hit {
  queryId: string;
  passageId: string;
  score: number;
  rank: number;
}

/** The hits of one query as parallel arrays: passage ids without repetition, in the order they were given. */
export interface Ranking {
  readonly passageIds: readonly string[];
  /** Higher is better; absent where the source gives none. */
  readonly scores?: ArrayLike<number>;
  /** Ranks that the source stated; absent where the order given is the ranking. */
  readonly ranks?: ArrayLike<number>;
}

/** A run: the ranking of each query, by query id. */
export type Run = ReadonlyMap<string, Ranking>;

/** Judgements by query id: relevance by passage id. */
export type Qrels = ReadonlyMap<string, ReadonlyMap<string, number>>;

// --------------------------------------------------------------------------------------------------- datasets

/** A file that a dataset was read from, as it was found on this machine. */
export interface DataFile {
  name: string;
  sizeBytes: number;
  sha256: string;
}

/**
 * A file that can be fetched, as its publisher describes it. Give the sha256 or, where only that is known, the md5. Where
 * the publisher gives neither, the file that comes first is taken and its sha256 kept: a later one has to be the same.
 */
export interface Download {
  name: string;
  /** Empty where nothing can be fetched: `instructions` say what to do. */
  url: string;
  /** 0 where the publisher does not say. */
  sizeBytes: number;
  sha256?: string;
  md5?: string;
  licence: string;
  /** What to do where a licence forbids fetching, or where the file has to be rebuilt. */
  instructions?: string;
}

export interface DatasetRequest {
  /** What follows the slash: `nq` of `dpr/nq`. */
  variant?: string;
  /** A folder given by `--data`: files are read from there and nothing is fetched. */
  folder?: string;
  /** Fetches into the cache what is not there, verified; returns its path. Throws where the network may not be used. */
  fetch(download: Download): Promise<string>;
  /**
   * Keeps what was found out about files from one run to the next, for as long as their sizes and times of change stay the
   * same. Absent where there is nowhere to keep it.
   * @param what names the finding and the version of whatever found it
   */
  remember?<T>(what: string, files: readonly string[], find: () => Promise<T>): Promise<T>;
}

/**
 * A dataset that has been opened. Iterators start from the beginning at every call and always give the same order.
 * Memory must not grow with the number of passages: what is read is streamed.
 */
export interface Dataset {
  /** As the command line says it: `squad`, `dpr/nq`. */
  name: string;
  /** Changes whenever the records it gives could: publisher's version plus ours, such as `1.1-1`. */
  version: string;
  licence: string;
  files: readonly DataFile[];
  /** N, the number of passages. */
  passageCount: number;
  /** How an answer is sought in a hit's text: absent where queries have no answers. */
  answerMatching?: 'string' | 'regex';
  /** Lowest relevance that measures without grades take for relevant; 1 where absent. */
  relevantFrom?: number;
  /** What a reader of its figures should know: qrels of passages that are not there, splits that are missing. */
  remarks?: readonly string[];
  passages(): AsyncIterable<Passage>;
  /**
   * The passages that a split trains on, where they come with its queries rather than in the collection alone (DPR): a
   * shorter way to their texts. A passage may come more than once, with the same id.
   */
  trainingPassages?(split: Split): AsyncIterable<Passage>;
  queries(split: Split): Promise<readonly Query[]>;
  qrels(split: Split): Promise<readonly Qrel[]>;
  /** Passage ids of hard negatives by query id, best first; absent where the dataset ships none. */
  negatives?(split: Split): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** `datasets/NAME.ts` exports one of these by default. */
export interface DatasetPlugin {
  /** One line for `bench list datasets`. */
  summary: string;
  /** What may follow the slash; absent where nothing may. */
  variants?: readonly string[];
  /** Names that stand for several variants, whose figures are averaged: `cqadupstack` for its 12 forums. */
  groups?: Readonly<Record<string, readonly string[]>>;
  /** What it downloads, for `bench doctor` and the plan; empty for an embedded dataset. */
  downloads(variant?: string): readonly Download[];
  open(request: DatasetRequest): Promise<Dataset>;
}

// ---------------------------------------------------------------------------------------------- architectures

/** The shape of an encoder, as far as an architecture needs to know it. */
export interface EncoderShape {
  kind: 'bert' | 't5';
  /** L, transformer layers. */
  layers: number;
  /** D */
  dimensions: number;
  /** The longest input it takes, in tokens; Infinity where positions are relative. */
  maxTokens: number;
}

/** What an encoder makes of one padded batch. */
export interface EncoderStates {
  /** L + 1 tensors [B, T, D]: the embeddings, then the output of every layer. */
  hidden: readonly Tensor3D[];
  /** [B, T], 1 for a token, 0 for padding. */
  mask: Tensor2D;
  /** One vector of a layer per text, [B, D]: BERT's [CLS], T5's masked mean. */
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
  /** Families of token vectors: true where h_0^(L) is no token's own (T5's masked mean) and stands before theirs. */
  meanFirst?: boolean;
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

/** How terms are weighed where nothing is trained. */
export interface SparseScoring {
  formula: 'bm25';
  k1: number;
  b: number;
  /** `exact`, or rounded as Lucene rounds them to a byte. */
  lengths: 'exact' | 'lucene';
  /** `porter`: Porter's of 1980; `english`: his later one, Porter2. */
  stemmer: 'porter' | 'english' | 'none';
  /** Whether Lucene's 33 English stop words are left out. */
  stopWords: boolean;
}

/** `architectures/sparse/NAME.ts` exports one of these by default: passages as bags of terms, nothing to train. */
export interface SparseArchitecture {
  /** One line for `bench list architectures`. */
  summary: string;
  /** What holds unless the configuration's `bm25.*` says otherwise. */
  scoring: SparseScoring;
}

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

export type * from './contracts/report.js';

/** `reports/NAME.ts` exports one of these by default. It lays out what was worked out before, and reads nothing itself. */
export interface ReportPlugin {
  /** One line for `bench list reports`. */
  summary: string;
  /** The file's ending, without a dot. */
  extension: string;
  /** The whole file; a report that needs a heavy library loads it here. */
  render(report: Report): string | Promise<string>;
}
