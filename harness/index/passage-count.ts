/** Whether a collection has as many passages as it says. */
import { BenchError } from '../errors.js';

/** @param found how many passages it gives */
export function wrongCount(count: number, found: string): BenchError {
  return new BenchError('DATA_INVALID', `The dataset says it has ${count} passages and gives ${found}.`, {
    hint: 'Its file may have changed since it was opened: run again.',
  });
}
