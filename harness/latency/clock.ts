/** The clock that load is measured by; a test has one of its own, whose time passes only as it is told. */
import { setImmediate, setTimeout } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds from whenever it began. */
  now(): number;
  /** Waits until then; at once where that is past, and on an abort. */
  until(ms: number, signal?: AbortSignal): Promise<void>;
  /** Lets the process see to what came meanwhile, Ctrl-C for one. */
  breathe(): Promise<void>;
}

/** A timer comes up to so much too late; the rest of a wait is spent looking at the clock. */
const timerMs = 2;

export const processClock: Clock = {
  now: () => performance.now(),
  async until(ms, signal) {
    for (let left = ms - performance.now(); left > 0; left = ms - performance.now()) {
      if (signal?.aborted === true) return;
      if (left > timerMs) await setTimeout(left - timerMs, undefined, { signal }).catch(() => undefined);
      else await setImmediate();
    }
  },
  breathe: () => setImmediate(),
};
