/** Whether a device works is tried once in a process of its own, so that a driver that breaks is a message and no dead run. */
import { fork } from 'node:child_process';
import { endOf } from '../../program/own-process.js';
import type { DeviceName } from '../engine.js';
import type { TrialMessage } from './device-trial-process.js';
import { usualPrecision } from './precision.js';

const trials = new Map<string, Promise<TrialMessage>>();

/**
 * @param device not the processor, which needs no trial
 * @param precision of a product with weights
 */
export function deviceTrial(device: DeviceName, precision: string = usualPrecision): Promise<TrialMessage> {
  const key = `${device} ${precision}`;
  const trial = trials.get(key) ?? tried(device, precision);
  trials.set(key, trial);
  return trial;
}

/** A driver that hangs is as good as none. */
const longestMs = 60_000;

async function tried(device: DeviceName, precision: string): Promise<TrialMessage> {
  const child = fork(new URL('./device-trial-process.js', import.meta.url), [device, precision], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: longestMs,
    killSignal: 'SIGKILL',
  });
  const { last, ended, words } = await endOf<TrialMessage>(child);
  return last ?? { works: false, why: `it ends the process that tries it (${ended}, ${words})` };
}
