/** States whose last layer waits until it is known what is wanted of it: for the first token alone it is a fraction of the work. */
import type { EncoderStates } from '../contracts.js';
import * as tf from '../tensor/operations.js';

/**
 * @param hidden all but the last layer; it is added when somebody looks
 * @param last the last layer for so many of the first tokens, [B, positions, D]
 */
export function firstTokenStates(
  hidden: tf.Tensor3D[],
  mask: tf.Tensor2D,
  last: (positions: number) => tf.Tensor3D,
): EncoderStates {
  const layers = hidden.length;
  const tokens = mask.shape[1];
  let whole: tf.Tensor3D | undefined;
  Object.defineProperty(hidden, layers, {
    enumerable: true,
    get() {
      whole ??= last(tokens);
      return whole;
    },
  });
  const summary = (layer: number) =>
    firstToken(layer === layers && whole === undefined ? last(1) : hidden[layer]!);
  return { hidden, mask, summary };
}

/** @param hidden [B, T, D] @returns [B, D] */
function firstToken(hidden: tf.Tensor3D): tf.Tensor2D {
  const [batch, , dimensions] = hidden.shape;
  return tf.reshape(tf.slice(hidden, [0, 0, 0], [batch, 1, dimensions]), [batch, dimensions]);
}
