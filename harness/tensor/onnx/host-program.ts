/** Variables and programs in this process's memory: what is fed lies there, and what comes out does. */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import {
  type Feed,
  type NumericArray,
  type Program,
  sizeOf,
  type Variable,
  type VariableSet,
} from '../engine.js';
import type { BusyClock } from './busy-clock.js';
import type { ConstantArray, Value } from './graph.js';
import type { Ort } from './runtime.js';

export class HostProgram implements Program {
  #disposed = false;
  /** The inputs that are fed, in order; undefined where the program does not need one. */
  readonly inputs: readonly (Value | undefined)[];
  /** By name, what is always fed. */
  readonly #bound: Readonly<Record<string, OrtTensor>>;

  /** @param inputs those that the caller feeds, and what goes to the others */
  constructor(
    readonly ort: Ort,
    readonly session: InferenceSession,
    inputs: { fed: readonly (Value | undefined)[]; bound: ReadonlyMap<Value, ConstantArray> },
    readonly outputs: readonly Value[],
    readonly clock: BusyClock,
  ) {
    this.inputs = inputs.fed;
    this.#bound = Object.fromEntries(
      [...inputs.bound].map(([value, values]) => [value.name, hostTensor(ort, values, value)]),
    );
  }

  async run(feeds: readonly Feed[], into: readonly (Variable | undefined)[] = []) {
    if (this.#disposed) throw new Error('A program was run after it was disposed of.');
    if (feeds.length !== this.inputs.length)
      throw new RangeError(`${feeds.length} feeds for ${this.inputs.length} inputs`);
    const fed: Record<string, OrtTensor> = { ...this.#bound };
    for (const [i, value] of this.inputs.entries())
      if (value !== undefined) fed[value.name] = this.#tensor(feeds[i]!, value);
    const fetched: Record<string, OrtTensor | null> = {};
    for (const [i, value] of this.outputs.entries()) {
      const target = into[i];
      fetched[value.name] = target === undefined ? null : this.#tensor(target, value);
    }
    this.clock.start();
    const results = await this.session
      .run(fed, fetched as InferenceSession.OnnxValueMapType)
      .finally(() => this.clock.stop());
    return this.outputs.map((value, i) =>
      into[i] === undefined ? (results[value.name]!.data as NumericArray) : undefined,
    );
  }

  #tensor(feed: Feed, value: Value): OrtTensor {
    return hostTensor(this.ort, feed instanceof HostVariable ? feed.values : (feed as ConstantArray), value);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.session.release();
  }
}

/** What is fed for an input. @throws RangeError where it is of another size */
export function hostTensor(
  ort: Pick<Ort, 'Tensor'>,
  values: ConstantArray,
  { shape, dtype, name }: Value,
): OrtTensor {
  if (values.length !== sizeOf(shape)) {
    throw new RangeError(`${values.length} values for ${name} of shape [${shape}]`);
  }
  return new ort.Tensor(dtype as 'float32', values as Float32Array, shape);
}

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
