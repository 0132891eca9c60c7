/**
 * The process in which a device computes for the first time: a driver that is broken may end it. Started by device-trial.ts with
 * the device's name and a precision as its arguments; tells what came of it by a message.
 */
import type { DeviceName } from '../engine.js';
import * as tf from '../operations.js';
import { reasonOf } from './device-faults.js';
import type { TrialMessage } from './device-trial.js';
import { openOnnx } from './engine.js';

const size = 64;

/** A product with weights, which the device must get right. */
async function tryDevice(device: DeviceName, precision: string): Promise<TrialMessage> {
  const shape = [size, size];
  const engine = await openOnnx(1, device);
  try {
    const values = Float32Array.from({ length: size * size }, (_, i) => (i % 7) - 3);
    const program = await engine.compile(
      ([a, b]) => [tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, false, true)],
      [
        { shape, dtype: 'float32' },
        { shape, dtype: 'float32' },
      ],
      { fixed: new Map([[1, values]]), precision },
    );
    const [product] = await program.run([values]);
    await program.dispose();
    const wrong = product!.findIndex(
      (value, at) => value !== dotOf(values, Math.floor(at / size), at % size),
    );
    if (wrong < 0) return { works: true };
    return { works: false, why: `it gives ${product![wrong]} for element ${wrong} of a matrix product` };
  } finally {
    await engine.dispose();
  }
}

/** Whole numbers, so that no rounding is allowed for. */
function dotOf(values: Float32Array, row: number, column: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += values[row * size + i]! * values[column * size + i]!;
  return sum;
}

// Nobody is left to try it for.
process.on('disconnect', () => process.exit(1));
const [device, precision] = process.argv.slice(2) as [DeviceName?, string?];
if (device !== undefined) {
  const message = await tryDevice(device, precision!).catch(
    (error: Error): TrialMessage => ({ works: false, why: reasonOf(error) }),
  );
  process.send?.(message, () => process.exit(0));
}
