/** The rows of an index as blocks that the engine multiplies: kept where they fit, else read again by every search. */
import { BenchError } from '../../errors.js';
import type { VectorIndex } from '../../index/vector-index.js';
import type { Engine, Feed, VariableSet } from '../../tensor/engine.js';

/** Queries multiplied at once, at most. */
export const largestBatch = 128;
/** Larger blocks gain nothing: at D = 768 this is 400 MB. */
const largestBlockRows = 131_072;

/** What is searched of an index. */
export type RowSource = Pick<VectorIndex, 'vectors' | 'dimensions' | 'readRows'>;

export interface Block {
  firstRow: number;
  rows: number;
  /** [rows, D] */
  feed: Feed;
  /** The same, where it lies in this process's memory. */
  values?: Float32Array;
}

/** What rows and scores may take; results and the engine's own workspace come on top. */
export interface BlockBudget {
  /** Of this process's memory. */
  memoryBytes: number;
  /** Of the device's, where variables lie on one; as much where absent. */
  deviceMemoryBytes?: number;
  /** Of one array on the device: a block's rows, or the scores of a batch of queries. */
  largestArrayBytes?: number;
}

/** How the rows are cut, and whether they all stay in memory, or on the device. */
export interface BlockPlan {
  resident: boolean;
  blockRows: number;
}

/**
 * Chooses blocks that keep to the budget. Resident: all rows, and one block on its way in. Streamed: a block at work and the
 * next one on its way in. On a device a block's way leads through this process's memory.
 * @throws BenchError CONFIG_INVALID where not even a row fits
 */
export function planBlocks(vectors: number, dimensions: number, budget: BlockBudget): BlockPlan {
  const { memoryBytes, deviceMemoryBytes, largestArrayBytes = Number.POSITIVE_INFINITY } = budget;
  const rowBytes = dimensions * 4;
  const scoreBytes = largestBatch * 4;
  const wanted = Math.max(
    1,
    Math.min(vectors, largestBlockRows, Math.floor(largestArrayBytes / Math.max(rowBytes, scoreBytes))),
  );
  // Resident blocks may be small; below this the cost of starting each begins to show.
  const smallest = Math.min(wanted, 4096);
  if (deviceMemoryBytes === undefined) {
    const besideAll = Math.floor((memoryBytes - vectors * rowBytes) / (rowBytes + scoreBytes));
    if (besideAll >= smallest) return { resident: true, blockRows: Math.min(wanted, besideAll) };
    const streamed = 2 * rowBytes + scoreBytes;
    const blockRows = Math.min(wanted, Math.floor(memoryBytes / streamed));
    if (blockRows < 1) throw tooSmall('search.memoryMiB', memoryBytes, dimensions, streamed);
    return { resident: false, blockRows };
  }
  // Read into one array and sent from another.
  const passing = Math.floor(memoryBytes / (2 * rowBytes));
  const besideAll = Math.floor((deviceMemoryBytes - vectors * rowBytes) / scoreBytes);
  const kept = Math.min(wanted, besideAll, passing);
  if (kept >= smallest) return { resident: true, blockRows: kept };
  const streamed = rowBytes + scoreBytes;
  // A second block is read while the first is on its way.
  const readAhead = Math.floor(memoryBytes / (3 * rowBytes));
  const blockRows = Math.min(wanted, readAhead, Math.floor(deviceMemoryBytes / streamed));
  if (readAhead < 1) throw tooSmall('search.memoryMiB', memoryBytes, dimensions, 3 * rowBytes);
  if (blockRows < 1) throw tooSmall('search.deviceMemoryMiB', deviceMemoryBytes, dimensions, streamed);
  return { resident: false, blockRows };
}

/** What is allowed of a device's memory matters where there is a device. */
function budgetOn(
  { largestArrayBytes }: Engine,
  { memoryBytes, deviceMemoryBytes }: BlockBudget,
): BlockBudget {
  if (largestArrayBytes === undefined) return { memoryBytes };
  return { memoryBytes, deviceMemoryBytes: deviceMemoryBytes ?? memoryBytes, largestArrayBytes };
}

