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

/** A signal is heard between two turns of the event loop: work of so many milliseconds may go by without one. */
const longestTurnMs = 50;
/** Between two looks at the clock. */
const callsPerLook = 256;

/**
 * For loops that never wait for anything but what is there already. Call what it gives once a round, and await what that gives
 * where it gives something.
 */
export function turns(): () => Promise<void> | undefined {
  let calls = 0;
  let begunMs = performance.now();
  return () => {
    if (++calls % callsPerLook !== 0 || performance.now() - begunMs < longestTurnMs) return undefined;
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        begunMs = performance.now();
        try {
          resolve(assertGoesOn());
        } catch (error) {
          reject(error);
        }
      });
    });
  };
}
