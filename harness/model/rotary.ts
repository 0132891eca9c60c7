/** Rotary positions (Su et al. 2021): what a head's numbers say of a place is the angle by which pairs of them are turned. */
import { refuseBeyondMemory } from '../program/memory.js';
import * as tf from '../tensor/operations.js';

type Tensor = tf.Tensor;

/** The cosines and sines of the angles of every place, a row for each, [positions, K / 2]. */
export interface RotaryTables {
  cos: Float32Array;
  sin: Float32Array;
  positions: number;
  /** K / 2 */
  pairs: number;
}

/**
 * Worked out here, because a place of some thousand times a float32 frequency is an angle known to no more than 1e-4, and the
 * angle that counts is the one that a model was trained with: each step is rounded to float32, as PyTorch rounds it.
 * @param headSize K, even
 * @param theta the base of the frequencies
 * @throws BenchError OUT_OF_MEMORY
 */
export function rotaryTables(positions: number, headSize: number, theta: number): RotaryTables {
  const pairs = headSize / 2;
  const length = positions * pairs;
  refuseBeyondMemory(
    8 * length,
    `The angles of ${positions} positions`,
    'Choose a model of fewer positions.',
  );
  const frequencies = Float32Array.from({ length: pairs }, (_, i) => {
    const power = Math.fround((2 * i) / headSize);
    return 1 / Math.fround(theta ** power);
  });
  const angle = (at: number) => Math.fround(Math.floor(at / pairs) * frequencies[at % pairs]!);
  return {
    cos: Float32Array.from({ length }, (_, at) => Math.cos(angle(at))),
    sin: Float32Array.from({ length }, (_, at) => Math.sin(angle(at))),
    positions,
    pairs,
  };
}

/** @returns what turns the numbers of the first places, [B, H, T, K] of any T */
export function rotation({ cos, sin, positions, pairs }: RotaryTables): (x: Tensor) => Tensor {
  const tables = [cos, sin].map((values) => tf.tensor2d(values, [positions, pairs]));
  return (x) => {
    const size = [...x.shape.slice(0, -1), pairs];
    const tokens = x.shape[2]!;
    const left = tf.slice(x, [0, 0, 0, 0], size);
    const right = tf.slice(x, [0, 0, 0, pairs], size);
    // A slice of all places, so that a program can be written for any T.
    const [c, s] = tables.map((table) =>
      tf.reshape(tf.slice(table, [0, 0], [tokens, pairs]), [1, 1, tokens, pairs]),
    ) as [Tensor, Tensor];
    const turned = [tf.sub(tf.mul(left, c), tf.mul(right, s)), tf.add(tf.mul(right, c), tf.mul(left, s))];
    return tf.concat(turned, 3);
  };
}
