/** The configuration of a run after every source has been merged. What a key means to a user stands in config.schema.json. */

import type {
  CrossConfig,
  EndpointConfig,
  FuseConfig,
  RerankConfig,
  SparseConfig,
  VectorsConfig,
} from './system-config.js';
import type { SecondStageConfig, TrainConfig } from './training-config.js';

export type * from './training-config.js';

export type LayerChoice = 'last' | 'first' | 'uniform';

/** Options of the architecture; null leaves the choice to the family, which knows the encoder's depth. */
export interface ArchitectureConfig {
  /** S: layers whose vectors represent a passage, from 0 (embeddings) to L. */
  layers: number[] | LayerChoice | null;
  /** M, vectors per passage. */
  vectors: number | null;
  /** lambda of equation (6); a list is searched on dev. */
  lambda: number | number[] | null;
  /** Whether a passage of fewer than M tokens has fewer vectors; false lets padding positions take part. */
  maskShort: boolean;
  /** Whether the token vectors of T5 come after their mean; false leaves the mean out. */
  meanFirst: boolean;
  /** How two vectors are compared: their product, or that of vectors of length 1. */
  similarity: 'dot' | 'cosine';
}

/** The BERT with random weights that `scratch` makes. */
export interface ScratchConfig {
  layers: number;
  dimensions: number;
  heads: number;
  /** Width of the feed-forward block. */
  intermediate: number;
  vocabularySize: number;
}

export interface ModelConfig {
  /** `scratch`, a folder, or an id on the Hugging Face hub. */
  name: string;
  /** One encoder for queries and passages instead of two. */
  tied: boolean;
  t5LayerNorm: 'last' | 'all';
  scratch: ScratchConfig;
}

export interface TextConfig {
  /** Longest query, in tokens, special ones included. */
  queryTokens: number;
  /** Longest passage with its title, in tokens, special ones included. */
  passageTokens: number;
  pairTruncation: 'longest-first' | 'joined';
}

export interface EncodeConfig {
  /** Tokens per batch, padding included. */
  batchTokens: number;
  shardPassages: number;
  memoryMiB: number;
  /**
   * Of products with weights: `float32`, or a file of `harness/precisions`. Validation on dev and the mining of a second
   * stage are float32 in any case, and training has a setting of its own.
   */
  precision: string;
}

/** What is built from the vectors and searched. */
export interface IndexConfig {
  /** As the searchers call it: HNSW32, IVF64,Flat; Flat searches the vectors themselves, exactly. */
  kind: string;
  /** Lists visited per query, of an inverted file; null leaves the library's own value. The last is what the run is measured with. */
  nprobe: number[] | null;
  /** Candidates kept per query, of a graph; null leaves the library's own value. The last is what the run is measured with. */
  efSearch: number[] | null;
  /** First numbers of a vector that are kept, each fewer than the one before; null keeps all. The last is what the run is measured with. */
  dimensions: number[] | null;
  /** Rows that codes find and whose vectors are compared again; null leaves the searcher's own value. The last is what the run is measured with. */
  rescore: number[] | null;
  /** What else the searcher can be told, by name: it says what it takes. */
  parameters: Readonly<Record<string, number[]>>;
  /** Vectors that an index is trained on, at most. */
  trainingVectors: number;
}

export interface SearchConfig {
  /** k, hits per query. */
  depth: number;
  memoryMiB: number;
  /** On a device that keeps what it searches; null stands for as much as `memoryMiB`. */
  deviceMemoryMiB: number | null;
  /** Queries searched at once. */
  batchSize: number;
}

/** Options of `bm25`; null leaves the choice to the architecture. */
export interface Bm25Config {
  k1: number | null;
  b: number | null;
  lengths: 'exact' | 'lucene' | null;
  stemmer: 'porter' | 'english' | 'none' | null;
  stopWords: boolean | null;
}

