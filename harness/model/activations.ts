/** The activation functions of feed-forward blocks, by the names Hugging Face configurations give them. */
import { gelu, geluTanh } from '../tensor/layers.js';
import * as tf from '../tensor/operations.js';

export const activationNames = [
  'gelu',
  'gelu_python',
  'gelu_new',
  'gelu_fast',
  'gelu_pytorch_tanh',
  'relu',
] as const;
export type ActivationName = (typeof activationNames)[number];

export const activations: Record<ActivationName, (x: tf.Tensor) => tf.Tensor> = {
  gelu,
  gelu_python: gelu,
  // Three ways to write one formula.
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  relu: (x) => tf.relu(x),
};
