/** `bench task`: one task of a sweep, for the worker that started it. */
import { createInterface } from 'node:readline';
import { BenchError, foreignFault } from '../errors.js';
import { parseJson } from '../json.js';
import { waitForOthers } from '../store/lock.js';
import type { ChildOutcome, ChildTask } from '../tasks/child.js';
import type { Command } from './command.js';
import { beginJob } from './job.js';

export const command: Command = {
  usage: '< TASK',
  description:
    "Does one task of a sweep, as 'bench worker' hands it over on stdin, and prints what came of it as JSON. Ends when stdin does.",
  options: {},
  examples: [],
  async run(values, _positionals, print) {
    const lines = createInterface({ input: process.stdin });
    const [line] = await new Promise<[string | undefined]>((resolve) => {
      lines.once('line', (text) => resolve([text]));
      lines.once('close', () => resolve([undefined]));
    });
    if (line === undefined)
      throw new BenchError('USAGE', 'bench task is given a task on stdin, and there was none.');
    lines.once('close', () => process.exit(1));
    const { task, store, failed } = parseJson(line) as ChildTask;
    const progress = beginJob(values);
    waitForOthers({ waits: false, job: progress });
    const { runTask } = await import('../tasks/run-task.js');
    const outcome = await runTask(task, { store, failed, progress }).catch(asFailure);
    print(JSON.stringify(outcome), 'data');
    return 0;
  },
};

function asFailure(thrown: unknown): ChildOutcome {
  const error = foreignFault(thrown);
  if (!(error instanceof BenchError)) throw error;
  const { code, exitCode, message } = error;
  return { state: 'failed', code, exitCode, message };
}
