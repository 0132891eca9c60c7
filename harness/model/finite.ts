/** Weights are numbers: a checkpoint that holds something else gives vectors that are none, or none at all. */
import { BenchError } from '../errors.js';

/** What is wrong with a tensor; undefined where all its numbers are finite. */
export function notFinite(name: string, values: Float32Array): string | undefined {
  const at = values.findIndex((value) => !Number.isFinite(value));
  return at < 0 ? undefined : `${name} holds ${values[at]} at element ${at}; expected finite numbers`;
}

/** @throws BenchError CHECKPOINT_INVALID naming the tensor @returns the values */
export function finite(file: string, name: string, values: Float32Array): Float32Array {
  const fault = notFinite(name, values);
  if (fault === undefined) return values;
  throw new BenchError('CHECKPOINT_INVALID', `${file}: ${fault}.`, {
    hint: 'It was damaged, or written by a training that went wrong: fetch or train it again.',
  });
}
