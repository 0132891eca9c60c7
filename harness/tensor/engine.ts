/**
 * What runs tensor programs. Model and loss code is written once over tfjs operations; an engine compiles it.
 * Arrays are row-major. A `bool` is one byte, 0 or 1.
 */
import type { Tensor } from '@tensorflow/tfjs-core';

export type NumericArray = Float32Array | Int32Array | Uint8Array;
export type DataType = 'float32' | 'int32' | 'bool';

export interface ArraySpec {
  shape: readonly number[];
  dtype: DataType;
}

/** A float32 array that lives where the engine computes, so that weights do not travel at every step. */
export interface Variable {
  /** Number of elements. */
  readonly size: number;
  read(): Promise<Float32Array>;
  write(values: Float32Array): void;
  /** Sends what was written to the device now, not when a program first needs it; does nothing where there is none to send it to. */
  upload(): Promise<void>;
  /** Sets every element to zero. */
  clear(): void;
}

/** Variables made together, so that element-wise programs can run over large pieces of them. */
export interface VariableSet {
  readonly variables: readonly Variable[];
  /** All of them one after another, to be changed in place, where the engine keeps them in this process's memory. */
  readonly memory?: Float32Array;
  /**
   * The variables from `first` up to `end` as pieces of a size this engine likes for element-wise programs.
   * Two sets made from the same sizes give pieces that match.
   */
  pieces(first: number, end: number): readonly Variable[];
  dispose(): void;
}

export type Feed = NumericArray | Variable;

export interface Program {
  /**
   * Runs once.
   * @param feeds one per input, of the input's size
   * @param into for outputs to be kept on the engine: the variable that takes output i (it may be one of the feeds
   *   when each output element depends on no other element of that feed); such outputs come back as undefined
   * @returns one array per output; an output that is not written into a variable is the caller's to keep
   */
  run(
    feeds: readonly Feed[],
    into?: readonly (Variable | undefined)[],
  ): Promise<(NumericArray | undefined)[]>;
  dispose(): Promise<void>;
}

export interface CompileOptions {
  /** Input index -> values that never change: baked in where the engine gains from it, else resident; no longer fed. */
  fixed?: ReadonlyMap<number, NumericArray>;
  /** What is multiplied with fixed or trained inputs, as far as the engine has it: see `assertPrecision`. float32 where absent. */
  precision?: string;
  /** Of a program that trains in another precision: inputs that are weights, each with the output that is its gradient, if there is one. */
  trained?: ReadonlyMap<number, number | undefined>;
  /** Fixed inputs whose products go beyond float16: see `Parameter.overflowsHalf`. */
  overflowing?: ReadonlySet<number>;
  /** Shown in errors and profiles. */
  name?: string;
}

export interface Engine {
  readonly name: EngineName;
  /** What a latency was measured on. */
  readonly device: DeviceName;
  readonly threads: number;
  /** Bytes that one array may have for certain on a device whose memory holds the variables; absent where this process's memory does. */
  readonly largestArrayBytes?: number;
  /** The most that it may have, at least `largestArrayBytes`: tried when it is first asked for, some seconds. Absent where that is all. */
  tryLargestArray?(): Promise<number>;
  /**
   * Whether such a device has integers of 64 bits: what `tf.topk` and `tf.argMax` find is counted with them, and without them it
   * can be an output of a program, but nothing there can go by it. Absent where this process's memory holds the variables.
   */
  readonly hasInt64?: boolean;
  /** Milliseconds spent inside programs since the engine was opened: what is left of a step is JavaScript. */
  readonly busyMs: number;
  /** Library versions, for the run record. */
  readonly versions: Readonly<Record<string, string>>;
  /**
   * Makes a program of `build`, a pure function over tfjs tensors that does not read their values.
   * @param inputs the spec of each input; `build` gets one tensor for each, fixed ones included
   */
  compile(
    build: (inputs: Tensor[]) => readonly Tensor[],
    inputs: readonly ArraySpec[],
    options?: CompileOptions,
  ): Promise<Program>;
  /** Float32 variables of these sizes, all zero. */
  variables(sizes: readonly number[]): VariableSet;
  /**
   * The variable that holds these values: made when they are first asked for, and the same one from then on, so that all
   * that computes with a weight shares it. Neither the array nor the variable is written to.
   */
  resident(values: Float32Array): Variable;
  /** Frees what `resident` made of these arrays. Programs that were given it cannot run any more. */
  release(values: readonly Float32Array[]): void;
  /** Frees what is resident. */
  dispose(): Promise<void>;
}

/** The most threads of the engine `onnx`: up to here a program's bits are the same at any number (onnx/product-order.ts). */
export const mostThreads = 32;

/** What computes: the processor, or a GPU by one of two ways. */
export type DeviceName = 'cpu' | 'webgpu' | 'cuda';
export const deviceNames: readonly DeviceName[] = ['cpu', 'webgpu', 'cuda'];

export type EngineName = 'onnx' | 'tensorflow' | 'tfjs-cpu';
export const engineNames: readonly EngineName[] = ['onnx', 'tensorflow', 'tfjs-cpu'];

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
