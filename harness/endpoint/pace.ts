/** A limit of requests per minute: each waits until its turn, counted from the one before. */
import { setTimeout as sleep } from 'node:timers/promises';

export class Pace {
  readonly #gapMs: number;
  /** When the next may go. */
  #nextMs = 0;

  /** @param perMinute null sets no limit */
  constructor(perMinute: number | null) {
    this.#gapMs = perMinute === null ? 0 : 60_000 / perMinute;
  }

  /** @param signal ends the waiting early */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#gapMs === 0) return;
    const nowMs = performance.now();
    const atMs = Math.max(nowMs, this.#nextMs);
    this.#nextMs = atMs + this.#gapMs;
    if (atMs > nowMs) await sleep(atMs - nowMs, undefined, { signal }).catch(() => undefined);
  }
}