export interface LatencyConfig {
  /** Queries timed one at a time; 0 measures nothing of this. */
  queries: number;
  /** Queries run before the clock starts. */
  warmup: number;
  /** Whether the systems of one dataset and seed take turns; else each is timed by itself. */
  interleave: boolean;
  /** Queries answered together where throughput is measured; none measures no throughput. */
  batchSizes: number[];
  /** Indexes and models that are open at once; null stands for half of what the machine has. */
  memoryMiB: number | null;
  /** Fresh processes that time single queries; 1 is this process alone. */
  processes: number;
  /** Whether each system is also started anew with its files out of the page cache. */
  cold: boolean;
  /** Whether single queries are also timed with one thread. */
  oneThread: boolean;
  /** Of open loops, queries per second. */
  rates: number[];
  /** Of closed loops. */
  clients: number[];
  /** Milliseconds that p99 is to stay within where the largest such rate is sought; null seeks none. */
  bound: number | null;
  /** Queries of each load. */
  loadQueries: number;
  /** Most queries that wait which are answered together. */
  maxBatch: number;
}

export interface AnsweringConfig {
  /** Whether what a system takes while it answers is measured, in a process of its own. */
  measure: boolean;
}

/** What may come out of an archive that nobody has published a hash of. */
export interface UnpackConfig {
  largestGiB: number;
  /** Bytes per byte of the archive. */
  largestRatio: number;
}

export interface MeasureConfig {
  /** A hit whose passage id is the query's id, in datasets whose evaluation drops it (BEIR); elsewhere it is always kept. */
  identicalIds: 'dropped' | 'kept';
}

/** What `bench check` calls worse. */
export interface CheckConfig {
  /** A drop of a measure, in its own unit, that counts where it is significant. */
  accuracyDrop: number;
  /** Below it a corrected p is significant. */
  significance: number;
  /** How many times slower counts. */
  latencyRatio: number;
  /** By how many bytes an index may grow. */
  sizeBytes: number;
}

/** What shall hold of a published model instead of what its files say; null leaves it to them. */
export interface PretrainedConfig {
  pooling: 'cls' | 'max' | 'mean' | 'mean-sqrt' | 'weighted-mean' | 'last' | null;
  similarity: 'dot' | 'cosine' | null;
  queryPrompt: string | null;
  passagePrompt: string | null;
  /** Longest text in tokens. */
  maxTokens: number | null;
}

export interface BenchConfig {
  /**
   * Names of presets, the later above the earlier. Once loaded it is the list of those that were applied; before, one
   * name is enough, and null stands for what is usual for the model.
   */
  preset: string | string[] | null;
  arch: ArchitectureConfig;
  model: ModelConfig;
  text: TextConfig;
  train: TrainConfig;
  /** Trainings: 2 mines hard negatives with the first. */
  stages: 1 | 2;
  stage2: SecondStageConfig;
  encode: EncodeConfig;
  index: IndexConfig;
  search: SearchConfig;
  pretrained: PretrainedConfig;
  sparse: SparseConfig;
  vectors: VectorsConfig;
  endpoint: EndpointConfig;
  fuse: FuseConfig;
  rerank: RerankConfig;
  cross: CrossConfig;
  bm25: Bm25Config;
  unpack: UnpackConfig;
  latency: LatencyConfig;
  answering: AnsweringConfig;
  /** Measure ids: `answer@20`, `mrr@10`. */
  measures: string[];
  measure: MeasureConfig;
  check: CheckConfig;
  engine: string;
  /** What the engine computes on. */
  device: 'auto' | 'cpu' | 'webgpu' | 'cuda';
  /** What the device has of memory; null where that is not known. */
  deviceMemoryMiB: number | null;
  searcher: string;
  /** Threads to compute with; null stands for all cores. */
  threads: number | null;
  seeds: number[];
  /** Folder of downloads, checkpoints, shards and indexes, seen from the working folder. */
  cache: string;
  /** Folder of run records and reports, seen from the working folder. */
  out: string;
  keep: 'all' | 'indexes' | 'records';
}

/** Any part of a configuration: what one source gives. */
export type ConfigPart = PartOf<BenchConfig>;

type PartOf<T> = {
  [Key in keyof T]?: T[Key] extends readonly unknown[]
    ? T[Key]
    : T[Key] extends object
      ? PartOf<T[Key]>
      : T[Key];
};
