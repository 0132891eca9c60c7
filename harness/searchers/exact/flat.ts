/** The index Flat: matrix product and top-k on the engine's device, block of rows by block of rows. */
import { BenchError } from '../../errors.js';
import type { VectorIndex } from '../../index/vector-index.js';
import { TopRows } from '../../search/merge.js';
import type { RowHits, RowSearcher } from '../../search/searcher.js';
import type { Engine, Feed, Program, VariableSet } from '../../tensor/engine.js';
import * as tf from '../../tensor/operations.js';
import { ProgramCache } from '../../tensor/program-cache.js';

/** Queries are padded to one of these numbers, so that few programs serve all. */
const batchSizes = [1, 16, 128] as const;
const largestBatch = 128;
/** Larger blocks gain nothing: at D = 768 this is 400 MB. */
const largestBlockRows = 131_072;
/** Programs kept; each holds a compiled graph and the engine's workspace for it. */
const keptPrograms = 12;

/** What is searched of an index. */
export type RowSource = Pick<VectorIndex, 'vectors' | 'dimensions' | 'readRows'>;

interface Block {
  firstRow: number;
  rows: number;
  /** [rows, D] */
  feed: Feed;
}

/** How the rows are cut, and whether they all stay in memory. */
export interface BlockPlan {
  resident: boolean;
  blockRows: number;
}

/**
 * Chooses blocks such that rows and scores take at most `memoryBytes`. Resident: all rows, and one block on its way
 * in. Streamed: a block at work and the next one on its way in.
 * @throws BenchError CONFIG_INVALID where not even a row fits
 */
export function planBlocks(vectors: number, dimensions: number, memoryBytes: number): BlockPlan {
  const rowBytes = dimensions * 4;
  const scoreBytes = largestBatch * 4;
  const wanted = Math.max(1, Math.min(vectors, largestBlockRows));
  const besideAll = Math.floor((memoryBytes - vectors * rowBytes) / (rowBytes + scoreBytes));
  // Resident blocks may be small; below this the cost of starting each begins to show.
  if (besideAll >= Math.min(wanted, 4096)) return { resident: true, blockRows: Math.min(wanted, besideAll) };
  const blockRows = Math.min(wanted, Math.floor(memoryBytes / (2 * rowBytes + scoreBytes)));
  if (blockRows < 1) {
    throw new BenchError(
      'CONFIG_INVALID',
      `A memory budget of ${memoryBytes} bytes does not hold two rows of ${dimensions} dimensions and their scores.`,
      {
        hint: `Allow more memory with search.memoryMiB: at least ${2 * rowBytes + scoreBytes} bytes; a gigabyte is a good start.`,
      },
    );
  }
  return { resident: false, blockRows };
}

export class ExactSearcher implements RowSearcher {
  readonly resident: boolean;
  readonly #index: RowSource;
  readonly #engine: Engine;
  readonly #blockRows: number;
  readonly #programs = new ProgramCache(keptPrograms);
  /** One array per block, on the engine, where resident. */
  #loaded: VariableSet[] = [];
  /** Two blocks that take turns, where streamed. */
  #buffers: readonly Float32Array[] = [];
  /** The buffers serve one search at a time: others wait here. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(index: RowSource, engine: Engine, { resident, blockRows }: BlockPlan) {
    this.#index = index;
    this.#engine = engine;
    this.resident = resident;
    this.#blockRows = blockRows;
  }

  /**
   * @param memoryBytes what rows and scores may take; results and the engine's own workspace come on top
   * @throws BenchError CONFIG_INVALID, or CACHE_INVALID where a shard cannot be read
   */
  static async open(index: RowSource, engine: Engine, memoryBytes: number): Promise<ExactSearcher> {
    const plan = planBlocks(index.vectors, index.dimensions, memoryBytes);
    const searcher = new ExactSearcher(index, engine, plan);
    try {
      if (plan.resident) await searcher.#load();
      return searcher;
    } catch (error) {
      await searcher.dispose();
      throw error;
    }
  }

