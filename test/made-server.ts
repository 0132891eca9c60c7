/** Servers of queries whose clock only they move, so that every figure can be worked out. */
import type { Clock, Server } from '../harness/latency/queueing.js';

/** A clock that stands still but where somebody waits or works. */
export class MadeClock implements Clock {
  #now: number;
  breaths = 0;
  constructor(start = 0) {
    this.#now = start;
  }
  now = () => this.#now;
  async until(ms: number): Promise<void> {
    this.#now = Math.max(this.#now, ms);
  }
  async breathe(): Promise<void> {
    this.breaths++;
  }
  work(ms: number): void {
    this.#now += ms;
  }
}

/** A server that takes so long for every call, and once stands still: at the first query that it begins at `at` or later. */
export function madeServer(
  serviceMs: number,
  pause?: { at: number; ms: number },
  maxBatch = 1,
): Server & { clock: MadeClock } {
  const clock = new MadeClock();
  let paused = false;
  return {
    clock,
    maxBatch,
    answer() {
      if (pause !== undefined && !paused && clock.now() >= pause.at) {
        paused = true;
        clock.work(pause.ms);
      }
      clock.work(serviceMs);
    },
  };
}

export const evenly = (count: number, everyMs: number) =>
  Float64Array.from({ length: count }, (_, i) => i * everyMs);
