/** Whether a device works is tried once in a process of its own, so that a driver that breaks is a message and no dead run. */
import { fork } from 'node:child_process';
import { endOf } from '../../program/own-process.js';
import type { DeviceName } from '../engine.js';
import type { TrialMessage } from './device-trial-process.js';

const trials = new Map<DeviceName, Promise<TrialMessage>>();

/** @param device not the processor, which needs no trial */
export function deviceTrial(device: DeviceName): Promise<TrialMessage> {
  const trial = trials.get(device) ?? tried(device);
  trials.set(device, trial);
  return trial;
}

/** A driver that hangs is as good as none. */
const longestMs = 60_000;

async function tried(device: DeviceName): Promise<TrialMessage> {
  const child = fork(new URL('./device-trial-process.js', import.meta.url), [device], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: longestMs,
    killSignal: 'SIGKILL',
  });
  const { last, ended, words } = await endOf<TrialMessage>(child);
  return last ?? { works: false, why: `it ends the process that tries it (${ended}, ${words})` };
}
