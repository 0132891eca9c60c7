/**
 * A tfjs backend that computes nothing: every kernel call appends to a graph and gives back a tensor of known shape
 * and type. Running a program once under it, on placeholders, records the program, tfjs's own gradients included.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type ArraySpec, type DataType, type NumericArray, sizeOf } from '../engine.js';
import { Graph, type OnnxType, type Value } from './graph.js';

export const recorderBackend = 'strata-recorder';

class RecorderBackend extends tf.KernelBackend {
  graph = new Graph();
  #values = new WeakMap<object, Value>();

  start(): void {
    this.graph = new Graph();
    this.#values = new WeakMap();
  }

  /** A tensor that stands for a value. */
  hold(value: Value): tf.TensorInfo {
    const dataId = {};
    this.#values.set(dataId, value);
    return { dataId, shape: [...value.shape], dtype: value.dtype as DataType };
  }

  valueFor(tensor: tf.TensorInfo): Value {
    const value = this.#values.get(tensor.dataId);
    if (value === undefined) {
      throw new Error('A tensor made outside a program was used inside it: pass it as an input instead.');
    }
    return value;
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values, shape, dtype);
    return dataId;
  }

  override move(dataId: object, values: tf.BackendValues, shape: number[], dtype: tf.DataType): void {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool')
      throw new Error(`A program cannot hold ${dtype} values.`);
    this.#values.set(dataId, this.graph.constant((values as NumericArray).slice(), [...shape], dtype));
  }

  override readSync(dataId: object): tf.BackendValues {
    const value = this.#values.get(dataId);
    if (value?.constant !== undefined) return value.constant as NumericArray;
    throw new Error(
      `The value of a tensor ${value?.name ?? ''} [${value?.shape}] was read while a program was being recorded. ` +
        'A program that is compiled cannot branch on data: use where, gather or a mask.',
    );
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }

  override disposeData(): boolean {
    return true;
  }
  override incRef(): void {}
  override numDataIds(): number {
    return 0;
  }
}

/** The one recorder: tfjs keeps backends in a global registry, and a recording never pauses for another. */
export const recorder = new RecorderBackend();
tf.registerBackend(recorderBackend, () => recorder);

export interface Recording {
  graph: Graph;
  outputs: Value[];
}

/**
 * Records `build` on placeholders.
 * @param fixed input index -> values baked into the graph in place of a placeholder
 * @param flat whether inputs and outputs of floats are [size] in the graph, so that one variable serves inputs of several shapes
 */
export function record(
  build: (inputs: tf.Tensor[]) => readonly tf.Tensor[],
  inputs: readonly ArraySpec[],
  fixed: ReadonlyMap<number, NumericArray>,
  flat = false,
): Recording {
  const before = tf.getBackend() as string | undefined;
  void tf.setBackend(recorderBackend);
  recorder.start();
  const { graph } = recorder;
  const isFlat = (dtype: OnnxType) => flat && dtype === 'float32';
  const reshaped = (value: Value, shape: readonly number[]) =>
    graph.node('Reshape', [value, graph.integers(shape)], shape, value.dtype, { allowzero: 1 });
  const given = (shape: readonly number[], dtype: DataType) =>
    isFlat(dtype) ? reshaped(graph.input([sizeOf(shape)], dtype), shape) : graph.input(shape, dtype);
  tf.engine().startScope();
  try {
    const placeholders = inputs.map(({ shape, dtype }, i) => {
      const values = fixed.get(i);
      const value = values === undefined ? given(shape, dtype) : graph.constant(values, shape, dtype);
      const { dataId } = recorder.hold(value);
      return tf.engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype }, recorder);
    });
    const outputs = build(placeholders).map((tensor) => {
      const value = recorder.valueFor(tensor);
      if (isFlat(value.dtype)) return reshaped(value, [sizeOf(value.shape)]);
      // An output that is an input or a constant has no node to come from.
      return value.node === undefined ? graph.node('Identity', [value], value.shape, value.dtype) : value;
    });
    return { graph, outputs };
  } finally {
    tf.engine().endScope();
    recorder.start();
    if (before !== undefined) void tf.setBackend(before);
  }
}
