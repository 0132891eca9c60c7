/**
 * What a program makes of words of flags (flag-words.ts). WebGPU has no operators on bits: division makes three numbers of
 * 10 bits of a word, and each is the row of a table in which its flags stand.
 */
import { flagsPerWord } from './flag-words.js';
import * as tf from './operations.js';

const flagsPerNumber = 10;
const numbers = 2 ** flagsPerNumber;

/**
 * The table of which `unpackFlags` takes rows: one serves all words of a program.
 * @param value what stands for a flag of 1; 0 stands for one of 0
 * @returns [1024, 10] float32
 */
export function flagTable(value: number): tf.Tensor2D {
  const table = new Float32Array(numbers * flagsPerNumber);
  for (let number = 0; number < numbers; number++)
    for (let bit = 0; bit < flagsPerNumber; bit++)
      if ((number >> bit) & 1) table[number * flagsPerNumber + bit] = value;
  return tf.tensor2d(table, [numbers, flagsPerNumber]);
}

/**
 * @param words [R, W] int32, W as `wordsFor` gives it: each row is padded to whole words
 * @param flags of a row
 * @returns [R, flags] float32
 */
export function unpackFlags(words: tf.Tensor2D, flags: number, table: tf.Tensor2D): tf.Tensor2D {
  const [rows, width] = words.shape;
  const base = tf.scalar(numbers, 'int32');
  const places = tf.tensor1d([1, numbers, numbers ** 2], 'int32');
  const shifted = quotient(tf.reshape(words, [rows * width, 1]), places); // [R * W, 3]
  const parts = tf.sub(shifted, tf.mul(quotient(shifted, base), base));
  // Of rank 1, the look-up has the fewest divisions to find a place by.
  const found = tf.gather(table, tf.reshape(parts, [rows * width * 3])); // [R * W * 3, 10]
  const padded: tf.Tensor2D = tf.reshape(found, [rows, width * flagsPerWord]);
  return padded.shape[1] === flags ? padded : tf.slice(padded, [0, 0], [rows, flags]);
}

/** Of integers that are not negative: tfjs's own rounds down, which takes a device a dozen operators. */
const quotient = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.engine().runKernel('Quotient', { a, b });
