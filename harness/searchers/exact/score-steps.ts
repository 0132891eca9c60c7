/**
 * 128 queries and a block of rows, in steps so small that the scores of each stay in the cores' caches: ONNX Runtime sums
 * over 128 numbers of D at a time, and comes back to every score D / 128 times. The largest score of every few rows says
 * which are worth a look.
 */
import { BestPassages } from '../../search/best-passages.js';
import type { TopRows } from '../../search/merge.js';
import type { Engine, Program, VariableSet } from '../../tensor/engine.js';
import * as tf from '../../tensor/operations.js';
import { largestBatch } from './block-plan.js';
import type { Block } from './blocks.js';
import { LargestValues } from './largest-values.js';

/** Rows of a step by thread: the scores of 128 queries take half a mebibyte. */
const threadRows = 1024;
/** Of fewer rows the engine's own top-k is as quick; a step of 32 threads has no more. */
const leastRows = 32_768;
/** Rows whose largest score is written. */
const groupRows = 8;

/** Queries of a search, padded: to 128 for steps. */
export interface Batch {
  /** Their place in the search, and how many are no padding. */
  first: number;
  size: number;
  /** [Q, D] */
  values: Float32Array;
}

export class ScoreSteps {
  readonly #engine: Engine;
  readonly #dimensions: number;
  readonly #rows: number;
  /** Scores [R, 128] and the largest of each group [128, R / 8]: every step writes over those of the one before. */
  readonly #outputs: VariableSet;
  readonly #scores: Float32Array;
  readonly #largest: Float32Array;
  #program: Promise<Program> | undefined;

  private constructor(engine: Engine, dimensions: number, outputs: VariableSet, memory: Float32Array) {
    this.#engine = engine;
    this.#dimensions = dimensions;
    this.#rows = stepRowsOf(engine);
    this.#outputs = outputs;
    this.#scores = memory.subarray(0, this.#rows * largestBatch);
    this.#largest = memory.subarray(this.#rows * largestBatch);
  }

  /** Undefined where the engine does not compute in the cores: a device gives the hits of all rows at once, and no scores travel. */
  static on(engine: Engine, dimensions: number): ScoreSteps | undefined {
    if (engine.device !== 'cpu') return undefined;
    const scores = stepRowsOf(engine) * largestBatch;
    const outputs = engine.variables([scores, scores / groupRows]);
    if (outputs.memory !== undefined) return new ScoreSteps(engine, dimensions, outputs, outputs.memory);
    outputs.dispose();
    return undefined;
  }

  /** Whether a block has rows enough to be quicker in steps. */
  readonly takes = ({ rows, values }: Block): boolean =>
    values !== undefined && rows >= Math.max(leastRows, this.#rows);

  /** Offers the best rows of a block that it takes: the scores are, bit for bit, those of all its rows at once. */
  async search(top: TopRows, block: Block, { first, size, values }: Batch): Promise<void> {
    this.#program ??= this.#compile();
    const program = await this.#program;
    const best = Array.from({ length: size }, () => new BestPassages(top.depth));
    for (let done = 0; done < block.rows; done += this.#rows) {
      // The last step begins early enough to be as long as the others: a short one might sum in another order.
      const start = Math.min(done, block.rows - this.#rows);
      const rows = block.values!.subarray(start * this.#dimensions, (start + this.#rows) * this.#dimensions);
      // ONNX Runtime computes in this very thread, beside its own: nothing is looked at meanwhile.
      await program.run([values, rows], this.#outputs.variables);
      for (const [q, held] of best.entries()) {
        const largest = this.#largestOf(q);
        const enters = held.isFull ? held.leastScore : leastOf(largest, top.depth);
        const least = Math.max(top.leastScore(first + q), enters);
        this.#offer(held, q, { least, largest, start, from: done - start });
      }
    }
    const [rows, scores] = [new Int32Array(top.depth), new Float32Array(top.depth)];
    for (const [q, held] of best.entries())
      top.offer(first + q, scores, rows, 0, held.take(rows, scores, 0), block.firstRow);
  }

  /** Of one query. */
  #largestOf(q: number): Float32Array {
    const groups = this.#rows / groupRows;
    return this.#largest.subarray(q * groups, (q + 1) * groups);
  }

  /** @param start the first row of the step @param from the first of its rows that no step before had */
  #offer(
    held: BestPassages,
    q: number,
    { least, largest, start, from }: { least: number; largest: Float32Array; start: number; from: number },
  ): void {
    const scores = this.#scores;
    for (let group = Math.floor(from / groupRows); group < largest.length; group++) {
      if (largest[group]! < least) continue;
      const end = (group + 1) * groupRows;
      for (let row = Math.max(group * groupRows, from); row < end; row++) {
        const score = scores[row * largestBatch + q]!;
        if (score >= least) held.offer(score, start + row);
      }
    }
  }

  /** Queries [128, D] and rows [R, D] -> scores [R, 128], and the largest of each group of rows [128, R / 8]. */
  #compile(): Promise<Program> {
    const rows = this.#rows;
    return this.#engine.compile(
      ([q, r]) => {
        const scores = tf.matMul(r as tf.Tensor2D, q as tf.Tensor2D, false, true);
        const grouped = tf.reshape(scores, [rows / groupRows, groupRows, largestBatch]);
        return [scores, tf.transpose(tf.max(grouped, 1))];
      },
      [
        { shape: [largestBatch, this.#dimensions], dtype: 'float32' },
        { shape: [rows, this.#dimensions], dtype: 'float32' },
      ],
      { name: `search of ${largestBatch} queries in steps of ${rows} rows` },
    );
  }

  async dispose(): Promise<void> {
    // What could not be compiled has said so to whoever searched.
    await (await this.#program?.catch(() => undefined))?.dispose();
    this.#outputs.dispose();
  }
}

const stepRowsOf = ({ threads }: Pick<Engine, 'threads'>): number => threadRows * threads;

/** The `depth`-th largest of the groups' largest scores: so many rows have a score that is no less. */
function leastOf(largest: Float32Array, depth: number): number {
  const held = new LargestValues(depth);
  // What is no number is larger than none, and would hide what is.
  for (const value of largest) if (!Number.isNaN(value)) held.offer(value);
  return held.least;
}
