/** Whether this process has been asked to stop. One answer for all of it: whoever is in the middle of a large file need not be told whom to ask. */
import { BenchError } from './errors.js';

const controller = new AbortController();

/** Aborted once by `interrupt`, for what can be waited for no longer. */
export const interruption: AbortSignal = controller.signal;

export function interrupt(): void {
  controller.abort();
}

/**
 * Call it between two pieces of a file, where stopping loses nothing.
 * @param signal another one than that of the process, where a job has its own
 * @throws BenchError INTERRUPTED
 */
export function assertGoesOn(signal: AbortSignal = interruption): void {
  if (!signal.aborted) return;
  throw new BenchError('INTERRUPTED', 'Stopped as asked; what was finished is kept.', {
    hint: 'The same command goes on from there.',
  });
}
