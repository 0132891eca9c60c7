/** What a device's engine holds and sends, which the engine itself does not tell. For tests. */
import assert from 'node:assert/strict';
import type { Engine } from '../harness/tensor/engine.js';
import { type DeviceMemory, DeviceVariable } from '../harness/tensor/onnx/device-variables.js';

/** Of all engines on the device. */
export function memoryOf(engine: Engine): DeviceMemory {
  const [any] = engine.variables([1]).variables;
  assert.ok(any instanceof DeviceVariable);
  return any.memory;
}
