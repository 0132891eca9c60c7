/** FAISS's own IndexFlatIP over the shards, through faiss-node. The only import of that package. */
import { createRequire } from 'node:module';
import { BenchError } from '../../errors.js';
import { damaged } from '../../index/reading.js';
import { shardBytes } from '../../index/shard.js';
import type { OpenShard, VectorIndex } from '../../index/vector-index.js';
import { collectGarbage } from '../../search/garbage.js';
import { orderTies, TopRows } from '../../search/merge.js';
import type { RowHits, RowSearcher } from '../../search/searcher.js';

/** Queries at once: faiss-node takes and gives plain arrays, 8 bytes or more a number. */
export const largestBatch = 128;
/** Rows asked for beyond the depth, so that most ties at the cut show their end at once. */
const spareRows = 8;

/** What we use of faiss-node. Its `search` throws where k is more than `ntotal`. */
export interface FaissModule {
  IndexFlatIP: { read(file: string): FaissIndex; new (dimensions: number): FaissIndex };
  Index: {
    read(file: string): FaissIndex;
    /** @param metric FAISS's number: 0 is the inner product */
    fromFactory(dimensions: number, kind: string, metric: number): FaissIndex;
  };
}
/** What C++ throws in `train`, `add`, `search` and `write` ends the process: faiss-node does not catch it there. */
export interface FaissIndex {
  ntotal(): number;
  getDimension(): number;
  isTrained(): boolean;
  train(vectors: number[]): void;
  add(vectors: number[]): void;
  write(file: string): void;
  search(queries: number[], k: number): { distances: number[]; labels: number[] };
}

const buildHint =
  "npm run build:faiss compiles it against the system's FAISS (on Debian and Ubuntu, before that: apt-get install g++ " +
  'libfaiss-dev libopenblas-dev), or use --searcher exact, which gives the same hits.';

/**
 * @param name the package; a parameter so that the compiler does not look for an optional one
 * @throws BenchError UNAVAILABLE with the reason and the command that adds it
 */
export async function loadFaiss(name = 'faiss-node'): Promise<FaissModule> {
  try {
    const module = (await import(name)) as { default: FaissModule };
    return module.default;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new BenchError(
      'UNAVAILABLE',
      missing
        ? "The searcher 'faiss' needs faiss-node, which is not installed: npm leaves it out where its prebuilt binary cannot be downloaded."
        : `The searcher 'faiss' cannot load faiss-node: ${reason}`,
      { hint: buildHint, cause },
    );
  }
}

/**
 * Reads an index that was checked: what FAISS makes of other bytes may end the process, see trial.ts.
 * @param read of FAISS
 * @param expected rows, and D
 * @throws BenchError CACHE_INVALID where FAISS refuses it, or it is another index than was expected
 */
export function readChecked(
  read: (file: string) => FaissIndex,
  file: string,
  expected: { vectors: number; dimensions: number },
): FaissIndex {
  let index: FaissIndex;
  try {
    index = read(file);
  } catch (cause) {
    throw damaged(file, `cannot be read by FAISS: ${faissReason(cause)}`, cause);
  }
  const [vectors, dimensions] = [index.ntotal(), index.getDimension()];
  if (vectors !== expected.vectors || dimensions !== expected.dimensions)
    throw damaged(
      file,
      `holds ${vectors} x ${dimensions} numbers, not ${expected.vectors} x ${expected.dimensions}`,
    );
  return index;
}

/** What FAISS said, without the place in its sources. */
export const faissReason = (cause: unknown): string =>
  (cause as Error).message.replace(/^Error in .*? at \S+:\d+: (Error: )?/, '').replace(/\.$/, '');

/** The version of the package, whichever FAISS it was compiled against. */
export function faissVersion(): string {
  return (createRequire(import.meta.url)('faiss-node/package.json') as { version: string }).version;
}

