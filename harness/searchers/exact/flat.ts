/** The index Flat: matrix product and top-k on the engine's device, block of rows by block of rows. */
import { TopRows } from '../../search/merge.js';
import type { RowHits, RowSearcher } from '../../search/searcher.js';
import type { Engine, Program } from '../../tensor/engine.js';
import * as tf from '../../tensor/operations.js';
import { ProgramCache } from '../../tensor/program-cache.js';
import { type BlockBudget, largestBatch } from './block-plan.js';
import { type Block, Blocks, type RowSource } from './blocks.js';
import { DeviceSearch } from './device-search.js';
import { type Batch, ScoreSteps } from './score-steps.js';

/** Queries are padded to one of these numbers, so that few programs serve all. */
const batchSizes = [1, 16, largestBatch] as const;
/** Of deeper lists the engine's own top-k is as quick. */
const deepestStepped = 1000;
/** Programs kept; each holds a compiled graph and the engine's workspace for it. */
const keptPrograms = 12;

type PaddedBatch = Batch & { padded: number };

export class ExactSearcher implements RowSearcher {
  readonly resident: boolean;
  readonly #index: RowSource;
  readonly #engine: Engine;
  readonly #blocks: Blocks;
  readonly #programs = new ProgramCache(keptPrograms);
  /** Absent where scores do not lie in this process's memory. */
  readonly #steps: ScoreSteps | undefined;
  /** Where the engine has a device. */
  readonly #device: DeviceSearch | undefined;
  /** Blocks serve one search at a time: others wait here. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(index: RowSource, engine: Engine, blocks: Blocks) {
    this.#index = index;
    this.#engine = engine;
    this.#blocks = blocks;
    this.#steps = ScoreSteps.on(engine, index.dimensions);
    if (engine.largestArrayBytes !== undefined) this.#device = new DeviceSearch(engine, index.dimensions);
    this.resident = blocks.resident;
  }

  /** @throws BenchError CONFIG_INVALID, or CACHE_INVALID where a shard cannot be read */
  static async open(index: RowSource, engine: Engine, budget: BlockBudget): Promise<ExactSearcher> {
    return new ExactSearcher(index, engine, await Blocks.open(index, engine, budget));
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
    for await (const blocks of this.#blocks.all()) {
      if (this.#device !== undefined)
        for (const batch of batches) await this.#device.search(top, blocks, batch);
      else for (const block of blocks) await this.#searchBlock(top, block, batches);
      const { firstRow, rows } = blocks.at(-1)!;
      if (!this.resident) onRows?.(firstRow + rows);
    }
    return top;
  }

  async #searchBlock(top: TopRows, block: Block, batches: readonly PaddedBatch[]): Promise<void> {
    const k = Math.min(top.depth, block.rows);
    const isStepped = top.depth <= deepestStepped && this.#steps?.takes(block) === true;
    for (const { first, size, padded, values } of batches) {
      // The scores of fewer queries stay in the caches as they are.
      if (isStepped && padded === largestBatch) {
        await this.#steps!.search(top, block, { first, size, values });
        continue;
      }
      const program = await this.#program(block.rows, padded, k);
      const [scores, labels] = (await program.run([values, block.feed])) as [Float32Array, Int32Array];
      for (let i = 0; i < size; i++) top.offer(first + i, scores, labels, i * k, k, block.firstRow);
    }
  }

  #batches(queries: Float32Array, count: number): PaddedBatch[] {
    const { dimensions } = this.#index;
    const batches: PaddedBatch[] = [];
    for (let first = 0; first < count; first += largestBatch) {
      const size = Math.min(largestBatch, count - first);
      const padded = batchSizes.find((candidate) => candidate >= size) ?? largestBatch;
      const values = new Float32Array(padded * dimensions);
      values.set(queries.subarray(first * dimensions, (first + size) * dimensions));
      batches.push({ first, size, padded, values });
    }
    return batches;
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
    await this.#steps?.dispose();
    await this.#device?.dispose();
    await this.#blocks.dispose();
  }
}
