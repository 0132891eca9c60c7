/** Gradients of large tables while those of chunks are added up: of the rows that a chunk has shares of, where they lie in memory. */
import type { VariableSet } from '../tensor/engine.js';
import type { SummedRows } from '../tensor/look-up.js';

export class GradientRows {
  /** By parameter; none where the gradients lie on a device. */
  readonly #arrays: Float32Array[] = [];

  constructor({ variables, memory }: VariableSet) {
    if (memory === undefined) return;
    let start = 0;
    for (const { size } of variables) {
      this.#arrays.push(memory.subarray(start, start + size));
      start += size;
    }
  }

  get areHere(): boolean {
    return this.#arrays.length > 0;
  }

  /** To add zeros to all other rows would change no bit: a sum that begins with 0 is never -0. @param sums of these rows, [S, D] */
  add(parameter: number, { rows, places }: SummedRows, sums: Float32Array): void {
    const gradient = this.#arrays[parameter]!;
    const dimensions = sums.length / places.length;
    for (const [i, row] of rows.entries())
      for (let d = 0; d < dimensions; d++) gradient[row * dimensions + d]! += sums[i * dimensions + d]!;
  }
}
