/** The vectors of an index in memory, to compare a few of them with a query. */
import { kernelMemory, kernelOf } from '../../program/web-assembly.js';
import type { RowSource } from './blocks.js';

/** Numbers of one array. */
const blockNumbers = 1 << 28;

export class RowMemory {
  readonly #dimensions: number;
  readonly #blockRows: number;
  readonly #blocks: Float32Array[] = [];

  /** A row, and the query, in the memory of the kernel; zeros behind them. */
  readonly #row: Float32Array;
  readonly #query: Float64Array;
  readonly #product: () => number;

  private constructor(dimensions: number) {
    this.#dimensions = dimensions;
    this.#blockRows = Math.max(1, Math.floor(blockNumbers / dimensions));
    const width = 4 * Math.ceil(dimensions / 4);
    const memory = kernelMemory(12 * width);
    this.#row = new Float32Array(memory.buffer, 0, width);
    this.#query = new Float64Array(memory.buffer, 4 * width, width);
    const kernel = kernelOf(new URL('scan.wasm', import.meta.url), memory).product;
    this.#product = () => (kernel as (...places: number[]) => number)(0, width, 4 * width);
  }

  /** @throws BenchError CACHE_INVALID where a shard cannot be read */
  static async read(index: RowSource): Promise<RowMemory> {
    const memory = new RowMemory(index.dimensions);
    for (let first = 0; first < index.vectors; first += memory.#blockRows) {
      const rows = Math.min(memory.#blockRows, index.vectors - first);
      const block = new Float32Array(rows * index.dimensions);
      await index.readRows(first, rows, block);
      memory.#blocks.push(block);
    }
    return memory;
  }

  /** What rows are compared with from now on. @param query [D] */
  ask(query: Float32Array): void {
    this.#query.set(query);
  }

  /** The inner product of a row and the query, summed in float64 and rounded to float32 once. */
  product(row: number): number {
    const block = this.#blocks[Math.floor(row / this.#blockRows)]!;
    const first = (row % this.#blockRows) * this.#dimensions;
    this.#row.set(block.subarray(first, first + this.#dimensions));
    return Math.fround(this.#product());
  }
}
