/** The index Flat: matrix product and top-k on the engine's device, block of rows by block of rows. */
import { TopRows } from '../../search/merge.js';
import type { RowHits, RowSearcher } from '../../search/searcher.js';
import type { Engine, Program } from '../../tensor/engine.js';
import * as tf from '../../tensor/operations.js';
import { ProgramCache } from '../../tensor/program-cache.js';
import { type BlockBudget, largestBatch } from './block-plan.js';
import { type Block, Blocks, type RowSource } from './blocks.js';
import { DeviceSearch, deviceBatchSizes } from './device-search.js';
import { type AskedBlock, askBlock, besideOf, offerAll, offerFirst } from './near-scores.js';
import { RowCopies } from './row-memory.js';
import { type Batch, ScoreSteps } from './score-steps.js';

/** Queries are padded to one of these numbers, so that few programs serve all. */
const batchSizes = [1, 16, 32, largestBatch] as const;
/** On the processor padding takes as long as queries do: so many at most go in batches of `smallBatch`, more of them in one of 128. */
const mostInSmall = 96;
const smallBatch = 32;
/** Of deeper lists the engine's own top-k is as quick. */
const deepestStepped = 1000;
/** Fewer queries that too many rows are nearly equal for are quicker one by one. */
const leastNear = 4;
/** Programs kept; each holds a compiled graph and the engine's workspace for it. */
const keptPrograms = 12;

type PaddedBatch = Batch & { padded: number };
type RowBlocks = Pick<Blocks, 'resident' | 'all' | 'dispose'>;

export class ExactSearcher implements RowSearcher {
  readonly resident: boolean;
  readonly #index: RowSource;
  readonly #engine: Engine;
  readonly #blocks: RowBlocks;
  readonly #programs = new ProgramCache(keptPrograms);
  readonly #copies: RowCopies;
  /** Absent where scores do not lie in this process's memory. */
  readonly #steps: ScoreSteps | undefined;
  /** Where the engine has a device. */
  readonly #device: DeviceSearch | undefined;
  /** Blocks serve one search at a time: others wait here. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param blocks of the rows of the index, which it disposes of */
  constructor(index: RowSource, engine: Engine, blocks: RowBlocks) {
    this.#index = index;
    this.#engine = engine;
    this.#blocks = blocks;
    this.#copies = new RowCopies(index.dimensions);
    this.#steps = ScoreSteps.on(engine, index.dimensions, this.#copies);
    if (engine.largestArrayBytes !== undefined) this.#device = new DeviceSearch(engine, index.dimensions);
    this.resident = blocks.resident;
  }

  /** @throws BenchError CONFIG_INVALID, or CACHE_INVALID where a shard cannot be read */
  static async open(index: RowSource, engine: Engine, budget: BlockBudget): Promise<ExactSearcher> {
    return new ExactSearcher(index, engine, await Blocks.open(index, engine, budget));
  }

  async search(
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
    const isStepped = top.depth <= deepestStepped && this.#steps?.takes(block) === true;
    const left: AskedBlock[] = [];
    for (const batch of batches) {
      // The sums of fewer queries stay in the caches as they are.
      const isQuick = isStepped && batch.padded === largestBatch;
      left.push(
        ...(isQuick
          ? await this.#steps!.search(top, block, batch)
          : await this.#searchAtOnce(top, block, batch)),
      );
    }
    for (let first = 0; first < left.length; first += largestBatch) {
      const some = left.slice(first, first + largestBatch);
      if (isStepped && some.length >= leastNear) await this.#steps!.searchNear(top, block, some);
      else for (const asked of some) await this.#searchAlone(top, block, asked);
    }
  }

  /** @returns queries that too many rows are nearly equal for */
  async #searchAtOnce(top: TopRows, block: Block, batch: PaddedBatch): Promise<AskedBlock[]> {
    const { rows, here, feed, firstRow } = block;
    const { first, size, padded, values } = batch;
    const wanted = Math.min(top.depth, rows);
    const k = here === undefined ? wanted : Math.min(rows, wanted + besideOf(wanted));
    const program = await this.#program(rows, padded, k);
    const [sums, labels] = (await program.run([values, feed])) as [Float32Array, Int32Array];
    const { dimensions } = this.#index;
    const left: AskedBlock[] = [];
    for (let i = 0; i < size; i++) {
      const [from, end] = [i * k, (i + 1) * k];
      if (here === undefined) {
        top.offer(first + i, sums, labels, from, k, firstRow);
        continue;
      }
      const vector = values.subarray(i * dimensions, (i + 1) * dimensions);
      const asked = askBlock(block, here, { query: first + i, vector, copies: this.#copies });
      if (!offerFirst(top, asked, sums.subarray(from, end), labels.subarray(from, end))) left.push(asked);
    }
    return left;
  }

  async #searchAlone(top: TopRows, { rows, feed }: Block, asked: AskedBlock): Promise<void> {
    const program = await this.#program(rows, 1, 0);
    const [sums] = await program.run([asked.vector, feed]);
    offerAll(top, asked, sums as Float32Array);
  }

  #batches(queries: Float32Array, count: number): PaddedBatch[] {
    const { dimensions } = this.#index;
    const onDevice = this.#device !== undefined;
    const sizes = onDevice ? deviceBatchSizes : batchSizes;
    const batches: PaddedBatch[] = [];
    for (let first = 0; first < count; ) {
      const left = count - first;
      const size = Math.min(onDevice || left > mostInSmall ? largestBatch : smallBatch, left);
      const padded = sizes.find((candidate) => candidate >= size)!;
      const values = new Float32Array(padded * dimensions);
      values.set(queries.subarray(first * dimensions, (first + size) * dimensions));
      batches.push({ first, size, padded, values });
      first += size;
    }
    return batches;
  }

  /** Queries [Q, D] and rows [R, D] -> sums and rows within the block, both [Q, k]; of k = 0 all sums, [Q, R]. */
  #program(rows: number, queries: number, k: number): Promise<Program> {
    const { dimensions } = this.#index;
    return this.#programs.get(`${rows} ${queries} ${k}`, () =>
      this.#engine.compile(
        ([q, r]) => {
          const sums = tf.matMul(q as tf.Tensor2D, r as tf.Tensor2D, false, true); // [Q, R]
          if (k === 0) return [sums];
          const { values, indices } = tf.topk(sums, k); // [Q, k]; among equal sums the lower index first
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
