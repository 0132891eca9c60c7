/** FAISS's own IndexFlatIP over the shards: by faiss-node, or on a GPU by the addon of device.ts. The only import of faiss-node. */
import { createRequire } from 'node:module';
import { closingOnFailure } from '../../closing.js';
import { BenchError } from '../../errors.js';
import { damaged } from '../../index/reading.js';
import { shardBytes } from '../../index/shard.js';
import type { OpenShard, VectorIndex } from '../../index/vector-index.js';
import { loadPackage } from '../../program/optional-package.js';
import { collectGarbage } from '../../search/garbage.js';
import { TopRows } from '../../search/merge.js';
import type { RowHits, RowSearcher } from '../../search/searcher.js';
import { type DeviceFaiss, type DeviceIndex, mostDeviceRows, mostTemporaryBytes } from './device.js';
import { type ShardIndex, searchShard } from './shard-search.js';

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
export const loadFaiss = (name = 'faiss-node'): Promise<FaissModule> =>
  loadPackage(async () => ((await import(name)) as { default: FaissModule }).default, {
    missing:
      "The searcher 'faiss' needs faiss-node, which is not installed: npm leaves it out where its prebuilt binary cannot be downloaded.",
    broken: "The searcher 'faiss' cannot load faiss-node",
    hint: buildHint,
  });

/**
 * Reads an index that was checked: what FAISS makes of other bytes may end the process, see trial.ts.
 * @param read of FAISS
 * @param expected rows, and D
 * @throws BenchError CACHE_INVALID where FAISS refuses it, or it is another index than was expected
 */
export function readChecked<T extends FaissIndex | DeviceIndex>(
  read: (file: string) => T,
  file: string,
  expected: { vectors: number; dimensions: number },
): T {
  let index: T;
  try {
    index = read(file);
  } catch (cause) {
    throw damaged(file, `cannot be read by FAISS: ${faissReason(cause)}`, cause);
  }
  const [vectors, dimensions] =
    'rows' in index ? [index.rows, index.dimensions] : [index.ntotal(), index.getDimension()];
  if (vectors !== expected.vectors || dimensions !== expected.dimensions) {
    if ('dispose' in index) index.dispose();
    throw damaged(
      file,
      `holds ${vectors} x ${dimensions} numbers, not ${expected.vectors} x ${expected.dimensions}`,
    );
  }
  return index;
}

/** What FAISS said, without the place in its sources. */
export const faissReason = (cause: unknown): string =>
  (cause as Error).message.replace(/^Error in .*? at \S+:\d+: (Error: )?/, '').replace(/\.$/, '');

/** The version of the package, whichever FAISS it was compiled against. */
export function faissVersion(): string {
  return (createRequire(import.meta.url)('faiss-node/package.json') as { version: string }).version;
}

/** Opens a shard in the memory in which it is searched. @param rows of a query that will be asked for */
type OpenIndex = (shard: OpenShard, rows: number) => ShardIndex;

const onProcessor =
  ({ IndexFlatIP }: FaissModule): OpenIndex =>
  (shard) => {
    const index = readChecked((file) => IndexFlatIP.read(file), shard.reader.path, shard);
    return {
      find(queries, k) {
        const { distances, labels } = index.search(Array.from(queries), k);
        return { scores: distances, rows: labels };
      },
    };
  };

/** Of CUDA_VISIBLE_DEVICES, where there are several. */
const firstDevice = 0;

