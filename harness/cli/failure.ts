/** How a command that failed says so. */
import { BenchError } from '../errors.js';
import { finishLine } from '../progress.js';

/** Exit code of an error that is not one of ours, which is a bug (EX_SOFTWARE of sysexits.h). */
const bugExitCode = 70;

/** The text of an error for people: an error of ours in two lines, anything else with its stack. */
export function describeFailure(error: unknown): string {
  if (error instanceof BenchError) {
    const hint = error.hint === undefined ? '' : `hint: ${error.hint}\n`;
    return `error ${error.code}: ${error.message}\n${hint}`;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `This is a bug in bench; please report it with these lines.\n${stack}\n`;
}

/** Writes the error to stderr, under a title where there are several. @returns the exit code */
export function reportFailure(error: unknown, title?: string): number {
  finishLine();
  process.stderr.write(`${title === undefined ? '' : `${title}:\n`}${describeFailure(error)}`);
  return error instanceof BenchError ? error.exitCode : bugExitCode;
}
