/** What a device can do is tried once in processes of their own: a driver that breaks, or an array that is too large, may end them. */
import { type ChildProcess, fork } from 'node:child_process';
import { endOf } from '../../program/own-process.js';
import type { DeviceName } from '../engine.js';
import { usualPrecision } from './precision.js';

/** A driver that hangs is as good as none; of arrays, what was found by then is taken. */
const longestMs = 60_000;

/** @param stderr `pipe` where what the process says is told */
const trial = (module: string, argv: readonly string[], stderr: 'pipe' | 'ignore'): ChildProcess =>
  fork(new URL(module, import.meta.url), argv, {
    stdio: ['ignore', 'ignore', stderr, 'ipc'],
    timeout: longestMs,
    killSignal: 'SIGKILL',
  });

export type TrialMessage = { works: true } | { works: false; why: string };

const trials = new Map<string, Promise<TrialMessage>>();

/**
 * Whether a device works, so that a driver that breaks is a message and no dead run.
 * @param device not the processor, which needs no trial
 * @param precision of a product with weights
 */
export function deviceTrial(device: DeviceName, precision: string = usualPrecision): Promise<TrialMessage> {
  const key = `${device} ${precision}`;
  const found = trials.get(key) ?? triedDevice(device, precision);
  trials.set(key, found);
  return found;
}

async function triedDevice(device: DeviceName, precision: string): Promise<TrialMessage> {
  const child = trial('./device-trial-process.js', [device, precision], 'pipe');
  const { last, ended, words } = await endOf<TrialMessage>(child);
  return last ?? { works: false, why: `it ends the process that tries it (${ended}, ${words})` };
}

/** What every WebGPU binds at once; most devices do more, which ONNX Runtime does not tell. */
export const boundBytes = 128 * 2 ** 20;
export const smallestTriedBytes = 2 * boundBytes;
/** Larger ones were slow where they worked. */
export const largestTriedBytes = 2 ** 30;

const arrays = new Map<DeviceName, Promise<number>>();

/** Bytes of the largest array that a device holds. A trial that fails is no error: arrays stay as small as everyone holds them. */
export function largestArray(device: DeviceName): Promise<number> {
  const found =
    arrays.get(device) ??
    endOf<number>(trial('./array-trial-process.js', [device], 'ignore')).then(
      ({ last = boundBytes }) => last,
    );
  arrays.set(device, found);
  return found;
}
