/** Blocks of rows that lie in this process's memory for another searcher too. */
import { largestBlockRows } from './block-plan.js';
import type { Block, Blocks, RowsHere } from './blocks.js';
import { longestOf } from './row-codes.js';
import type { RowMemory } from './row-memory.js';

/** Whoever holds the rows disposes of them. */
export class HeldBlocks implements Pick<Blocks, 'resident' | 'all' | 'dispose'> {
  readonly resident = true;
  readonly #memory: RowMemory;
  readonly #dimensions: number;
  /** Made by the first search: to find the longest row is to read all of them. */
  #blocks: readonly Block[] | undefined;

  constructor(memory: RowMemory, dimensions: number) {
    this.#memory = memory;
    this.#dimensions = dimensions;
  }

  async *all(): AsyncGenerator<readonly Block[]> {
    this.#blocks ??= this.#memory.arrays(largestBlockRows).map(({ firstRow, values }) => {
      const here: RowsHere = { values, longest: longestOf(values, this.#dimensions) };
      return { firstRow, rows: values.length / this.#dimensions, feed: values, here };
    });
    yield this.#blocks;
  }

  async dispose(): Promise<void> {}
}
