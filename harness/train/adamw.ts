/** AdamW (Loshchilov and Hutter 2019) as PyTorch's torch.optim.AdamW computes it, run on the engine piece by piece. */
import type { Engine, Program, Variable, VariableSet } from '../tensor/engine.js';
import * as tf from '../tensor/operations.js';

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/** The pieces of one group of parameters, with their gradients and moments. */
interface Piece {
  parameter: Variable;
  gradient: Variable;
  first: Variable;
  second: Variable;
  decay: boolean;
}

export interface Moments {
  /** Running mean of the gradient. */
  first: VariableSet;
  /** Running mean of its square. */
  second: VariableSet;
}

export class AdamW {
  readonly #pieces: Piece[];
  /** By size, and whether there is decay. */
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
    const count = parameters.variables.length;
    const group = (first: number, end: number, decay: boolean): Piece[] => {
      const gradient = gradients.pieces(first, end);
      const [mean, square] = [moments.first.pieces(first, end), moments.second.pieces(first, end)];
      return parameters.pieces(first, end).map((parameter, i) => ({
        parameter,
        gradient: gradient[i]!,
        first: mean[i]!,
        second: square[i]!,
        decay,
      }));
    };
    // Without decay there is one group, and pieces need not stop between the two.
    this.#pieces =
      weightDecay === 0
        ? group(0, count, false)
        : [...group(0, decayed, true), ...group(decayed, count, false)];
  }

  /**
   * One update of every parameter, in place.
   * @param step from 1
   * @param gradientScale what the gradient is multiplied by first (clipping)
   */
  async step(step: number, learningRate: number, gradientScale: number): Promise<void> {
    const scalar = (value: number) => Float32Array.of(value);
    // Whatever is the same for every element is worked out here: an operation less is a pass over memory less.
    const firstShare = scalar((1 - beta1) * gradientScale);
    const secondShare = scalar((1 - beta2) * gradientScale ** 2);
    const rate = scalar(learningRate / (1 - beta1 ** step));
    const correction = scalar(1 / Math.sqrt(1 - beta2 ** step));
    const kept = scalar(1 - learningRate * this.weightDecay);
    let next = 0;
    // Pieces do not depend on each other: a thread takes one after another, and none waits for the other in between.
    const worker = async () => {
      for (let piece = this.#pieces[next++]; piece !== undefined; piece = this.#pieces[next++]) {
        const { parameter, gradient, first, second, decay } = piece;
        const program = await this.#program(parameter.size, decay);
        const scalars = [firstShare, secondShare, rate, correction, ...(decay ? [kept] : [])];
        await program.run([parameter, gradient, first, second, ...scalars], [parameter, first, second]);
      }
    };
    await Promise.all(Array.from({ length: this.engine.threads }, worker));
  }

  #program(size: number, decay: boolean): Promise<Program> {
    const key = `${size}/${decay}`;
    let program = this.#programs.get(key);
    if (program === undefined) {
      const array = { shape: [size], dtype: 'float32' } as const;
      const scalar = { shape: [], dtype: 'float32' } as const;
      const inputs = [array, array, array, array, scalar, scalar, scalar, scalar];
      const options = { name: 'adamw', sideBySide: true };
      program = this.engine.compile(update, decay ? [...inputs, scalar] : inputs, options);
      this.#programs.set(key, program);
    }
    return program;
  }

  async dispose(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).dispose();
  }
}

function update(inputs: tf.Tensor[]): tf.Tensor[] {
  type T = tf.Tensor;
  const [parameter, gradient, first, second] = inputs as [T, T, T, T];
  const [firstShare, secondShare, rate, correction, kept] = inputs.slice(4) as [T, T, T, T, T?];
  const m = tf.add(tf.mul(first, beta1), tf.mul(gradient, firstShare));
  const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), secondShare));
  const change = tf.div(m, tf.add(tf.mul(tf.sqrt(v), correction), epsilon));
  const decayed = kept === undefined ? parameter : tf.mul(parameter, kept);
  return [tf.sub(decayed, tf.mul(change, rate)), m, v];
}
