/** Weights that lie on a device once for all programs, found by their arrays. */
import { DeviceHalves } from './device-halves.js';
import { type DeviceMemory, DeviceVariable } from './device-variables.js';

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
