/**
 * A session for as long as a buffer lies on the device that it made: ONNX Runtime frees such a buffer by what belongs to the
 * session, and ends the process where that is gone.
 */
import type { InferenceSession } from 'onnxruntime-node';

export class HeldSession {
  #buffers = 0;
  #isLetGo = false;

  /** @param isLost whether the device is, of which a session may fail to be closed */
  constructor(
    readonly session: InferenceSession,
    readonly isLost: () => boolean,
  ) {}

  /** One more buffer lies there. */
  made(): void {
    this.#buffers++;
  }

  /** One less does. */
  freed(): void {
    this.#buffers--;
    if (this.#isLetGo && this.#buffers === 0) void this.#release();
  }

  /** Runs no more: closed now, or with its last buffer. */
  async letGo(): Promise<void> {
    this.#isLetGo = true;
    if (this.#buffers === 0) await this.#release();
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
