/** Searches an index of another kind than Flat: approximate, as far as its parameter lets it look. */
import { BenchError } from '../../errors.js';
import type { VectorIndex } from '../../index/vector-index.js';
import { collectGarbage } from '../../search/garbage.js';
import { orderTies, TopRows } from '../../search/merge.js';
import type { BuiltFile, RowHits, RowSearcher } from '../../search/searcher.js';
import { discard } from '../../store/atomic.js';
import { type FaissIndex, loadFaiss, readChecked } from './flat.js';
import { assertSettable, copyWithParameter, findSearchParameter } from './parameter-file.js';
import { largestBatch } from './shard-search.js';

export class FactorySearcher implements RowSearcher {
  readonly resident = true;
  readonly #index: VectorIndex;
  #faiss: FaissIndex | undefined;

  private constructor(index: VectorIndex, faiss: FaissIndex) {
    this.#index = index;
    this.#faiss = faiss;
  }

  /**
   * @param index the shards it was built from, whose rows it finds
   * @param built a file of the cache, which was checked when its artifact was taken
   * @throws BenchError UNAVAILABLE; CONFIG_INVALID where the parameter cannot be set, or the budget is too small
   */
  static async open(index: VectorIndex, built: BuiltFile, memoryBytes: number): Promise<FactorySearcher> {
    const { file, kind, sizeBytes, parameter } = built;
    if (sizeBytes > memoryBytes) {
      throw new BenchError(
        'CONFIG_INVALID',
        `FAISS holds an index in memory as a whole, and '${kind}' takes ${sizeBytes} of the ${memoryBytes} bytes that vectors may take.`,
        { hint: 'Allow more memory with search.memoryMiB, or use a kind that takes less: SQ8, IVF64,PQ16.' },
      );
    }
    const faiss = await loadFaiss();
    const found = parameter === undefined ? undefined : await findSearchParameter(file);
    if (parameter === undefined || found?.value === parameter.value) {
      return new FactorySearcher(
        index,
        readChecked((name) => faiss.Index.read(name), file, index),
      );
    }
    assertSettable(found, parameter.name, [parameter.value], kind);
    const copy = await copyWithParameter(file, found!, parameter.value);
    try {
      return new FactorySearcher(
        index,
        readChecked((name) => faiss.Index.read(name), copy, index),
      );
    } finally {
      await discard(copy);
    }
  }

  async search(queries: Float32Array, count: number, depth: number): Promise<RowHits> {
    const { dimensions, vectors } = this.#index;
    const k = Math.min(depth, vectors);
    const top = new TopRows(count, k);
    if (k === 0) return top;
    for (let first = 0; first < count; first += largestBatch) {
      const size = Math.min(largestBatch, count - first);
      const batch = Array.from(queries.subarray(first * dimensions, (first + size) * dimensions));
      const { distances, labels } = this.#faiss!.search(batch, k);
      for (let i = 0; i < size; i++) {
        const from = i * k;
        // Where FAISS finds fewer than k it fills the list up with -1.
        let held = 0;
        while (held < k && labels[from + held]! >= 0) held++;
        orderTies(distances, labels, from, held);
        top.offer(first + i, distances, labels, from, held, 0);
      }
    }
    return top;
  }

  async dispose(): Promise<void> {
    this.#faiss = undefined;
    await collectGarbage();
  }
}
