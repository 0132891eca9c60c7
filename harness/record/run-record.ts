/**
 * The run record's type; record.schema.json says the same to other tools. What differs when the same run is made again
 * stands in `execution`, `latency`, `answering`, `device.machine`, `createdAt` and `command`, and nowhere else.
 */
import type { DataFile, DistractorFacts, Split } from '../contracts.js';
import type { GitFacts } from '../program/place.js';
import type { AnsweringFacts } from './answering-facts.js';
import type { CurveFacts } from './curve-facts.js';
import type { LatencyFacts } from './latency-facts.js';
import type { StageFacts } from './stage-facts.js';
import type { TrainingFacts } from './training-facts.js';
import type { WinnerFacts } from './winner-facts.js';

export type { GitFacts } from '../program/place.js';
export type { CurveFacts, CurvePoint } from './curve-facts.js';
export type { ColdFacts, LatencyFacts, LatencyValues, ThroughputValues } from './latency-facts.js';
export type * from './load-facts.js';
export type { MakingFacts, StageFacts, UsedFacts } from './stage-facts.js';
export type * from './training-facts.js';
export type { DevWinnerFacts, WinnerFacts } from './winner-facts.js';

/** Raised when a field changes its meaning or goes; a new optional field does not raise it. */
export const recordSchemaVersion = 1;

/** How the files of a run end: a folder's records are found by it. */
export const recordSuffix = '.record.json';
/** The hits of the run, beside the record, in TREC's format. */
export const runSuffix = '.run.gz';

export interface RunRecord {
  readonly schemaVersion: typeof recordSchemaVersion;
  readonly benchVersion: string;
  /** ISO 8601, UTC */
  readonly createdAt: string;
  /** As typed, without the name and the password of an address. */
  readonly command: readonly string[];
  readonly status: 'ok' | 'failed';
  /** Where the status is failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  /** Null for a run of another system. */
  readonly seed: number | null;
  /** The names by comma, as --preset takes them, the later above the earlier; null where there were none. */
  readonly preset: string | null;
  /** The configuration, every value resolved. */
  readonly config: object;
  readonly arch: ArchitectureFacts;
  readonly dataset: DatasetFacts;
  readonly model?: ModelFacts;
  readonly device: DeviceFacts;
  readonly stages: readonly StageFacts[];
  readonly training?: TrainingFacts;
  readonly index?: IndexFacts;
  /** The file of hits, made elsewhere, that was read instead of searching. */
  readonly hitsFrom?: DataFile;
  /** The systems that it is put together of, each as its own record has it; `index` adds up theirs, as far as they have one. */
  readonly components?: readonly ComponentFacts[];
  /** The queries evaluated; the per-query values of every measure stand in this order. */
  readonly queryIds: readonly string[];
  /** By measure id: `mrr@10`. */
  readonly measures: Readonly<Record<string, MeasureValues>>;
  readonly run?: RunFile;
  /** Where passages have several vectors. */
  readonly winners?: WinnerFacts;
  readonly latency?: LatencyFacts;
  /** Memory, processor time and energy, of a process of its own. */
  readonly answering?: AnsweringFacts;
  /** What a reader of the figures should know. */
  readonly warnings: readonly string[];
}

export interface ComponentFacts {
  readonly arch: ArchitectureFacts;
  readonly model?: ModelFacts;
  readonly training?: TrainingFacts;
  readonly index?: IndexFacts;
  readonly hitsFrom?: DataFile;
}

export interface ArchitectureFacts {
  /** As the command line says it: `mlr-sc`; for a run of another system, its tag. */
  readonly name: string;
  readonly family: string | null;
  readonly pooling: string | null;
  /** S */
  readonly layers: readonly number[] | null;
  /** M of E(d), before pooling. */
  readonly vectors: number | 'varies' | null;
  readonly lambda: number | null;
  readonly maskShort?: boolean;
  /** Of token vectors over a T5. */
  readonly meanFirst?: boolean;
  /** Where what was trained here compares vectors otherwise than by their product. */
  readonly similarity?: 'cosine';
}

export interface DatasetFacts {
  readonly name: string;
  readonly version: string;
  readonly licence: string | null;
  readonly files: readonly DataFile[];
  /** N */
  readonly passageCount: number | null;
  /** The split that was evaluated. */
  readonly split: string;
  readonly counts: Readonly<Partial<Record<Split, SplitCounts>>>;
  readonly answerMatching?: 'string' | 'regex';
  /** The sha256 of the judgements themselves, where a file of them stands for the dataset: the same in any format. */
  readonly judgements?: string;
  /** How hits of equal score are ordered; where absent they stay in the order of the search. */
  readonly tieRule?: 'trec_eval';
  /** Passages that were added to it: `files` are those of what they were added to. */
  readonly distractors?: DistractorFacts;
  /** Names of the datasets whose means this record averages; they stand in `queryIds` then. */
  readonly members?: readonly string[];
}

