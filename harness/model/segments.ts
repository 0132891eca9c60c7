/** The segments of BERT and its kin: which of two texts a token is of. */
import { lookUpFew } from '../tensor/look-up.js';
import * as tf from '../tensor/operations.js';
import { bertTables } from './bert-fields.js';
import type { EncoderInput } from './encoder.js';
import type { WeightOf } from './post-norm.js';

/** What is added to the words: [1, D] where all are of the first, else [B, T, D]. */
export function segmentVectors(weight: WeightOf, { types }: EncoderInput, dimensions: number): tf.Tensor {
  const table = weight<tf.Tensor2D>(`${bertTables.types}.weight`);
  return types === undefined ? tf.slice(table, [0, 0], [1, dimensions]) : lookUpFew(table, types);
}
