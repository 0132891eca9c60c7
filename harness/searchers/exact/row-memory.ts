/** Scores of some rows: inner products with a query, each summed in float64 in the one order and rounded to float32 once. */
import { kernelMemory, kernelOf } from '../../program/web-assembly.js';
import type { RowSource } from './blocks.js';

/** Numbers of one kernel's memory, at most. */
const largestBlock = 1 << 28;
/** Rows that a kernel is given at once, at most; an even number. */
const listed = 1024;
/** Rows that are copied at once: they stay in a core's cache. */
const copied = 128;

/** Of a row that is read from memory, so many numbers follow by themselves. */
const broughtNumbers = 192;

/** Scores of rows with one query. @param rows their numbers */
export type Products = (rows: ArrayLike<number>) => Float32Array;

/** All rows of an index, in the memory of kernels. */
export class RowMemory {
  readonly #dimensions: number;
  readonly #blockRows: number;
  readonly #blocks: Block[] = [];

  private constructor(dimensions: number, blockNumbers: number) {
    this.#dimensions = dimensions;
    this.#blockRows = Math.max(1, Math.floor(blockNumbers / dimensions));
  }

  /** @throws BenchError CACHE_INVALID where a shard cannot be read */
  static async read(index: RowSource, blockNumbers = largestBlock): Promise<RowMemory> {
    const memory = new RowMemory(index.dimensions, blockNumbers);
    for (let first = 0; first < index.vectors; first += memory.#blockRows) {
      const rows = Math.min(memory.#blockRows, index.vectors - first);
      const block = new Block(rows, index.dimensions);
      await index.readRows(first, rows, block.values);
      memory.#blocks.push(block);
    }
    return memory;
  }

  /** All rows in order, [rows, D] each. @param most rows of an array */
  arrays(most: number): { firstRow: number; values: Float32Array }[] {
    const dimensions = this.#dimensions;
    return this.#blocks.flatMap(({ values }, number) => {
      const rows = values.length / dimensions;
      return Array.from({ length: Math.ceil(rows / most) }, (_, i) => ({
        firstRow: number * this.#blockRows + i * most,
        values: values.subarray(i * most * dimensions, Math.min(rows, (i + 1) * most) * dimensions),
      }));
    });
  }

  /** Until another query is asked. @param query [D] @returns quicker for rows in order, which lie together */
  ask(query: Float32Array): Products {
    for (const block of this.#blocks) block.query.set(query);
    return (rows) => this.#products(rows);
  }

  #products(rows: ArrayLike<number>): Float32Array {
    const products = new Float32Array(rows.length);
    for (let from = 0; from < rows.length; ) {
      const number = Math.floor(rows[from]! / this.#blockRows);
      const [block, firstRow] = [this.#blocks[number]!, number * this.#blockRows];
      let count = 0;
      let sum = 0;
      for (; count < listed && from + count < rows.length; count++) {
        const row = rows[from + count]! - firstRow;
        if (row < 0 || row >= this.#blockRows) break;
        block.list[count] = 4 * this.#dimensions * row;
        sum += brought(block.values, row * this.#dimensions, this.#dimensions);
      }
      products[from] = sum;
      block.list[count] = block.list[count - 1]!;
      products.set(block.products(count), from);
      from += count;
    }
    return products;
  }
}

/** Scores of rows that lie elsewhere in this process's memory. */
export class RowCopies {
  readonly #dimensions: number;
  readonly #width: number;
  readonly #block: Block;

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
    this.#width = 4 * Math.ceil(dimensions / 4);
    // Behind each row zeros: another row may hold what is no number.
    this.#block = new Block(copied, this.#width);
    for (let i = 0; i < copied; i++) this.#block.list[i] = 4 * this.#width * i;
  }

  /** @param values [rows, D] @param query [D] */
  of(values: Float32Array, query: Float32Array): Products {
    const [block, dimensions] = [this.#block, this.#dimensions];
    return (rows) => {
      const products = new Float32Array(rows.length);
      block.query.set(query);
      for (let from = 0; from < rows.length; from += copied) {
        const count = Math.min(copied, rows.length - from);
        let sum = 0;
        for (let i = 0; i < count; i++) sum += brought(values, rows[from + i]! * dimensions, dimensions);
        products[from] = sum;
        for (let i = 0; i < count; i++) {
          const at = rows[from + i]! * dimensions;
          block.values.set(values.subarray(at, at + dimensions), i * this.#width);
        }
        products.set(block.products(count), from);
      }
      return products;
    };
  }
}

/**
 * Reads of a row so much that all of it is on its way from memory, while others are: one after another each would be waited for.
 * @returns a sum of no use; it is written where a score will be, since what nobody uses is not read
 */
function brought(values: Float32Array, at: number, dimensions: number): number {
  let sum = 0;
  for (let d = 0; d < dimensions; d += broughtNumbers) sum += values[at + d]!;
  return sum;
}

/** Rows in the memory of a kernel; behind them the query, the list of those asked for, and their products. */
class Block {
  readonly values: Float32Array;
  /** Zeros behind D: what the kernel takes of the next row counts nothing. */
  readonly query: Float64Array;
  readonly list: Uint32Array;
  readonly #products: Float64Array;
  readonly #kernel: (pairs: number) => void;

  constructor(rows: number, dimensions: number) {
    const width = 4 * Math.ceil(dimensions / 4);
    // The last row is read to its width.
    const query = 16 * Math.ceil((4 * rows * dimensions) / 16) + 16;
    const list = query + 8 * width;
    const products = list + 4 * listed;
    const memory = kernelMemory(products + 8 * listed);
    this.values = new Float32Array(memory.buffer, 0, rows * dimensions);
    this.query = new Float64Array(memory.buffer, query, width);
    this.list = new Uint32Array(memory.buffer, list, listed);
    this.#products = new Float64Array(memory.buffer, products, listed);
    const kernel = kernelOf(new URL('scan.wasm', import.meta.url), memory).products;
    this.#kernel = (pairs) => (kernel as (...places: number[]) => void)(list, pairs, width, query, products);
  }

  /** @param count rows of the list, at least 1; of an odd number the next is compared too, and has to be a row */
  products(count: number): Float64Array {
    this.#kernel(Math.ceil(count / 2));
    return this.#products.subarray(0, count);
  }
}