export interface SplitCounts {
  readonly queries: number;
  readonly qrels: number;
  /** Queries with a passage of relevance 1 or more; absent in records of older versions. */
  readonly withPositive?: number;
}

export interface ModelFacts {
  /** `scratch`, a folder's name, or an id on the hub. */
  readonly name: string;
  readonly kind: string;
  /** Layers, dimensions, heads and what else decides the shape. */
  readonly shape: Readonly<Record<string, number>>;
  /** Trained numbers of all encoders and poolings together; shared ones count once. */
  readonly parameterCount: number;
  readonly tied: boolean;
  /** Of the hub. */
  readonly revision: string | null;
  /** Files of the checkpoint that training started from, the tokenizer's among them. */
  readonly files: readonly DataFile[];
  /** On disk, of what encodes queries and passages, trained where it was; absent in what older versions left. */
  readonly sizeBytes?: { readonly model: number; readonly tokenizer: number };
  /** The sha256 of tokenizer.json as it was in effect: case, accents and tokens that other files named are in it. */
  readonly tokenizer?: string;
}

/** What ran, which decides what its latencies may be compared with. */
export interface DeviceFacts {
  readonly engine: string | null;
  /** 'cpu', 'cuda', 'webgpu' */
  readonly device: string | null;
  readonly searcher: string | null;
  readonly threads: number | null;
  /** In what passages and queries were multiplied with weights, where that is not float32. */
  readonly precision?: string;
  /** Where queries got their vectors, if not from a model here: no latency has that, or a network's is in it. */
  readonly queryVectors?: 'given' | 'network';
  /** Where hits, or some that others were made of, were read from a file: no latency has what finding them took. */
  readonly hits?: 'given';
  /** Of the libraries that computed. */
  readonly versions: Readonly<Record<string, string>>;
  /** Of this program; null where it does not run from a git checkout. */
  readonly git: GitFacts | null;
  readonly machine: MachineFacts;
}

export interface MachineFacts {
  readonly cpu: string;
  /** Logical cores of the machine, and those this process may use. */
  readonly cores: number;
  readonly availableCores: number;
  readonly memoryBytes: number;
  /** Where the process may use less than the machine has. */
  readonly memoryLimitBytes?: number;
  readonly os: string;
  readonly node: string;
  /** What `--pinned` calls it; absent where the command itself timed the run. */
  readonly pinned?: string;
}

export interface IndexFacts {
  /** As its searcher calls it, `HNSW32`, where Flat is exact; BM25 for an index of terms and impacts for one of tokens' weights, which have no vectors. */
  readonly kind: string;
  /** Mean over the passages, as searched. */
  readonly vectorsPerPassage: number;
  readonly rows: number;
  readonly dimensions: number;
  readonly shards: number;
  /** On disk, by part. */
  readonly sizeBytes: {
    readonly vectors: number;
    readonly identifiers: number;
    readonly offsets: number;
    /** Of an index of terms, instead of vectors and offsets, which are 0 then. */
    readonly postings?: number;
    readonly terms?: number;
    readonly lengths?: number;
    readonly total: number;
  };
  /** Bare vectors, or postings, of as many passages as `projectedPassages`. */
  readonly projectedBytes: number;
  readonly projectedPassages: number;
  /** Vectors it was trained on; 0 where the kind needs no training. */
  readonly trainedOn?: number;
  /** Who built it and searches it, with which libraries; absent where it is Flat. */
  readonly builtBy?: {
    readonly searcher: string;
    readonly versions: Readonly<Record<string, string>>;
  };
  /** What the run's figures were searched with; absent where the kind has no such parameter. */
  readonly parameter?: { readonly name: string; readonly value: number };
  /** Of an index that is not exact. */
  readonly curve?: CurveFacts;
}

export interface MeasureValues {
  /** Over all queries. */
  readonly mean: number;
  readonly higherIsBetter: boolean;
  /** In what it counts: a `share`, between 0 and 1, is shown in percent. Absent in what older versions left. */
  readonly unit?: 'share' | 'count';
  readonly description: string;
  /** In the order of `queryIds`. */
  readonly perQuery: readonly number[];
}

/** The file that holds the hits of every query, passage ids and scores. */
export interface RunFile extends DataFile {
  /** Hits per query, at most. */
  readonly depth: number;
}
