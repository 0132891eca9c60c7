/** A limit of requests per minute: each waits until its turn, counted from the one before. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Of this process. */
const paces = new Map<string, Pace>();

export class Pace {
  readonly #gapMs: number;
  /** When the next may go. */
  #nextMs = 0;

  /** For all who ask a server together. @param perMinute null sets no limit */
  static of(url: URL, perMinute: number | null): Pace {
    const key = `${url.href} ${perMinute}`;
    const pace = paces.get(key) ?? new Pace(perMinute);
    paces.set(key, pace);
    return pace;
  }

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
