/** Weights that lie on a device once for all programs, found by their arrays; those of float16 take half the room. */
import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { type DeviceMemory, DeviceVariable } from './device-variables.js';
import { assertHalves } from './half-weights.js';

export class DeviceResidents {
  readonly #variables = new Map<Float32Array, DeviceVariable>();
  readonly #halves = new Map<Float32Array, DeviceHalves>();

  constructor(readonly memory: DeviceMemory) {}

  variable(values: Float32Array): DeviceVariable {
    const variable = this.#variables.get(values) ?? new DeviceVariable(this.memory, values.length, values);
    this.#variables.set(values, variable);
    return variable;
  }

  /** As float16 numbers. @throws BenchError CONFIG_INVALID where float16 does not hold one */
  halves(values: Float32Array): DeviceHalves {
    const halves = this.#halves.get(values) ?? new DeviceHalves(this.memory, values);
    this.#halves.set(values, halves);
    return halves;
  }

  release(values: readonly Float32Array[]): void {
    for (const places of [this.#variables, this.#halves])
      for (const each of values) {
        places.get(each)?.free();
        places.delete(each);
      }
  }

  dispose(): void {
    this.release([...this.#variables.keys(), ...this.#halves.keys()]);
  }
}

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
