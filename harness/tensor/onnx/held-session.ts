/**
 * A session for as long as it runs, and as a buffer lies on the device that it made: ONNX Runtime frees such a buffer by what
 * belongs to the session, and ends the process where that is gone.
 */
import type { InferenceSession } from 'onnxruntime-node';

export class HeldSession {
  #holders = 0;
  #isClosed = false;

  /** @param isLost whether the device is, of which a session may fail to be closed */
  constructor(
    readonly session: InferenceSession,
    readonly isLost: () => boolean,
  ) {}

  /** For one more run, or buffer that lies there. */
  hold(): void {
    this.#holders++;
  }

  /** One of them has ended. */
  letGo(): void {
    this.#holders--;
    if (this.#isClosed && this.#holders === 0) void this.#release();
  }

  /** It is asked for no more runs: released now, or with what holds it last. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#holders === 0) await this.#release();
  }

  async #release(): Promise<void> {
    try {
      await this.session.release();
    } catch (error) {
      // What the device said first is what matters.
      if (!this.isLost()) throw error;
    }
  }
}
