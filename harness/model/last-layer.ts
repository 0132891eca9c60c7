/** States whose last layer waits until it is known what is wanted of it: for the first token alone it is a fraction of the work. */
import type { EncoderStates } from '../contracts.js';
import * as tf from '../tensor/operations.js';
import type { Dropouts } from './attention.js';

/**
 * @param embedded what the first layer takes, [B, T, D]
 * @param dropouts of its layers; the last one, which may be computed twice, has the same masks again
 * @param block layer l of what the one before gave, for so many of the first tokens, [B, positions, D]
 */
export function firstTokenStates(
  embedded: tf.Tensor3D,
  layers: number,
  mask: tf.Tensor2D,
  dropouts: Dropouts,
  block: (l: number, h: tf.Tensor3D, positions: number, masks: Dropouts) => tf.Tensor3D,
): EncoderStates {
  const tokens = mask.shape[1];
  // The last layer is added when somebody looks.
  const hidden = [embedded];
  for (let l = 0; l < layers - 1; l++) hidden.push(block(l, hidden[l]!, tokens, dropouts));
  const last = (positions: number) => block(layers - 1, hidden[layers - 1]!, positions, dropouts.fork());
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
