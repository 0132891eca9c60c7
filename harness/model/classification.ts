/** The heads of transformers' `ForSequenceClassification`: they differ in names, activation and pooling. */
import { layerNorm, linear } from '../tensor/layers.js';
import * as tf from '../tensor/operations.js';
import type { ClassificationHead, Parameter } from './encoder.js';

type Tensor = tf.Tensor;

interface DenseHead {
  dimensions: number;
  labels: number;
  /** Names without `.weight` and `.bias`. */
  dense: string;
  out: string;
  activate(x: Tensor): Tensor;
  /** Whether the first layer has a bias; true where absent. */
  denseBias?: boolean;
  /** Behind the activation; none where absent. */
  norm?: { name: string; epsilon: number; hasBias: boolean };
  /** What the first layer takes, [B, D]: what stands for the text in the last layer where absent. */
  pool?: (states: Parameters<ClassificationHead['logits']>[1]) => tf.Tensor2D;
}

/** A dense layer, an activation, perhaps a normalization, and the layer that gives the logits. */
export function denseHead(of: DenseHead): ClassificationHead {
  const { dimensions, labels, dense, out, activate, denseBias = true, norm } = of;
  const { pool = (states) => states.summary(states.hidden.length - 1) } = of;
  const parameters: Parameter[] = [];
  const add = (name: string, shape: readonly number[], decay: boolean) =>
    parameters.push({ name, shape, decay });
  add(`${dense}.weight`, [dimensions, dimensions], true);
  if (denseBias) add(`${dense}.bias`, [dimensions], false);
  if (norm !== undefined) add(`${norm.name}.weight`, [dimensions], false);
  if (norm?.hasBias) add(`${norm.name}.bias`, [dimensions], false);
  add(`${out}.weight`, [labels, dimensions], true);
  add(`${out}.bias`, [labels], false);
  return {
    parameters,
    logits(weights, states) {
      const find = <T extends Tensor>(name: string) =>
        weights[parameters.findIndex((parameter) => parameter.name === name)] as T;
      const project = (x: Tensor, name: string, hasBias: boolean) =>
        linear(x, find(`${name}.weight`), hasBias ? find<tf.Tensor1D>(`${name}.bias`) : undefined);
      let x = activate(project(pool(states), dense, denseBias)); // [B, D]
      if (norm !== undefined) {
        const shift = norm.hasBias ? find<tf.Tensor1D>(`${norm.name}.bias`) : tf.zeros([dimensions]);
        x = layerNorm(x, find(`${norm.name}.weight`), shift as tf.Tensor1D, norm.epsilon);
      }
      return project(x, out, true) as tf.Tensor2D; // [B, labels]
    },
  };
}
