/** What a command that takes long is begun with: how it is told, how it stops, and what it does where another works on the same. */
import { createProgress, type Progress } from '../progress.js';
import { waitForOthers } from '../store/lock.js';
import type { Values } from './command.js';
import { watchInterrupts } from './interrupt.js';

export function beginJob(values: Values): Progress {
  const progress = createProgress({ signal: watchInterrupts() });
  waitForOthers({ waits: values['no-wait'] !== true, job: progress });
  return progress;
}
