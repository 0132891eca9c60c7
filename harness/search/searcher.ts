/** The interfaces of everything that finds the rows of an index with the largest inner products. */
import type { VectorIndex } from '../index/vector-index.js';
import type { Progress } from '../progress.js';
import type { DeviceName, Engine } from '../tensor/engine.js';

/** The kind of index that is the shards themselves. */
export const flatKind = 'Flat';

/**
 * The best rows of some queries. The list of query q begins at q * depth and is counts[q] long: all arrays are [Q, depth],
 * and what lies beyond a list's end means nothing.
 */
export interface RowHits {
  depth: number;
  /** Rows, counted over the whole index. Ordered by score, the larger first, then by row, the smaller first. */
  rows: Float64Array;
  scores: Float32Array;
  counts: Int32Array;
}

/**
 * Search over all rows of one index: exact, but for an index of another kind than Flat. Memory is bounded by the budget it was opened with, not by the index.
 *
 * The order among rows of equal score, and which of them stay when the list is full, is always by row. Scores of `exact` on the
 * processor are inner products, summed in float64 and rounded once: hits and scores are the same bits whatever is multiplied with
 * what. Those of others, and on a device, are float32 sums, whose last bits depend on the order of summation and so on the shape
 * of the product: between searchers, devices and batches of queries they agree to 1e-5 relative, and hits change places only where
 * their scores are that close. How an index is cut into shards makes no difference to `exact` at all.
 * Scores of an index that was built are its own: of vectors it has compressed, they are not quite the inner products.
 */
export interface RowSearcher {
  /** Whether the vectors stay in memory between searches; else every search reads them from the disk. */
  readonly resident: boolean;
  /** What is to be said of the searches so far; absent where nothing is. */
  readonly remark?: string;
  /**
   * Searches for several queries, which shares the reading between them.
   * @param queries finite numbers, [count, D]
   * @param depth rows wanted per query; fewer come only where the index has fewer, or an approximate search finds fewer
   * @param onRows told now and then, where not resident, how many rows have been searched; what it throws ends the search
   */
  search(
    queries: Float32Array,
    count: number,
    depth: number,
    onRows?: (rows: number) => void,
  ): Promise<RowHits>;
  /** Ends with the search under way; nothing is searched afterwards, which `passageSearcher` sees to. */
  dispose(): Promise<void>;
}

/** What a searcher may work with. */
export interface SearchMeans {
  /** What `exact` computes on; how many threads others may take. */
  engine: Engine;
  /** What the vectors may take; results and a library's own workspace come on top. */
  memoryBytes: number;
  /** What they may take on a device that keeps them; absent where the engine computes in this process's memory. */
  deviceMemoryBytes?: number;
}

/** What a search in an index that was built can be told, and what it does untold. */
export interface FoundParameter {
  /** `efSearch` */
  name: string;
  /** The library's own value. */
  value: number;
  /** The most that makes a difference. */
  largest?: number;
}

/** The request to build an index. */
export interface BuildRequest {
  /** Folder of the shards. */
  folder: string;
  /** Of the index, as the searcher calls it: `HNSW32`. */
  kind: string;
  /** Vectors to train on, at most. */
  trainingVectors: number;
  /** Of the choice among them. */
  seed: number;
  /** File to write. */
  target: string;
  /** Rows to add. */
  vectors: number;
  /** Threads to build with; all cores where absent. */
  threads?: number;
  progress: Progress;
}

/** What an index came to. */
export interface BuiltFacts {
  /** Vectors it was trained on; 0 where it needs no training. */
  trainedOn: number;
  sizeBytes: number;
  /** Null where a search can be told nothing. */
  parameter: FoundParameter | null;
  /** What the library said while it built. */
  warnings: string[];
  /** Numbers that the searcher wants to be told again when it opens the file. */
  own?: Readonly<Record<string, number>>;
}

/** A built index, and how it is to be searched. */
export interface BuiltFile extends Pick<BuiltFacts, 'sizeBytes' | 'own'> {
  file: string;
  kind: string;
  /** The library's own value where absent. */
  parameter?: { name: string; value: number };
}

