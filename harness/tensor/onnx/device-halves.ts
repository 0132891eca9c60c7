/** Weights that lie on a device as float16 numbers, in half the room. */
import type { Tensor as OrtTensor } from 'onnxruntime-node';
import type { DeviceMemory } from './device-variables.js';
import { assertHalves } from './half-weights.js';

export class DeviceHalves {
  #there: OrtTensor | undefined;
  /** Programs that begin together wait for one upload. */
  #sending: Promise<OrtTensor> | undefined;

  /** @param values float32 numbers, which never change @throws BenchError CONFIG_INVALID where float16 does not hold one */
  constructor(
    readonly memory: DeviceMemory,
    readonly values: Float32Array,
  ) {
    assertHalves(values);
  }

  /** On the device, [size]. */
  async tensor(): Promise<OrtTensor> {
    this.#sending ??= this.#send();
    return this.#sending;
  }

  async #send(): Promise<OrtTensor> {
    this.#there = await this.memory.halves(this.values);
    this.memory.counts.buffers++;
    this.memory.counts.heldBytes += this.#bytes;
    return this.#there;
  }

  free(): void {
    this.#sending = undefined;
    if (this.#there === undefined) return;
    this.#there.dispose();
    this.#there = undefined;
    this.memory.counts.buffers--;
    this.memory.counts.heldBytes -= this.#bytes;
  }

  get #bytes(): number {
    return 2 * this.values.length;
  }
}
