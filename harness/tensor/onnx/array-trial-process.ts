/**
 * The process in which larger and larger arrays are tried on a device: one that is too large may end it. Started by
 * device-trial.ts with the device's name as its argument; tells the bytes of each that is held by a message.
 */
import type { DeviceName, Engine } from '../engine.js';
import * as tf from '../operations.js';
import { largestTriedBytes, smallestTriedBytes } from './device-trial.js';
import { openOnnx } from './engine.js';

/** Numbers in a row of an array, which are all the row's own number. */
const width = 1024;
/** Of so many rows the last number of the last is looked at. */
const apart = 64;

/** Whether what is written there is read again: where only a part is bound, the rest is another part's, or zeros. */
async function isHeld(engine: Engine, bytes: number): Promise<boolean> {
  const size = bytes / 4;
  const rows = size / width;
  const write = await engine.compile(
    ([column]) => [tf.tile(column!, [1, width])],
    [{ shape: [rows, 1], dtype: 'float32' }],
  );
  const places = Int32Array.from({ length: rows / apart }, (_, i) => (i + 1) * apart * width - 1);
  const read = await engine.compile(
    ([array, at]) => [tf.gather(array!, at as tf.Tensor1D)],
    [
      { shape: [size], dtype: 'float32' },
      { shape: [places.length], dtype: 'int32' },
    ],
  );
  const array = engine.variables([size]);
  await write.run([Float32Array.from({ length: rows }, (_, i) => i)], array.variables);
  const [found] = await read.run([array.variables[0]!, places]);
  array.dispose();
  await write.dispose();
  await read.dispose();
  return found!.every((row, i) => row === (i + 1) * apart - 1);
}

// Nobody is left to try it for.
process.on('disconnect', () => process.exit(1));
const [device] = process.argv.slice(2) as [DeviceName?];
if (device !== undefined) {
  const engine = await openOnnx(1, device);
  for (let bytes = smallestTriedBytes; bytes <= largestTriedBytes; bytes *= 2) {
    if (!(await isHeld(engine, bytes))) break;
    await new Promise((sent) => process.send!(bytes, sent));
  }
  process.exit(0);
}