/** JSON Schema of one value of a parameter, a whole number. */
export interface ParameterSchema {
  description: string;
  type: 'integer';
  minimum: number;
  maximum?: number;
  /** Of several values, each has to be smaller than the one before: the last is what the run is measured with. */
  order?: 'descending';
  /** Whether a value below `search.depth` is refused, 0 apart. */
  notBelowDepth?: true;
  /** Whether a value above D is refused, as soon as D is known. */
  notAboveDimensions?: true;
}

/** How a searcher makes indexes of other kinds than Flat, and searches them. */
export interface IndexBuilder {
  /** The kinds, for people: `HNSW32, HNSW32,f16`. */
  kinds: string;
  /**
   * Some of them, which the conformance suite builds, with the share of the exact first ten hits that a search must find
   * there, told nothing. The suite's vectors lie in clusters and are not of one length.
   */
  examples: Readonly<Record<string, number>>;
  /** Name of the file that it writes. */
  file: string;
  /** Whether some kinds are trained on a part of the vectors, so that the seed and `index.trainingVectors` decide something. */
  trains: boolean;
  /** By name, what `index.*` can tell a search. */
  parameters: Readonly<Record<string, ParameterSchema>>;
  /**
   * Whether it knows a kind, as far as that can be said without D.
   * @throws BenchError CONFIG_INVALID with the reason, UNAVAILABLE where only a library that is missing knows
   */
  assertKind(kind: string): Promise<void>;
  /**
   * Builds an index from shards and puts it in place, whole: the same shards make the same bytes.
   * @throws BenchError CONFIG_INVALID with the library's own reason, INTERRUPTED
   */
  build(request: BuildRequest): Promise<BuiltFacts>;
  /** @throws BenchError CONFIG_INVALID where an index with this parameter, or none, cannot be told so */
  assertSettable(
    found: FoundParameter | undefined,
    name: string,
    values: readonly number[],
    kind: string,
  ): void;
  /**
   * Bytes on the disk that a search with this value reads; the file's where absent.
   * @param counts of the shards @param sizeBytes of the file @param value of the parameter; the library's own where undefined
   */
  searchedBytes?(
    kind: string,
    counts: Pick<VectorIndex, 'vectors' | 'dimensions'>,
    sizeBytes: number,
    value: number | undefined,
  ): number;
  /**
   * @param index the shards it was built from, whose rows it finds
   * @throws BenchError CONFIG_INVALID for a budget too small, CACHE_INVALID for a file that is damaged
   */
  open(index: VectorIndex, built: BuiltFile, means: SearchMeans): Promise<RowSearcher>;
}

/** `harness/searchers/NAME.ts` exports one of these by default: it opens the index Flat, or builds others, or both. */
export interface SearcherPlugin {
  /** One line for `bench list searchers`. */
  summary: string;
  /** What is lacking on a machine where it cannot be used. */
  without: string;
  /** Its place among those that `auto` tries, the smallest first; absent where it has to be asked for by name. */
  autoRank?: number;
  /**
   * Loads what it needs.
   * @returns what it is, with its version
   * @throws BenchError UNAVAILABLE with the command that adds it
   */
  check(): Promise<string>;
  /**
   * Whether it searches the index Flat where the run computes; absent where it does everywhere.
   * @throws BenchError UNAVAILABLE with what adds it
   */
  assertDevice?(device: DeviceName): Promise<void>;
  /**
   * Of the libraries that build and search an index of a kind, for records and keys; asked for where `check` has passed.
   * @param kind of index: `Flat`, `HNSW32`
   */
  versions(engine: Pick<Engine, 'versions' | 'device'>, kind: string): Readonly<Record<string, string>>;
  /**
   * Opens the shards themselves, to be searched exactly.
   * @throws BenchError CONFIG_INVALID for a budget too small, CACHE_INVALID where a shard cannot be read
   */
  open?(index: VectorIndex, means: SearchMeans): Promise<RowSearcher>;
  /**
   * Reads and searches shards that a user has brought in a process of their own, where reading other bytes than the library
   * writes may end the process; absent where it may not.
   * @throws BenchError DATA_INVALID naming the file, INTERRUPTED
   */
  prove?(files: readonly string[], progress: Progress): Promise<void>;
  builder?: IndexBuilder;
}
