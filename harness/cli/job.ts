/** What a command that takes long is begun with: how it is told, how Ctrl-C and termination signals stop it, and what it does where another works on the same. */
import { exitCodes } from '../errors.js';
import { interrupt, interruption } from '../interruption.js';
import { createProgress, finishLine, type Progress } from '../progress.js';
import { waitForOthers } from '../store/lock.js';
import type { Values } from './command.js';

export function beginJob(values: Values): Progress {
  const progress = createProgress({ signal: watchInterrupts() });
  waitForOthers({ waits: values['no-wait'] !== true, job: progress });
  return progress;
}

/** npx and npm pass on a Ctrl-C that the terminal has already sent to us; a second signal this soon is the same one. */
const sameSignalMs = 500;

/**
 * From now on the first SIGINT or SIGTERM asks the process to stop, so that the job ends where nothing is lost, and
 * the second ends the process at once.
 */
export function watchInterrupts(): AbortSignal {
  let firstMs: number | undefined;
  const onSignal = () => {
    const nowMs = performance.now();
    if (firstMs === undefined) {
      firstMs = nowMs;
      // The terminal shows ^C where the cursor stands.
      const start = finishLine() ? '' : '\n';
      process.stderr.write(
        `${start}Stopping after this step; once more stops at once. The same command goes on from there.\n`,
      );
      interrupt();
    } else if (nowMs - firstMs > sameSignalMs) {
      process.exit(exitCodes.INTERRUPTED);
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return interruption;
}
