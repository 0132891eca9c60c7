/** The largest array that a device holds is found out in a process of its own, since one that is too large may end it. */
import { fork } from 'node:child_process';
import { endOf } from '../../program/own-process.js';
import type { DeviceName } from '../engine.js';

/** What every WebGPU binds at once; most devices do more, which ONNX Runtime does not tell. */
export const boundBytes = 128 * 2 ** 20;
export const smallestTriedBytes = 2 * boundBytes;
/** Larger ones were slow where they worked. */
export const largestTriedBytes = 2 ** 30;

/** Of a trial that goes on for so long, what it has found by then is taken. */
const longestMs = 60_000;
const trials = new Map<DeviceName, Promise<number>>();

/** Bytes. A trial that fails is no error: arrays stay as small as everyone holds them. */
export function largestArray(device: DeviceName): Promise<number> {
  const trial = trials.get(device) ?? tried(device);
  trials.set(device, trial);
  return trial;
}

async function tried(device: DeviceName): Promise<number> {
  const child = fork(new URL('./array-trial-process.js', import.meta.url), [device], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    timeout: longestMs,
    killSignal: 'SIGKILL',
  });
  const { last } = await endOf<number>(child);
  return last ?? boundBytes;
}
