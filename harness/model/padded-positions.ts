/** Positions that are counted over tokens and leave padding out, as RoBERTa and MPNet count them. */
import { lookUpFew } from '../tensor/look-up.js';
import * as tf from '../tensor/operations.js';

/**
 * The embedding of each token's position: the first token that is no padding has the row behind padding's own, and so on; every
 * padding token has padding's row, which is not trained (PyTorch's `padding_idx`). Padding counts by its id, not by the mask,
 * for a text may hold it.
 * @param table [positions, D]
 * @param ids [B, T]
 * @returns [B, T, D]
 */
export function paddedPositions(table: tf.Tensor, ids: tf.Tensor2D, paddingId: number): tf.Tensor3D {
  const [batch, tokens] = ids.shape;
  const dimensions = table.shape[1]!;
  const counts = tf.sub(1, tf.cast(tf.equal(ids, tf.scalar(paddingId, 'int32')), 'float32')) as tf.Tensor2D; // [B, T]
  const places = tf.range(0, tokens, 1, 'int32');
  const before = tf.cast(tf.lessEqual(tf.expandDims(places, 1), tf.expandDims(places, 0)), 'float32'); // [T, T]
  const numbers = tf.matMul(counts, before as tf.Tensor2D); // [B, T], from 1
  const positions = tf.cast(tf.add(tf.mul(numbers, counts), paddingId), 'int32');
  const rows = tf.slice(table, [0, 0], [tokens + paddingId + 1, dimensions]);
  const found = lookUpFew(rows, tf.reshape(positions, [1, batch * tokens]) as tf.Tensor2D, paddingId);
  return tf.reshape(found, [batch, tokens, dimensions]);
}
