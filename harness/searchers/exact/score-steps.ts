/**
 * 128 queries and a block of rows, in steps so small that the scores of each stay in the cores' caches: ONNX Runtime sums
 * over 128 numbers of D at a time, and comes back to every score D / 128 times. The largest score of every few rows says
 * which are worth a look.
 */
import { BestPassages } from '../../search/best-passages.js';
import type { TopRows } from '../../search/merge.js';
import type { Engine, Program, VariableSet } from '../../tensor/engine.js';
import * as tf from '../../tensor/operations.js';
import { type Block, largestBatch } from './blocks.js';
import { LargestValues } from './largest-values.js';

/** Rows of a step by thread: the scores of 128 queries take half a mebibyte. */
const threadRows = 1024;
/** Of fewer rows the engine's own top-k is as quick; a step of 32 threads has no more. */
const leastRows = 32_768;
/** Rows whose largest score is written. */
const groupRows = 8;

/** Queries of a search, padded to 128. */
export interface Batch {
  /** Their place in the search, and how many are no padding. */
  first: number;
  size: number;
  /** [128, D] */
  values: Float32Array;
}

/** Scores [R, 128] and the largest of each group [128, R / 8]: a step writes over those of another. */
class StepOutputs {
  readonly scores: Float32Array;
  readonly #largest: Float32Array;

  private constructor(
    readonly set: VariableSet,
    memory: Float32Array,
    scores: number,
  ) {
    this.scores = memory.subarray(0, scores);
    this.#largest = memory.subarray(scores);
  }

  /** Undefined where the engine keeps its results elsewhere than in this process's memory. */
  static on(engine: Engine): StepOutputs | undefined {
    const scores = stepRowsOf(engine) * largestBatch;
    const set = engine.variables([scores, scores / groupRows]);
    if (set.memory !== undefined) return new StepOutputs(set, set.memory, scores);
    set.dispose();
    return undefined;
  }

  /** Of one query. */
  largestOf(q: number): Float32Array {
    const groups = this.#largest.length / largestBatch;
    return this.#largest.subarray(q * groups, (q + 1) * groups);
  }
}

export class ScoreSteps {
  readonly #engine: Engine;
  readonly #dimensions: number;
  readonly #rows: number;
  /** Of one step and of the next, which is computed while the scores of the first are looked at. */
  readonly #outputs: readonly StepOutputs[];
  #program: Promise<Program> | undefined;

  private constructor(engine: Engine, dimensions: number, outputs: readonly StepOutputs[]) {
    this.#engine = engine;
    this.#dimensions = dimensions;
    this.#rows = stepRowsOf(engine);
    this.#outputs = outputs;
  }

  /** Undefined where the engine does not compute in the cores: a device gives the hits of all rows at once, and no scores travel. */
  static on(engine: Engine, dimensions: number): ScoreSteps | undefined {
    if (engine.device !== 'cpu') return undefined;
    const outputs = [0, 1].map(() => StepOutputs.on(engine));
    if (outputs.every((each) => each !== undefined)) return new ScoreSteps(engine, dimensions, outputs);
    for (const each of outputs) each?.set.dispose();
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
    // The last step begins early enough to be as long as the others: a short one might sum in another order.
    const startOf = (step: number) => Math.min(step * this.#rows, block.rows - this.#rows);
    const steps = Math.ceil(block.rows / this.#rows);
    const run = (step: number) => {
      const start = startOf(step) * this.#dimensions;
      const rows = block.values!.subarray(start, start + this.#rows * this.#dimensions);
      return program.run([values, rows], this.#outputs[step % 2]!.set.variables);
    };
    let running = run(0);
    for (let step = 0; step < steps; step++) {
      await running;
      if (step + 1 < steps) running = run(step + 1);
      const outputs = this.#outputs[step % 2]!;
      const start = startOf(step);
      for (const [q, held] of best.entries()) {
        const enters = held.isFull ? held.leastScore : leastOf(outputs.largestOf(q), top.depth);
        const least = Math.max(top.leastScore(first + q), enters);
        this.#offer(held, q, { least, outputs, start, from: step * this.#rows - start });
      }
    }
    const [rows, scores] = [new Int32Array(top.depth), new Float32Array(top.depth)];
    for (const [q, held] of best.entries())
      top.offer(first + q, scores, rows, 0, held.take(rows, scores, 0), block.firstRow);
  }

  /** @param start the first row of the step @param from the first of its rows that no step before had */
  #offer(
    held: BestPassages,
    q: number,
    { least, outputs, start, from }: { least: number; outputs: StepOutputs; start: number; from: number },
  ): void {
    const { scores } = outputs;
    const largest = outputs.largestOf(q);
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
    for (const { set } of this.#outputs) set.dispose();
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
