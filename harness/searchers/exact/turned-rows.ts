/**
 * Rows that lie on a device turned, [D, C], so that a product of queries with them is plain: that is what GPUs are quick at.
 * The 64 rows of each of G groups follow one another in the index, and are G columns apart there: so are their scores, and
 * threads beside each other read numbers beside each other as each looks for the largest of its group.
 */
import type { Engine, Program, VariableSet } from '../../tensor/engine.js';
import * as tf from '../../tensor/operations.js';
import { ProgramCache } from '../../tensor/program-cache.js';
import { groupRows } from './block-plan.js';

/** Groups of so many rows. */
export const groupsOf = (rows: number): number => Math.ceil(rows / groupRows);

/** Rows that were sent. */
export interface SentRows extends VariableSet {
  /** The largest number of the rows, either way; NaN where one is no number. */
  readonly largest: number;
}

export class TurnedRows {
  readonly #engine: Engine;
  readonly #dimensions: number;
  /** For whole blocks, and for the last one. */
  readonly #programs = new ProgramCache(2);

  constructor(engine: Engine, dimensions: number) {
    this.#engine = engine;
    this.#dimensions = dimensions;
  }

  /**
   * The last group is filled up with its last row, which changes no largest score.
   * @param buffer [64 G, D] at least, of which the rows are read and what is behind them is written
   * @returns one variable, [D, 64, G]
   */
  async send(buffer: Float32Array, rows: number): Promise<SentRows> {
    const dimensions = this.#dimensions;
    const filled = groupsOf(rows) * groupRows;
    const values = buffer.subarray(0, filled * dimensions);
    for (let row = rows; row < filled; row++)
      values.copyWithin(row * dimensions, (rows - 1) * dimensions, rows * dimensions);
    const [upright, turned] = [values.length, values.length].map((size) => this.#engine.variables([size]));
    try {
      upright!.variables[0]!.write(values);
      const program = await this.#program(groupsOf(rows));
      await program.run([upright!.variables[0]!], turned!.variables);
      return { ...turned!, largest: largestOf(values) };
    } catch (error) {
      turned!.dispose();
      throw error;
    } finally {
      upright!.dispose();
    }
  }

  #program(groups: number): Promise<Program> {
    return this.#programs.get(String(groups), () =>
      this.#engine.compile(
        ([rows]) => [tf.transpose(rows!)],
        [{ shape: [groups, groupRows, this.#dimensions], dtype: 'float32' }],
        { name: `turn of ${groups} groups of rows` },
      ),
    );
  }

  dispose(): Promise<void> {
    return this.#programs.dispose();
  }
}

/** The largest number, either way; NaN where one is no number. */
export function largestOf(values: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}