  async #load(): Promise<void> {
    const block = new Float32Array(this.#blockRows * this.#index.dimensions);
    for (let firstRow = 0; firstRow < this.#index.vectors; firstRow += this.#blockRows) {
      const rows = Math.min(this.#blockRows, this.#index.vectors - firstRow);
      const size = rows * this.#index.dimensions;
      await this.#index.readRows(firstRow, rows, block);
      const loaded = this.#engine.variables([size]);
      loaded.variables[0]!.write(block.subarray(0, size));
      this.#loaded.push(loaded);
    }
  }

  search(
    queries: Float32Array,
    count: number,
    depth: number,
    onRows?: (rows: number) => void,
  ): Promise<RowHits> {
    const result = this.#last.then(() => this.#search(queries, count, depth, onRows));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #search(
    queries: Float32Array,
    count: number,
    depth: number,
    onRows?: (rows: number) => void,
  ): Promise<RowHits> {
    const top = new TopRows(count, Math.min(depth, this.#index.vectors));
    if (top.depth === 0) return top;
    const batches = this.#batches(queries, count);
    for await (const block of this.#blocks()) {
      const k = Math.min(top.depth, block.rows);
      for (const { first, size, padded, values } of batches) {
        const program = await this.#program(block.rows, padded, k);
        const [scores, labels] = (await program.run([values, block.feed])) as [Float32Array, Int32Array];
        for (let i = 0; i < size; i++) top.offer(first + i, scores, labels, i * k, k, block.firstRow);
      }
      if (!this.resident) onRows?.(block.firstRow + block.rows);
    }
    return top;
  }

  #batches(queries: Float32Array, count: number) {
    const { dimensions } = this.#index;
    const batches: { first: number; size: number; padded: number; values: Float32Array }[] = [];
    for (let first = 0; first < count; first += largestBatch) {
      const size = Math.min(largestBatch, count - first);
      const padded = batchSizes.find((candidate) => candidate >= size) ?? largestBatch;
      const values = new Float32Array(padded * dimensions);
      values.set(queries.subarray(first * dimensions, (first + size) * dimensions));
      batches.push({ first, size, padded, values });
    }
    return batches;
  }

  async *#blocks(): AsyncGenerator<Block> {
    const { vectors, dimensions } = this.#index;
    const rowsAt = (firstRow: number) => Math.min(this.#blockRows, vectors - firstRow);
    if (this.resident) {
      for (const [i, { variables }] of this.#loaded.entries()) {
        const firstRow = i * this.#blockRows;
        yield { firstRow, rows: rowsAt(firstRow), feed: variables[0]! };
      }
      return;
    }
    if (this.#buffers.length === 0) {
      this.#buffers = [0, 1].map(() => new Float32Array(this.#blockRows * dimensions));
    }
    const fetch = async (firstRow: number, buffer: Float32Array) => {
      await this.#index.readRows(firstRow, rowsAt(firstRow), buffer);
      return buffer.subarray(0, rowsAt(firstRow) * dimensions);
    };
    let next = fetch(0, this.#buffers[0]!);
    try {
      for (let firstRow = 0, turn = 1; firstRow < vectors; firstRow += this.#blockRows, turn ^= 1) {
        const feed = await next;
        const following = firstRow + this.#blockRows;
        if (following < vectors) next = fetch(following, this.#buffers[turn]!);
        yield { firstRow, rows: rowsAt(firstRow), feed };
      }
    } finally {
      // A search that fails half-way leaves no read behind that nobody waits for.
      await next.catch(() => undefined);
    }
  }

  /** Queries [Q, D] and rows [R, D] -> scores and rows within the block, both [Q, k]. */
  #program(rows: number, queries: number, k: number): Promise<Program> {
    const { dimensions } = this.#index;
    return this.#programs.get(`${rows} ${queries} ${k}`, () =>
      this.#engine.compile(
        ([q, r]) => {
          const scores = tf.matMul(q as tf.Tensor2D, r as tf.Tensor2D, false, true); // [Q, R]
          const { values, indices } = tf.topk(scores, k); // [Q, k]; among equal scores the lower index first
          return [values, indices];
        },
        [
          { shape: [queries, dimensions], dtype: 'float32' },
          { shape: [rows, dimensions], dtype: 'float32' },
        ],
        { name: `search of ${queries} queries in ${rows} rows` },
      ),
    );
  }

  async dispose(): Promise<void> {
    await this.#last;
    await this.#programs.dispose();
    for (const loaded of this.#loaded) loaded.dispose();
    this.#loaded = [];
    this.#buffers = [];
  }
}
