/** AdamW (Loshchilov and Hutter 2019) as PyTorch's torch.optim.AdamW computes it. */
import type { ArraySpec, Engine, Program, Variable, VariableSet } from '../tensor/engine.js';
import * as tf from '../tensor/operations.js';
import { AdamWKernel, type UpdateScalars } from './adamw-kernel.js';
import { groupKey, pieceGroups } from './piece-groups.js';

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/** What one of the engine's programs updates, piece by piece. */
interface Group {
  parameters: readonly Variable[];
  gradients: readonly Variable[];
  first: readonly Variable[];
  second: readonly Variable[];
  decay: boolean;
}

export interface Moments {
  /** Running mean of the gradient. */
  first: VariableSet;
  /** Running mean of its square. */
  second: VariableSet;
}

export class AdamW {
  /** Where the engine keeps its variables in this process's memory; elsewhere its programs do the same. */
  readonly #kernel: AdamWKernel | undefined;
  readonly #arrays: readonly [Float32Array, Float32Array, Float32Array, Float32Array] | undefined;
  /** Elements that have weight decay: the first so many. */
  readonly #decayedElements: number;
  readonly #groups: readonly Group[] = [];
  /** By the sizes of the pieces, and whether there is decay. */
  readonly #programs = new Map<string, Promise<Program>>();

  /**
   * @param decayed the first so many parameters have weight decay
   * @param gradients of the same sizes as the parameters, filled by the caller before each step
   */
  constructor(
    readonly engine: Engine,
    parameters: VariableSet,
    gradients: VariableSet,
    readonly moments: Moments,
    decayed: number,
    readonly weightDecay: number,
  ) {
    const { first, second } = moments;
    const [p, g, m, v] = [parameters, gradients, first, second].map(({ memory }) => memory);
    this.#decayedElements = parameters.variables.slice(0, decayed).reduce((sum, { size }) => sum + size, 0);
    if (p !== undefined && g !== undefined && m !== undefined && v !== undefined) {
      this.#arrays = [p, g, m, v];
      this.#kernel = new AdamWKernel();
      return;
    }
    const groups = (start: number, end: number, decay: boolean): Group[] => {
      const [all, ...others] = [parameters, gradients, first, second].map((set) =>
        pieceGroups(engine, set, start, end),
      );
      return all!.map((parameters, i) => {
        const [gradients, first, second] = others.map((groups) => groups[i]!);
        return { parameters, gradients: gradients!, first: first!, second: second!, decay };
      });
    };
    this.#groups = [...groups(0, decayed, true), ...groups(decayed, parameters.variables.length, false)];
  }

  /**
   * One update of every parameter, in place.
   * @param step from 1
   * @param gradientScale what the gradient is multiplied by first (clipping)
   * @returns milliseconds spent neither in JavaScript nor in the engine's programs, but in the kernel
   */
  async step(step: number, learningRate: number, gradientScale: number): Promise<number> {
    // Whatever is the same for every element is worked out here.
    const scalars: UpdateScalars = {
      beta1,
      firstShare: (1 - beta1) * gradientScale,
      beta2,
      secondShare: (1 - beta2) * gradientScale ** 2,
      correction: 1 / Math.sqrt(1 - beta2 ** step),
      epsilon,
      rate: learningRate / (1 - beta1 ** step),
    };
    const kept = 1 - learningRate * this.weightDecay;
    if (this.#kernel !== undefined && this.#arrays !== undefined) {
      const started = performance.now();
      this.#kernel.update(this.#arrays, 0, this.#decayedElements, scalars, kept);
      this.#kernel.update(this.#arrays, this.#decayedElements, this.#arrays[0].length, scalars, 1);
      return performance.now() - started;
    }
    const { firstShare, secondShare, correction, rate } = scalars;
    const fed = [firstShare, secondShare, rate, correction].map((value) => Float32Array.of(value));
    for (const { parameters, gradients, first, second, decay } of this.#groups) {
      const program = await this.#program(parameters, decay);
      const feeds = [...parameters, ...gradients, ...first, ...second, ...fed];
      await program.run(decay ? [...feeds, Float32Array.of(kept)] : feeds, [
        ...parameters,
        ...first,
        ...second,
      ]);
    }
    return 0;
  }

  #program(pieces: readonly Variable[], decay: boolean): Promise<Program> {
    const key = `${groupKey(pieces)}/${decay}`;
    let program = this.#programs.get(key);
    if (program === undefined) {
      const arrays = pieces.map(({ size }): ArraySpec => ({ shape: [size], dtype: 'float32' }));
      const scalars = Array.from(
        { length: decay ? 5 : 4 },
        (): ArraySpec => ({ shape: [], dtype: 'float32' }),
      );
      const inputs = [...arrays, ...arrays, ...arrays, ...arrays, ...scalars];
      program = this.engine.compile((tensors) => updateAll(tensors, pieces.length), inputs, {
        name: 'adamw',
      });
      this.#programs.set(key, program);
    }
    return program;
  }

  async dispose(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).dispose();
  }
}

/** @returns parameters, first and second moments of `count` pieces */
function updateAll(inputs: readonly tf.Tensor[], count: number): tf.Tensor[] {
  const scalars = inputs.slice(4 * count);
  const updated = Array.from({ length: count }, (_, i) =>
    update(
      [0, 1, 2, 3].map((array) => inputs[array * count + i]!),
      scalars,
    ),
  );
  return [0, 1, 2].flatMap((array) => updated.map((piece) => piece[array]!));
}

/** What adamw.wat computes, as a tensor program. */
function update(arrays: readonly tf.Tensor[], scalars: readonly tf.Tensor[]): tf.Tensor[] {
  type T = tf.Tensor;
  const [parameter, gradient, first, second] = arrays as [T, T, T, T];
  const [firstShare, secondShare, rate, correction, kept] = scalars as [T, T, T, T, T?];
  const m = tf.add(tf.mul(first, beta1), tf.mul(gradient, firstShare));
  const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), secondShare));
  const change = tf.div(m, tf.add(tf.mul(tf.sqrt(v), correction), epsilon));
  const decayed = kept === undefined ? parameter : tf.mul(parameter, kept);
  return [tf.sub(decayed, tf.mul(change, rate)), m, v];
}
