/** Searches a graph of usearch: approximate, as far as efSearch lets it look. */
import { availableParallelism } from 'node:os';
import { BenchError } from '../../errors.js';
import type { VectorIndex } from '../../index/vector-index.js';
import { collectGarbage } from '../../search/garbage.js';
import { orderTies, TopRows } from '../../search/merge.js';
import type { BuiltFile, RowHits, RowSearcher, SearchMeans } from '../../search/searcher.js';
import { efConstruction, graphOf, Lengthening, ownEfSearch } from './graph.js';
import { assertGraphFile } from './graph-file.js';
import { loadUsearch, type UsearchIndex } from './library.js';

/** Queries at once. */
const largestBatch = 128;
/** What the library holds of a row beside what stands in the file, for a number of rows rounded up to a power of two. */
const besideFileBytes = 128;

export class UsearchSearcher implements RowSearcher {
  readonly resident = true;
  readonly #index: VectorIndex;
  readonly #lengthening: Lengthening | undefined;
  readonly #threads: number;
  #graph: UsearchIndex | undefined;

  private constructor(
    index: VectorIndex,
    graph: UsearchIndex,
    lengthening: Lengthening | undefined,
    threads: number,
  ) {
    this.#index = index;
    this.#graph = graph;
    this.#lengthening = lengthening;
    this.#threads = threads;
  }

  /** @throws BenchError UNAVAILABLE; CONFIG_INVALID where the budget is too small; CACHE_INVALID for a file that is damaged */
  static async open(
    index: VectorIndex,
    { file, kind, sizeBytes, own, parameter }: BuiltFile,
    { engine, memoryBytes }: SearchMeans,
  ): Promise<UsearchSearcher> {
    const { links, scalar } = graphOf(kind);
    const wanted = sizeBytes + besideFileBytes * 2 ** Math.ceil(Math.log2(Math.max(1, index.vectors)));
    if (wanted > memoryBytes) {
      throw new BenchError(
        'CONFIG_INVALID',
        `usearch holds an index in memory as a whole, and '${kind}' takes ${wanted} of the ${memoryBytes} bytes that vectors may take.`,
        { hint: `Allow more memory with search.memoryMiB, or use a kind that takes less: HNSW${links},i8.` },
      );
    }
    const lengthening = scalar === 'i8' ? new Lengthening(index.dimensions, own!.longest!) : undefined;
    const dimensions = index.dimensions + (lengthening === undefined ? 0 : 1);
    const { Index } = await loadUsearch();
    // What is not as it wrote it, the library reads all the same.
    await assertGraphFile(file, { links, scalar, dimensions, rows: index.vectors });
    const graph = new Index({
      dimensions,
      metric: 'ip',
      quantization: scalar,
      connectivity: links,
      expansion_add: efConstruction,
      expansion_search: parameter?.value ?? ownEfSearch,
      multi: false,
    });
    graph.load(file);
    return new UsearchSearcher(index, graph, lengthening, Math.min(engine.threads, availableParallelism()));
  }

  async search(queries: Float32Array, count: number, depth: number): Promise<RowHits> {
    const { dimensions, vectors } = this.#index;
    const k = Math.min(depth, vectors);
    const top = new TopRows(count, k);
    if (k === 0) return top;
    for (let first = 0; first < count; first += largestBatch) {
      const size = Math.min(largestBatch, count - first);
      const batch = queries.subarray(first * dimensions, (first + size) * dimensions);
      const asked = this.#lengthening?.queries(batch) ?? batch;
      const { keys, distances, counts } = this.#graph!.search(asked, k, Math.min(this.#threads, size));
      for (let i = 0; i < size; i++) {
        // The lists of several queries are k long each, and their ends mean nothing; that of one query ends where it ends.
        const held = counts === undefined ? keys.length : Number(counts[i]);
        const scale = this.#lengthening?.scale(batch.subarray(i * dimensions, (i + 1) * dimensions)) ?? 1;
        const rows = Array.from(keys.subarray(i * k, i * k + held), Number);
        const scores = Float32Array.from(
          distances.subarray(i * k, i * k + held),
          (distance) => (1 - distance) * scale,
        );
        orderTies(scores, rows, 0, held);
        top.offer(first + i, scores, rows, 0, held, 0);
      }
    }
    return top;
  }

  async dispose(): Promise<void> {
    this.#graph = undefined;
    await collectGarbage();
  }
}
