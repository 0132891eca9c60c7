/** What the kernels are written with. */
import * as tf from '@tensorflow/tfjs-core';
import type { DataType } from '../engine.js';
import type { Attribute, Value } from './graph.js';
import { elementType } from './model-file.js';
import { recorder, recorderBackend } from './recorder.js';

type Inputs = Record<string, Value>;
export type Attributes = Record<string, unknown>;
type Writer = (inputs: Inputs, attributes: Attributes) => Value | readonly Value[];

/** Registers a kernel: tensors come in as values and go out as tensors. */
export function kernel(kernelName: string, write: Writer): void {
  tf.registerKernel({
    kernelName,
    backendName: recorderBackend,
    kernelFunc: ({ inputs, attrs }) => {
      const values: Inputs = {};
      for (const [name, tensor] of Object.entries(inputs)) {
        // What may be left out is null in some kernels, and undefined in others.
        if (tensor) values[name] = recorder.valueFor(tensor as tf.TensorInfo);
      }
      const written = write(values, (attrs ?? {}) as Attributes);
      return Array.isArray(written) ? written.map((v) => recorder.hold(v)) : recorder.hold(written as Value);
    },
  });
}

/** The graph that is being recorded. */
export const graph = () => recorder.graph;

export function node(
  op: string,
  inputs: readonly (Value | undefined)[],
  shape: readonly number[],
  dtype: Value['dtype'],
  attributes: Record<string, Attribute> = {},
  domain = '',
): Value {
  return graph().node(op, inputs, shape, dtype, attributes, domain);
}

export const cast = (x: Value, dtype: Value['dtype']): Value => {
  if (x.dtype === dtype) return x;
  return node('Cast', [x], x.shape, dtype, { to: elementType[dtype] });
};
export const reshape = (x: Value, shape: readonly number[]): Value =>
  node('Reshape', [x, graph().integers(shape)], shape, x.dtype, { allowzero: 1 });
export const broadcast = (a: Value, b: Value) =>
  tf.broadcast_util.assertAndGetBroadcastShape([...a.shape], [...b.shape]);

/** A tensor of one value. */
export const filled = (shape: readonly number[], value: number, dtype: DataType): Value =>
  shape.length === 0
    ? graph().scalar(value, dtype)
    : node('Expand', [graph().scalar(value, dtype), graph().integers(shape)], shape, dtype);
