/** T5's relative positions. */
import * as tf from '../tensor/operations.js';

/**
 * The bucket of every pair of positions (Raffel et al. 2020, section 2.1; bidirectional): half of the buckets for
 * keys after the query, and in each half one bucket per distance at first, then ever wider ones up to `maxDistance`.
 * Worked out by tensor operations from T, so that a program can be written for any T.
 * @returns [T, T] int32, a row for each query
 */
export function relativeBuckets(tokens: number, buckets: number, maxDistance: number): tf.Tensor2D {
  const half = Math.floor(buckets / 2);
  const places = tf.range(0, tokens, 1, 'int32'); // [T]
  const ahead = tf.sub(tf.expandDims(places, 0), tf.expandDims(places, 1)); // [T, T], key - query
  const distance = tf.minimum(tf.abs(ahead), tf.scalar(maxDistance, 'int32'));
  const near = tf.gather(tf.tensor1d(distanceBuckets(half, maxDistance), 'int32'), distance);
  const isAfter = tf.cast(tf.greater(ahead, tf.scalar(0, 'int32')), 'int32');
  return tf.add(near, tf.mul(isAfter, tf.scalar(half, 'int32'))) as tf.Tensor2D;
}

/** The bucket of each distance within one half; all beyond `maxDistance` share that one's. @returns [maxDistance + 1] */
function distanceBuckets(half: number, maxDistance: number): Int32Array {
  const exact = Math.floor(half / 2);
  return Int32Array.from({ length: maxDistance + 1 }, (_, distance) => {
    if (distance < exact) return distance;
    const share = Math.log(distance / exact) / Math.log(maxDistance / exact);
    return Math.min(half - 1, exact + Math.trunc(share * (half - exact)));
  });
}
