/** Loads the package usearch. The only import of it. */
import { createRequire } from 'node:module';
import { versionOf } from '../../program/code.js';
import { loadPackage } from '../../program/optional-package.js';

/** What we use of usearch. Its errors are JavaScript's, but a damaged file, or NaN, is not met by one. */
export interface UsearchModule {
  Index: new (options: {
    dimensions: number;
    metric: 'ip';
    quantization: 'f32' | 'f16' | 'i8';
    /** M, links of a vector; twice as many in the lowest layer. */
    connectivity: number;
    expansion_add: number;
    expansion_search: number;
    multi: false;
  }) => UsearchIndex;
}

export interface UsearchIndex {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  save(file: string): void;
  load(file: string): void;
  /** Distances are 1 - the inner product, the smallest first. For one query `counts` is absent. */
  search(
    queries: Float32Array,
    k: number,
    threads: number,
  ): { keys: BigUint64Array; distances: Float32Array; counts?: BigUint64Array };
}

const hint =
  'npm install brings its binaries for Linux (x64 and arm64, glibc 2.34 or newer) and macOS. Elsewhere npm rebuild usearch ' +
  'compiles it, or use --searcher faiss, or --set index.kind=Flat, which needs neither.';

/** Its ECMAScript module looks for its binary by the stack of an error, and goes on for ever where that tells nothing. */
const require = createRequire(import.meta.url);

/**
 * @param name the package; a parameter so that the compiler does not look for an optional one
 * @throws BenchError UNAVAILABLE with the reason and the command that adds it
 */
export const loadUsearch = (name = 'usearch'): Promise<UsearchModule> =>
  loadPackage(() => require(name) as UsearchModule, {
    missing: "The searcher 'usearch' needs the package usearch, which is not installed.",
    broken: "The searcher 'usearch' cannot load the package usearch",
    hint,
  });

export const usearchVersion = (): string => versionOf('usearch') ?? 'unknown';