export class FaissSearcher implements RowSearcher {
  readonly resident: boolean;
  readonly #index: VectorIndex;
  readonly #faiss: FaissModule;
  /** Where resident, by shard number. */
  readonly #loaded = new Map<number, FaissIndex>();

  private constructor(index: VectorIndex, faiss: FaissModule, resident: boolean) {
    this.#index = index;
    this.#faiss = faiss;
    this.resident = resident;
  }

  /**
   * @param memoryBytes what the vectors may take. Where all shards do not fit they are loaded one after another at every search.
   * @throws BenchError UNAVAILABLE, or CONFIG_INVALID where a shard alone is over the budget
   */
  static async open(index: VectorIndex, memoryBytes: number): Promise<FaissSearcher> {
    const sizes = index.shards.map((shard) => shardBytes(shard.vectors, shard.dimensions));
    const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
    if (largest > memoryBytes) {
      throw new BenchError(
        'CONFIG_INVALID',
        `FAISS holds a shard in memory as a whole, and the largest one takes ${largest} of the ${memoryBytes} bytes that vectors may take.`,
        {
          hint: 'Use --searcher exact, which streams shards; or cut the index into more shards; or allow more memory.',
        },
      );
    }
    const resident = sizes.reduce((sum, size) => sum + size, 0) <= memoryBytes;
    const searcher = new FaissSearcher(index, await loadFaiss(), resident);
    if (resident) for (const shard of index.shards) searcher.#loaded.set(shard.number, searcher.#read(shard));
    return searcher;
  }

  async search(
    queries: Float32Array,
    count: number,
    depth: number,
    onRows?: (rows: number) => void,
  ): Promise<RowHits> {
    const top = new TopRows(count, Math.min(depth, this.#index.vectors));
    for (const shard of this.#index.shards) {
      if (shard.vectors === 0 || top.depth === 0) continue;
      this.#searchShard(this.#loaded.get(shard.number) ?? this.#read(shard), shard, queries, count, top);
      if (this.resident) continue;
      await collectGarbage();
      onRows?.(shard.firstRow + shard.vectors);
    }
    return top;
  }

  #searchShard(
    faiss: FaissIndex,
    shard: OpenShard,
    queries: Float32Array,
    count: number,
    top: TopRows,
  ): void {
    const { dimensions } = this.#index;
    const depth = Math.min(top.depth, shard.vectors);
    for (let first = 0; first < count; first += largestBatch) {
      const size = Math.min(largestBatch, count - first);
      const vectorsOf = (from: number, n: number) =>
        Array.from(queries.subarray(from * dimensions, (from + n) * dimensions));
      let k = Math.min(depth + spareRows, shard.vectors);
      const { distances, labels } = faiss.search(vectorsOf(first, size), k);
      const cut: number[] = [];
      for (let i = 0; i < size; i++) {
        orderTies(distances, labels, i * k, k);
        if (k < shard.vectors && distances[i * k + depth - 1] === distances[i * k + k - 1])
          cut.push(first + i);
        else top.offer(first + i, distances, labels, i * k, depth, shard.firstRow);
      }
      // Rows as good as the last one may lie beyond what was asked for, and which of them came is FAISS's choice.
      for (const query of cut) {
        for (k = Math.min(depth + spareRows, shard.vectors); ; ) {
          k = Math.min(k * 2, shard.vectors);
          const more = faiss.search(vectorsOf(query, 1), k);
          if (k < shard.vectors && more.distances[depth - 1] === more.distances[k - 1]) continue;
          orderTies(more.distances, more.labels, 0, k);
          top.offer(query, more.distances, more.labels, 0, depth, shard.firstRow);
          break;
        }
      }
    }
  }

  #read(shard: OpenShard): FaissIndex {
    return readChecked((file) => this.#faiss.IndexFlatIP.read(file), shard.reader.path, shard);
  }

  async dispose(): Promise<void> {
    if (this.#loaded.size === 0) return;
    this.#loaded.clear();
    await collectGarbage();
  }
}
