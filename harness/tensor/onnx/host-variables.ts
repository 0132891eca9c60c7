/** Variables that lie in this process's memory, where ONNX Runtime's CPU kernels read and write them in place. */
import type { Variable, VariableSet } from '../engine.js';

/** Element-wise programs run over pieces of this many floats: few enough to stay in a core's cache. */
const pieceElements = 1 << 16;

export class HostVariable implements Variable {
  constructor(readonly values: Float32Array) {}
  get size(): number {
    return this.values.length;
  }
  async read(): Promise<Float32Array> {
    return this.values.slice();
  }
  write(values: Float32Array): void {
    if (values.length !== this.size)
      throw new RangeError(`${values.length} values for ${this.size} elements`);
    this.values.set(values);
  }
  async upload(): Promise<void> {}
  clear(): void {
    this.values.fill(0);
  }
}

/** All variables lie one after another in one array, so that pieces need not stop where a variable does. */
export function hostVariables(sizes: readonly number[]): VariableSet {
  const starts = [0];
  for (const size of sizes) starts.push(starts[starts.length - 1]! + size);
  const memory = new Float32Array(starts[starts.length - 1]!);
  return {
    memory,
    variables: sizes.map((_, i) => new HostVariable(memory.subarray(starts[i]!, starts[i + 1]!))),
    pieces(first, end) {
      const pieces: HostVariable[] = [];
      for (let at = starts[first]!; at < starts[end]!; at += pieceElements) {
        pieces.push(new HostVariable(memory.subarray(at, Math.min(at + pieceElements, starts[end]!))));
      }
      return pieces;
    },
    dispose() {},
  };
}
