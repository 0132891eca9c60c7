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

/** Of the dense layers behind an encoder. */
export const denseActivations = {
  identity: (x: tf.Tensor): tf.Tensor => x,
  tanh: (x: tf.Tensor): tf.Tensor => tf.tanh(x),
  sigmoid: (x: tf.Tensor): tf.Tensor => tf.sigmoid(x),
  relu: activations.relu,
  gelu,
} as const;
export type DenseActivation = keyof typeof denseActivations;
