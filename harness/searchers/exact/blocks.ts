/** The rows of an index as blocks that the engine multiplies: kept where they fit, else read again by every search. */
import type { VectorIndex } from '../../index/vector-index.js';
import type { Engine, Feed, VariableSet } from '../../tensor/engine.js';
import { type BlockBudget, type BlockPlan, planBlocks } from './block-plan.js';
import { longestOf } from './row-codes.js';
import { type SentRows, TurnedRows } from './turned-rows.js';

/** What is searched of an index. */
export type RowSource = Pick<VectorIndex, 'vectors' | 'dimensions' | 'readRows'>;

/** Rows in this process's memory. */
export interface RowsHere {
  /** [rows, D] */
  values: Float32Array;
  /** The length of the longest: see `longestOf`. */
  longest: number;
}

export interface Block {
  firstRow: number;
  rows: number;
  /** [rows, D], or turned on a device: [D, columns]. */
  feed: Feed;
  /** Where it lies in this process's memory. */
  here?: RowsHere;
  /** Where it lies on a device: see `SentRows`. */
  largest?: number;
}

/** What is allowed of a device's memory matters where there is a device. */
async function budgetOn(
  engine: Engine,
  { vectors, dimensions }: RowSource,
  { memoryBytes, deviceMemoryBytes = memoryBytes }: BlockBudget,
): Promise<BlockBudget> {
  const { largestArrayBytes: certain } = engine;
  if (certain === undefined) return { memoryBytes };
  const own = { memoryBytes, deviceMemoryBytes };
  const blockRows = (largestArrayBytes: number) =>
    planBlocks(vectors, dimensions, { ...own, largestArrayBytes }).blockRows;
  // A trial takes seconds: only where a larger array makes fewer blocks.
  const isEnough = blockRows(certain) === blockRows(Number.POSITIVE_INFINITY);
  const tried = isEnough ? undefined : await engine.tryLargestArray?.();
  return { ...own, largestArrayBytes: tried ?? certain };
}

/** The blocks of one open index, one search at a time. */
export class Blocks {
  readonly resident: boolean;
  readonly #index: RowSource;
  readonly #engine: Engine;
  readonly #blockRows: number;
  /** Where the engine has a device. */
  readonly #turned: TurnedRows | undefined;
  /** One array per block, on the engine, where resident. */
  #loaded: (VariableSet & Partial<SentRows>)[] = [];
  /** Two blocks that take turns, where streamed. */
  #buffers: readonly Float32Array[] = [];
  /** By block, found when it is first there. */
  readonly #longest: number[] = [];

  private constructor(index: RowSource, engine: Engine, { resident, blockRows }: BlockPlan) {
    this.#index = index;
    this.#engine = engine;
    this.resident = resident;
    this.#blockRows = blockRows;
    if (engine.largestArrayBytes !== undefined) this.#turned = new TurnedRows(engine, index.dimensions);
  }

  /** @throws BenchError CONFIG_INVALID, or CACHE_INVALID where a shard cannot be read */
  static async open(index: RowSource, engine: Engine, budget: BlockBudget): Promise<Blocks> {
    const plan = planBlocks(index.vectors, index.dimensions, await budgetOn(engine, index, budget));
    const blocks = new Blocks(index, engine, plan);
    try {
      if (plan.resident) await blocks.#load();
      return blocks;
    } catch (error) {
      await blocks.dispose();
      throw error;
    }
  }

  async #load(): Promise<void> {
    const block = new Float32Array(this.#blockRows * this.#index.dimensions);
    for (let firstRow = 0; firstRow < this.#index.vectors; firstRow += this.#blockRows) {
      const rows = this.#rowsAt(firstRow);
      await this.#index.readRows(firstRow, rows, block);
      const loaded = await this.#onEngine(block, rows);
      this.#loaded.push(loaded);
      if (loaded.memory !== undefined) this.#here(firstRow, loaded.memory);
    }
  }

  /** @param buffer of a whole block */
  async #onEngine(buffer: Float32Array, rows: number): Promise<VariableSet & Partial<SentRows>> {
    if (this.#turned !== undefined) return this.#turned.send(buffer, rows);
    const values = buffer.subarray(0, rows * this.#index.dimensions);
    const set = this.#engine.variables([values.length]);
    try {
      set.variables[0]!.write(values);
      await set.variables[0]!.upload();
      return set;
    } catch (error) {
      set.dispose();
      throw error;
    }
  }

  readonly #rowsAt = (firstRow: number) => Math.min(this.#blockRows, this.#index.vectors - firstRow);

  /** All of them, in order of their rows: at once where resident. Some are there until the next are asked for. */
  async *all(): AsyncGenerator<readonly Block[]> {
    if (!this.resident) yield* this.#streamed();
    else yield this.#loaded.map((loaded, i) => this.#block(i * this.#blockRows, loaded));
  }

  #block(firstRow: number, { variables, memory, largest }: VariableSet & Partial<SentRows>): Block {
    return {
      firstRow,
      rows: this.#rowsAt(firstRow),
      feed: variables[0]!,
      ...(memory && { here: this.#here(firstRow, memory) }),
      ...(largest !== undefined && { largest }),
    };
  }

  #here(firstRow: number, values: Float32Array): RowsHere {
    const block = firstRow / this.#blockRows;
    this.#longest[block] ??= longestOf(values, this.#index.dimensions);
    return { values, longest: this.#longest[block] };
  }

  async *#streamed(): AsyncGenerator<readonly Block[]> {
    const { vectors, dimensions } = this.#index;
    if (this.#buffers.length === 0) {
      this.#buffers = [0, 1].map(() => new Float32Array(this.#blockRows * dimensions));
    }
    const fetch = async (firstRow: number, buffer: Float32Array) => {
      await this.#index.readRows(firstRow, this.#rowsAt(firstRow), buffer);
      return buffer;
    };
    let next = fetch(0, this.#buffers[0]!);
    try {
      for (let firstRow = 0, turn = 1; firstRow < vectors; firstRow += this.#blockRows, turn ^= 1) {
        const buffer = await next;
        const following = firstRow + this.#blockRows;
        if (following < vectors) next = fetch(following, this.#buffers[turn]!);
        // Waited for at the next turn, whenever it fails.
        void next.catch(() => undefined);
        const rows = this.#rowsAt(firstRow);
        if (this.#turned === undefined) {
          const values = buffer.subarray(0, rows * dimensions);
          yield [{ firstRow, rows, feed: values, here: this.#here(firstRow, values) }];
          continue;
        }
        // Sent once, for all queries of the search.
        const sent = await this.#onEngine(buffer, rows);
        try {
          yield [this.#block(firstRow, sent)];
        } finally {
          sent.dispose();
        }
      }
    } finally {
      // A search that fails half-way leaves no read behind that nobody waits for.
      await next.catch(() => undefined);
    }
  }

  async dispose(): Promise<void> {
    for (const loaded of this.#loaded) loaded.dispose();
    this.#loaded = [];
    this.#buffers = [];
    // A program of ONNX Runtime that is released takes the memory of what it made with it: it is the last to go.
    await this.#turned?.dispose();
  }
}
