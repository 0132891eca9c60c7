/** Searches the first numbers of each vector. */
import type { VectorIndex } from '../../index/vector-index.js';
import type { BuiltFile, RowHits, RowSearcher, SearchMeans } from '../../search/searcher.js';
import type { RowSource } from './blocks.js';
import { readLayout } from './code-file.js';
import { ExactSearcher } from './flat.js';
import { lengthOf } from './row-codes.js';

/**
 * The first d numbers of some vectors. Where all rows have length 1, so that inner products are cosines, what is left is made
 * as long as the whole was, and scores are cosines again. Where lengths differ, an inner product counts them: what is left
 * stays as it is, and a score is the part of the inner product that the first d numbers give.
 * @param vectors [count, D] @param into [count, d]
 */
export function cutVectors(
  vectors: Float32Array,
  count: number,
  [dimensions, kept]: readonly [number, number],
  unit: boolean,
  into: Float32Array,
): void {
  for (let i = 0; i < count; i++) {
    const whole = vectors.subarray(i * dimensions, (i + 1) * dimensions);
    const left = whole.subarray(0, kept);
    const length = unit ? lengthOf(left) : 0;
    const factor = length === 0 ? 1 : lengthOf(whole) / length;
    for (let d = 0; d < kept; d++) into[i * kept + d] = left[d]! * factor;
  }
}

export class CutSearcher implements RowSearcher {
  readonly #inner: ExactSearcher;
  readonly #cut: (queries: Float32Array, count: number) => Float32Array;

  private constructor(inner: ExactSearcher, cut: (queries: Float32Array, count: number) => Float32Array) {
    this.#inner = inner;
    this.#cut = cut;
  }

  get resident(): boolean {
    return this.#inner.resident;
  }

  /** @throws BenchError CONFIG_INVALID for a budget too small, CACHE_INVALID for a file or a shard that is damaged */
  static async open(
    index: VectorIndex,
    { file, parameter }: BuiltFile,
    { engine, ...budget }: SearchMeans,
  ): Promise<CutSearcher> {
    const { dimensions, vectors } = index;
    const { unit } = await readLayout(file, { coding: 'none', dimensions, rows: vectors });
    const kept = parameter?.value ?? dimensions;
    const sizes = [dimensions, kept] as const;
    // Read so many rows at a time as make one piece of some megabytes.
    const atOnce = Math.max(1, Math.floor((1 << 20) / dimensions));
    const piece = new Float32Array(atOnce * dimensions);
    const source: RowSource = {
      vectors,
      dimensions: kept,
      async readRows(firstRow, count, into) {
        for (let done = 0; done < count; done += atOnce) {
          const rows = Math.min(atOnce, count - done);
          await index.readRows(firstRow + done, rows, piece);
          cutVectors(piece, rows, sizes, unit, into.subarray(done * kept, (done + rows) * kept));
        }
      },
    };
    const inner = await ExactSearcher.open(source, engine, budget);
    return new CutSearcher(inner, (queries, count) => {
      const cut = new Float32Array(count * kept);
      cutVectors(queries, count, sizes, unit, cut);
      return cut;
    });
  }

  search(
    queries: Float32Array,
    count: number,
    depth: number,
    onRows?: (rows: number) => void,
  ): Promise<RowHits> {
    return this.#inner.search(this.#cut(queries, count), count, depth, onRows);
  }

  dispose(): Promise<void> {
    return this.#inner.dispose();
  }
}
