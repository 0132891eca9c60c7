/** Opens the searcher of an index by name. Loads no engine and no FAISS before it is asked to. */
import { BenchError, unknownName } from '../errors.js';
import type { VectorIndex } from '../index/vector-index.js';
import type { FactoryIndex } from '../searchers/faiss/built.js';
import type { Engine } from '../tensor/engine.js';
import { type PassageHits, searchPassages } from './passages.js';
import { type RowSearcher, type SearcherName, searcherNames } from './searcher.js';

export type { PassageHits } from './passages.js';
export { type SearcherName, searcherNames } from './searcher.js';

export interface SearchOptions {
  /** What `exact` computes on. */
  engine: Engine;
  /** What vectors, scores and rows found may take; the engine's own workspace and the hits given back come on top. */
  memoryBytes: number;
  /** An index of FAISS built from these shards, to be searched instead of them. */
  built?: FactoryIndex;
}

export interface Searcher {
  /** The searcher that runs, where 'auto' was asked for too. */
  readonly name: SearcherName;
  /** Why 'auto' did not take faiss; absent where it did, and where a searcher was asked for by name. */
  readonly fallback?: string;
  /** Whether the vectors stay in memory; else every search reads them from the disk, and a latency is the disk's. */
  readonly resident: boolean;
  /** Of the libraries that search, for the run record. */
  readonly versions: Readonly<Record<string, string>>;
  /**
   * The passages with the largest sim(q, d), exactly, but for an index that was built. See RowSearcher for how far scores are reproducible.
   * @param queryVectors finite numbers, [count, D]
   * @param depth k; lists are shorter only where the index has, or an approximate search finds, fewer passages
   * @param onRows as RowSearcher's
   * @throws BenchError CHECKPOINT_INVALID where a query's vector is not finite
   */
  search(
    queryVectors: Float32Array,
    count: number,
    depth: number,
    onRows?: (rows: number) => void,
  ): Promise<PassageHits>;
  dispose(): Promise<void>;
}

/**
 * @param name 'auto' is faiss where it loads and fits the budget, else exact
 * @throws BenchError UNKNOWN_NAME, UNAVAILABLE with the command that adds it, CONFIG_INVALID for a budget too small,
 *   or for 'exact' over an index that FAISS built
 */
export async function openSearcher(
  name: 'auto' | SearcherName | (string & {}),
  index: VectorIndex,
  { engine, memoryBytes, built }: SearchOptions,
): Promise<Searcher> {
  const resultBytes = memoryBytes / 4;
  const vectorBytes = memoryBytes - resultBytes;
  const openExact = async () =>
    (await import('../searchers/exact.js')).ExactSearcher.open(index, engine, vectorBytes);
  const openFaiss = async () =>
    (await import('../searchers/faiss/flat.js')).FaissSearcher.open(index, vectorBytes);

  let rows: RowSearcher;
  let fallback: string | undefined;
  if (built !== undefined) rows = await openBuilt(name, index, built, vectorBytes);
  else if (name === 'exact') rows = await openExact();
  else if (name === 'faiss') rows = await openFaiss();
  else if (name === 'auto') {
    try {
      rows = await openFaiss();
    } catch (error) {
      if (!(error instanceof BenchError && ['UNAVAILABLE', 'CONFIG_INVALID'].includes(error.code)))
        throw error;
      fallback = error.message;
      rows = await openExact();
    }
  } else throw unknownName('searcher', name, ['auto', ...searcherNames]);

  return {
    name: rows.name,
    ...(fallback === undefined ? {} : { fallback }),
    resident: rows.resident,
    versions:
      rows.name === 'exact'
        ? engine.versions
        : { 'faiss-node': (await import('../searchers/faiss/flat.js')).faissVersion() },
    async search(queryVectors, count, depth, onRows) {
      check(queryVectors, count, depth, index.dimensions);
      return searchPassages(rows, index, queryVectors, count, depth, resultBytes, onRows);
    },
    dispose: () => rows.dispose(),
  };
}

/** Only FAISS searches what FAISS built: nothing else stands in for it. */
async function openBuilt(
  name: string,
  index: VectorIndex,
  built: FactoryIndex,
  memoryBytes: number,
): Promise<RowSearcher> {
  if (name === 'auto' || name === 'faiss') {
    return (await import('../searchers/faiss/built.js')).FactorySearcher.open(index, built, memoryBytes);
  }
  if (name !== 'exact') throw unknownName('searcher', name, ['auto', ...searcherNames]);
  throw new BenchError('CONFIG_INVALID', `The searcher 'exact' cannot search an index '${built.kind}'.`, {
    hint: 'Use --searcher faiss, or --index Flat, which every searcher takes.',
  });
}

/**
 * What can be known of a searcher before there is an index.
 * @throws BenchError UNAVAILABLE with the command that adds it
 */
export async function assertSearcher(name: string): Promise<void> {
  if (name === 'faiss') await (await import('../searchers/faiss/flat.js')).loadFaiss();
}

function check(queryVectors: Float32Array, count: number, depth: number, dimensions: number): void {
  if (queryVectors.length !== count * dimensions) {
    throw new RangeError(
      `${queryVectors.length} values are not ${count} queries of ${dimensions} dimensions`,
    );
  }
  if (!Number.isInteger(depth) || depth < 1) throw new RangeError(`depth ${depth}`);
  const fault = queryVectors.findIndex((value) => !Number.isFinite(value));
  if (fault >= 0) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `The encoder gave ${queryVectors[fault]} in the vector of query ${Math.floor(fault / dimensions) + 1} of ${count}.`,
      { hint: 'Its weights are of no use for search: train again, with a lower learning rate.' },
    );
  }
}

export interface SearcherDescription {
  name: SearcherName;
  available: boolean;
  /** What it is and its version, or the reason why it cannot be used. */
  detail: string;
  /** The command that adds it, where it is missing. */
  hint?: string;
}

/** Tries every searcher. */
export async function describeSearchers(): Promise<SearcherDescription[]> {
  const exact: SearcherDescription = {
    name: 'exact',
    available: true,
    detail: 'matrix product and top-k on the engine',
  };
  const { faissVersion, loadFaiss } = await import('../searchers/faiss/flat.js');
  try {
    await loadFaiss();
    return [{ name: 'faiss', available: true, detail: `IndexFlatIP, faiss-node ${faissVersion()}` }, exact];
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return [{ name: 'faiss', available: false, detail: error.message, ...hint }, exact];
  }
}
