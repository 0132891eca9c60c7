/** How a command that failed says so. */
import { BenchError, bugExitCode, foreignFault } from '../errors.js';
import { printable } from '../printable.js';
import { finishLine } from '../progress.js';

/** The text of an error for people: an error of ours in two lines, what a plug-in threw and anything else with its stack. */
export function describeFailure(thrown: unknown): string {
  const error = foreignFault(thrown);
  if (error instanceof BenchError) {
    const hint = error.hint === undefined ? '' : `hint: ${error.hint}\n`;
    const stack = error.code === 'PLUGIN_FAILED' ? `${(thrown as Error).stack}\n` : '';
    return `error ${error.code}: ${error.message}\n${hint}${stack}`;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `This is a bug in bench; please report it with these lines.\n${stack}\n`;
}

/** Writes the error to stderr, under a title where there are several. @returns the exit code */
export function reportFailure(thrown: unknown, title?: string): number {
  finishLine();
  process.stderr.write(printable(`${title === undefined ? '' : `${title}:\n`}${describeFailure(thrown)}`));
  const error = foreignFault(thrown);
  return error instanceof BenchError ? error.exitCode : bugExitCode;
}

/** The same of tasks; what only waited for one that failed is not told again. @returns the highest exit code */
export function reportFailedTasks(failed: readonly { task: { title: string }; error: unknown }[]): number {
  const own = failed.filter(({ error }) => !(error instanceof BenchError && error.code === 'TASK_FAILED'));
  return Math.max(0, ...own.map(({ task, error }) => reportFailure(error, task.title)));
}