const onDevice = ({ Index }: DeviceFaiss, temporaryBytes: number): OpenIndex => {
  const read = (shard: OpenShard) => readChecked((file) => new Index(file), shard.reader.path, shard);
  const indexOf = (index: DeviceIndex): ShardIndex => ({
    find: (queries, k) => index.search(queries, k),
    dispose: () => index.dispose(),
  });
  return (shard, rows) => {
    const index = read(shard);
    if (rows > mostDeviceRows) return indexOf(index);
    try {
      index.toDevice(firstDevice, temporaryBytes);
    } catch (cause) {
      index.dispose();
      throw new BenchError('OUT_OF_MEMORY', `FAISS cannot put a shard on the GPU: ${faissReason(cause)}.`, {
        hint: 'Other programs on this GPU take of its memory too. --searcher exact streams what does not fit; --device cpu searches on the processor.',
        cause,
      });
    }
    // Read where it is asked for, and kept as long as the shard: it takes of this process's memory what that allows vectors.
    let here: ShardIndex | undefined;
    return {
      ...indexOf(index),
      most: mostDeviceRows,
      unbounded() {
        here ??= indexOf(read(shard));
        return here;
      },
      dispose() {
        index.dispose();
        here?.dispose?.();
      },
    };
  };
};

const deepRemark = (rows: number): string =>
  `FAISS finds ${mostDeviceRows} rows of a query on a GPU at most: where more are needed (${rows} were) it searched on the processor, which takes longer and finds the same`;

export class FaissSearcher implements RowSearcher {
  readonly resident: boolean;
  remark?: string;
  readonly #index: VectorIndex;
  readonly #open: OpenIndex;
  readonly #most: number;
  /** Where resident, by shard number. */
  readonly #loaded = new Map<number, ShardIndex>();

  private constructor(index: VectorIndex, open: OpenIndex, most: number, resident: boolean) {
    this.#index = index;
    this.#open = open;
    this.#most = most;
    this.resident = resident;
  }

  /**
   * @param memoryBytes what the vectors may take. Where all shards do not fit they are loaded one after another at every search.
   * @param device FAISS on a GPU, in whose memory they are then, beside what it works in
   * @throws BenchError UNAVAILABLE, CONFIG_INVALID where a shard alone is over the budget, or OUT_OF_MEMORY of a GPU
   */
  static async open(index: VectorIndex, memoryBytes: number, device?: DeviceFaiss): Promise<FaissSearcher> {
    const sizes = index.shards.map((shard) => shardBytes(shard.vectors, shard.dimensions));
    const largest = Math.max(...sizes);
    const temporaryBytes =
      device === undefined ? 0 : Math.min(mostTemporaryBytes, Math.floor(memoryBytes / 4));
    const vectorBytes = memoryBytes - temporaryBytes;
    if (largest > vectorBytes) {
      throw new BenchError(
        'CONFIG_INVALID',
        `FAISS holds a shard in memory as a whole, and the largest one takes ${largest} of the ${vectorBytes} bytes that vectors may take.`,
        {
          hint: 'Use --searcher exact, which streams shards; or cut the index into more shards; or allow more memory.',
        },
      );
    }
    const resident = sizes.reduce((sum, size) => sum + size, 0) <= vectorBytes;
    const open = device === undefined ? onProcessor(await loadFaiss()) : onDevice(device, temporaryBytes);
    const most = device === undefined ? Number.POSITIVE_INFINITY : mostDeviceRows;
    const searcher = new FaissSearcher(index, open, most, resident);
    if (!resident) return searcher;
    return closingOnFailure(searcher, async () => {
      for (const shard of index.shards) searcher.#loaded.set(shard.number, open(shard, 1));
      return searcher;
    });
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
      const { vectors, firstRow } = shard;
      const rows = Math.min(top.depth, vectors);
      if (rows > this.#most) this.remark ??= deepRemark(rows);
      const index = this.#loaded.get(shard.number) ?? this.#open(shard, rows);
      try {
        searchShard(index, { vectors, firstRow, dimensions: this.#index.dimensions }, queries, count, top);
      } finally {
        if (!this.resident) index.dispose?.();
      }
      if (this.resident) continue;
      await collectGarbage();
      onRows?.(shard.firstRow + shard.vectors);
    }
    return top;
  }

  async dispose(): Promise<void> {
    if (this.#loaded.size === 0) return;
    for (const index of this.#loaded.values()) index.dispose?.();
    this.#loaded.clear();
    await collectGarbage();
  }
}
