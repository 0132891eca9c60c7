/**
 * 128 queries and a block of rows, in steps so small that the scores of each stay in the cores' caches: ONNX Runtime sums
 * over 128 numbers of D at a time, and comes back to every score D / 128 times. The largest score of every few rows says
 * which are worth a look.
 */
import type { TopRows } from '../../search/merge.js';
import type { Engine, Program, VariableSet } from '../../tensor/engine.js';
import * as tf from '../../tensor/operations.js';
import { largestBatch } from './block-plan.js';
import type { Block } from './blocks.js';
import { LargestValues } from './largest-values.js';
import { Differences, middleOf, NearRows } from './near-rows.js';
import { type AskedBlock, askBlock } from './near-scores.js';
import { Possible } from './possible.js';
import type { RowCopies } from './row-memory.js';

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
  readonly #copies: RowCopies;
  readonly #rows: number;
  /** Scores [R, 128] and the largest of each group [128, R / 8]: every step writes over those of the one before. */
  readonly #outputs: VariableSet;
  readonly #scores: Float32Array;
  readonly #largest: Float32Array;
  readonly #possible: Possible[] = [];
  #program: Promise<Program> | undefined;

  private constructor(
    engine: Engine,
    dimensions: number,
    copies: RowCopies,
    { outputs, memory }: { outputs: VariableSet; memory: Float32Array },
  ) {
    this.#engine = engine;
    this.#dimensions = dimensions;
    this.#copies = copies;
    this.#rows = stepRowsOf(engine);
    this.#outputs = outputs;
    this.#scores = memory.subarray(0, this.#rows * largestBatch);
    this.#largest = memory.subarray(this.#rows * largestBatch);
  }

  /** Undefined where the engine does not compute in the cores: a device gives the hits of all rows at once, and no scores travel. */
  static on(engine: Engine, dimensions: number, copies: RowCopies): ScoreSteps | undefined {
    if (engine.device !== 'cpu') return undefined;
    const scores = stepRowsOf(engine) * largestBatch;
    const outputs = engine.variables([scores, scores / groupRows]);
    const { memory } = outputs;
    if (memory !== undefined) return new ScoreSteps(engine, dimensions, copies, { outputs, memory });
    outputs.dispose();
    return undefined;
  }

  /** Whether a block has rows enough to be quicker in steps. */
  readonly takes = ({ rows, here }: Block): boolean =>
    here !== undefined && rows >= Math.max(leastRows, this.#rows);

  /** Offers the best rows of a block that it takes. @returns queries that too many rows are nearly equal for */
  async search(top: TopRows, block: Block, { first, size, values }: Batch): Promise<AskedBlock[]> {
    this.#program ??= this.#compile();
    const program = await this.#program;
    const dimensions = this.#dimensions;
    const queries = Array.from({ length: size }, (_, q) => {
      const vector = values.subarray(q * dimensions, (q + 1) * dimensions);
      const asked = askBlock(block, block.here!, { query: first + q, vector, copies: this.#copies });
      this.#possible[q] ??= new Possible();
      const isAny = asked.radius < Number.POSITIVE_INFINITY;
      this.#possible[q].ask(top.depth, isAny ? top.leastScore(first + q) : Number.POSITIVE_INFINITY);
      return { asked, possible: this.#possible[q] };
    });
    for (let done = 0; done < block.rows; done += this.#rows) {
      // The last step begins early enough to be as long as the others: another length is another program.
      const start = Math.min(done, block.rows - this.#rows);
      const rows = block.here!.values.subarray(start * dimensions, (start + this.#rows) * dimensions);
      // ONNX Runtime computes in this very thread, beside its own: nothing is looked at meanwhile.
      await program.run([values, rows], this.#outputs.variables);
      for (const [q, { asked, possible }] of queries.entries()) {
        const largest = this.#largestOf(q);
        if (done === 0) possible.raise(leastOf(largest, top.depth) - asked.radius);
        this.#offer(possible, q, { radius: asked.radius, largest, start, from: done - start });
      }
    }
    const left: AskedBlock[] = [];
    for (const { asked, possible } of queries) {
      const best = possible.finish(asked.products);
      if (best === undefined) left.push(asked);
      else best.moveTo(top, asked.query, block.firstRow);
    }
    return left;
  }

  /** Offers the best rows of a block for queries that were left of it. @param left 128 at most */
  async searchNear(top: TopRows, block: Block, left: readonly AskedBlock[]): Promise<void> {
    this.#program ??= this.#compile();
    const program = await this.#program;
    const dimensions = this.#dimensions;
    const values = new Float32Array(largestBatch * dimensions);
    for (const [i, { vector }] of left.entries()) values.set(vector, i * dimensions);
    const rows = block.here!.values;
    const middle = middleOf(rows, dimensions);
    const near = new NearRows(top, left, middle);
    const differences = new Differences(middle, this.#rows, near.most);
    for (let done = 0; done < block.rows; done += this.#rows) {
      const start = Math.min(done, block.rows - this.#rows);
      differences.take(rows.subarray(start * dimensions, (start + this.#rows) * dimensions));
      await program.run([values, differences.values], this.#outputs.variables);
      near.offer(this.#scores, differences, { start, from: done - start });
    }
    near.finish();
  }

  /** Of one query. */
  #largestOf(q: number): Float32Array {
    const groups = this.#rows / groupRows;
    return this.#largest.subarray(q * groups, (q + 1) * groups);
  }

  /** @param start the first row of the step @param from the first of its rows that no step before had */
  #offer(
    possible: Possible,
    q: number,
    { radius, largest, start, from }: { radius: number; largest: Float32Array; start: number; from: number },
  ): void {
    const scores = this.#scores;
    const least = possible.threshold - radius;
    for (let group = Math.floor(from / groupRows); group < largest.length; group++) {
      if (largest[group]! < least) continue;
      const end = (group + 1) * groupRows;
      for (let row = Math.max(group * groupRows, from); row < end; row++) {
        const score = scores[row * largestBatch + q]!;
        if (score >= least) possible.offer(start + row, score, radius);
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
