/**
 * AdamW over arrays in this process's memory: one pass over memory in WebAssembly (adamw.wat), where a tensor program makes
 * one for every operation. It reads 16 and writes 12 bytes a parameter, whatever the model, so that is what it costs.
 */
import { kernelMemory, kernelOf } from '../program/web-assembly.js';

/** What one step's update has in common for all elements. */
export interface UpdateScalars {
  beta1: number;
  /** What the gradient is multiplied by before it is added to the first moment. */
  firstShare: number;
  beta2: number;
  /** What the squared gradient is multiplied by before it is added to the second moment. */
  secondShare: number;
  /** What the root of the second moment is multiplied by. */
  correction: number;
  epsilon: number;
  rate: number;
}

/** Elements a call: the four arrays of a piece, 1 MiB together, stay in a core's cache. */
const pieceElements = 1 << 16;

type Update = (
  n: number,
  beta1: number,
  firstShare: number,
  beta2: number,
  secondShare: number,
  correction: number,
  epsilon: number,
  rate: number,
  kept: number,
) => void;

export class AdamWKernel {
  readonly #update: Update;
  /** Parameter, gradient, first and second moment of a piece. */
  readonly #pieces: readonly Float32Array[];

  constructor() {
    const memory = kernelMemory(4 * 4 * pieceElements);
    const exports = kernelOf(new URL('adamw.wasm', import.meta.url), memory);
    this.#update = exports.update as Update;
    this.#pieces = [0, 1, 2, 3].map(
      (i) => new Float32Array(memory.buffer, 4 * i * pieceElements, pieceElements),
    );
  }

  /**
   * Updates the elements from `start` up to `end` in place.
   * @param arrays parameters, gradients, first and second moments, all of one size
   * @param kept what parameters are multiplied by: below 1 where there is weight decay
   */
  update(
    arrays: readonly [Float32Array, Float32Array, Float32Array, Float32Array],
    start: number,
    end: number,
    scalars: UpdateScalars,
    kept: number,
  ): void {
    const { beta1, firstShare, beta2, secondShare, correction, epsilon, rate } = scalars;
    for (let at = start; at < end; at += pieceElements) {
      const stop = Math.min(at + pieceElements, end);
      for (const [i, piece] of this.#pieces.entries()) piece.set(arrays[i]!.subarray(at, stop));
      // Always a whole piece, so that every array starts where the kernel looks for it; what is left over stays behind.
      this.#update(pieceElements, beta1, firstShare, beta2, secondShare, correction, epsilon, rate, kept);
      for (const i of [0, 2, 3]) arrays[i]!.set(this.#pieces[i]!.subarray(0, stop - at), at);
    }
  }
}