function tooSmall(setting: string, bytes: number, dimensions: number, least: number): BenchError {
  return new BenchError(
    'CONFIG_INVALID',
    `A memory budget of ${bytes} bytes does not hold two rows of ${dimensions} dimensions and their scores.`,
    { hint: `Give at least ${least} bytes with ${setting}; a gigabyte is a good start.` },
  );
}

/** The blocks of one open index, one search at a time. */
export class Blocks {
  readonly resident: boolean;
  readonly #index: RowSource;
  readonly #engine: Engine;
  readonly #blockRows: number;
  /** One array per block, on the engine, where resident. */
  #loaded: VariableSet[] = [];
  /** Two blocks that take turns, where streamed. */
  #buffers: readonly Float32Array[] = [];

  private constructor(index: RowSource, engine: Engine, { resident, blockRows }: BlockPlan) {
    this.#index = index;
    this.#engine = engine;
    this.resident = resident;
    this.#blockRows = blockRows;
  }

  /** @throws BenchError CONFIG_INVALID, or CACHE_INVALID where a shard cannot be read */
  static async open(index: RowSource, engine: Engine, budget: BlockBudget): Promise<Blocks> {
    const plan = planBlocks(index.vectors, index.dimensions, budgetOn(engine, budget));
    const blocks = new Blocks(index, engine, plan);
    try {
      if (plan.resident) await blocks.#load();
      return blocks;
    } catch (error) {
      blocks.dispose();
      throw error;
    }
  }

  async #load(): Promise<void> {
    const block = new Float32Array(this.#blockRows * this.#index.dimensions);
    for (let firstRow = 0; firstRow < this.#index.vectors; firstRow += this.#blockRows) {
      const rows = this.#rowsAt(firstRow);
      await this.#index.readRows(firstRow, rows, block);
      this.#loaded.push(await this.#onEngine(block.subarray(0, rows * this.#index.dimensions)));
    }
  }

  async #onEngine(values: Float32Array): Promise<VariableSet> {
    const set = this.#engine.variables([values.length]);
    try {
      const [variable] = set.variables;
      variable!.write(values);
      await variable!.upload();
      return set;
    } catch (error) {
      set.dispose();
      throw error;
    }
  }

  readonly #rowsAt = (firstRow: number) => Math.min(this.#blockRows, this.#index.vectors - firstRow);

  /** All of them, in order of their rows. A block is there until the next is asked for. */
  async *all(): AsyncGenerator<Block> {
    if (!this.resident) {
      yield* this.#streamed();
      return;
    }
    for (const [i, { variables, memory }] of this.#loaded.entries()) {
      const firstRow = i * this.#blockRows;
      yield {
        firstRow,
        rows: this.#rowsAt(firstRow),
        feed: variables[0]!,
        ...(memory && { values: memory }),
      };
    }
  }

  async *#streamed(): AsyncGenerator<Block> {
    const { vectors, dimensions } = this.#index;
    if (this.#buffers.length === 0) {
      this.#buffers = [0, 1].map(() => new Float32Array(this.#blockRows * dimensions));
    }
    const fetch = async (firstRow: number, buffer: Float32Array) => {
      await this.#index.readRows(firstRow, this.#rowsAt(firstRow), buffer);
      return buffer.subarray(0, this.#rowsAt(firstRow) * dimensions);
    };
    let next = fetch(0, this.#buffers[0]!);
    try {
      for (let firstRow = 0, turn = 1; firstRow < vectors; firstRow += this.#blockRows, turn ^= 1) {
        const values = await next;
        const following = firstRow + this.#blockRows;
        if (following < vectors) next = fetch(following, this.#buffers[turn]!);
        const rows = this.#rowsAt(firstRow);
        if (this.#engine.largestArrayBytes === undefined) yield { firstRow, rows, feed: values, values };
        else {
          // Sent once, for all queries of the search.
          const sent = await this.#onEngine(values);
          try {
            yield { firstRow, rows, feed: sent.variables[0]! };
          } finally {
            sent.dispose();
          }
        }
      }
    } finally {
      // A search that fails half-way leaves no read behind that nobody waits for.
      await next.catch(() => undefined);
    }
  }

  dispose(): void {
    for (const loaded of this.#loaded) loaded.dispose();
    this.#loaded = [];
    this.#buffers = [];
  }
}
