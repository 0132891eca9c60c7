/** `bench task`: one task of a sweep, for the worker that started it, or by its number. */
import { createInterface } from 'node:readline';
import { BenchError, foreignFault } from '../errors.js';
import { parseJson } from '../json.js';
import type { Progress } from '../progress.js';
import { waitForOthers } from '../store/lock.js';
import type { ChildOutcome, ChildSaid, ChildTask } from '../tasks/child.js';
import type { KeptRun } from '../tasks/kept-run.js';
import type { Command, Print, Values } from './command.js';
import { reportFailedTasks } from './failure.js';
import { beginJob } from './job.js';
import { assertKeeps, requestsOf, sweepOptions } from './sweep-request.js';

const { arch, dataset, ...others } = sweepOptions;

export const command: Command = {
  usage: '--number N --arch A[,B...] --dataset D[,E...] --cache SHARED [options] | < TASK',
  description:
    "With --number does the task of that number of 'bench plan --tasks' with the same options, and what it waits for where nobody has done that; ends when it is done. Without, does those that 'bench worker' hands over on stdin, one a line, prints what came of each as JSON, and ends when one fails (one that another holds does not) or stdin ends.",
  options: {
    number: { type: 'text', describe: "which of 'bench plan --tasks', from 0" },
    arch: { type: 'text', describe: arch!.describe },
    dataset: { type: 'text', describe: dataset!.describe },
    ...others,
  },
  examples: [
    [
      'bench task --number $SLURM_ARRAY_TASK_ID --arch mlr-sc,mlr --dataset squad --seeds 1,2,3 --cache /shared/bench',
      'in an array of jobs of any scheduler',
    ],
  ],
  async run(values, _positionals, print) {
    const given = Object.keys(values)[0];
    if (values.number !== undefined) return numbered(values, print);
    if (given === undefined) return handedOver(values);
    throw new BenchError('USAGE', `--${given} goes with --number: one task of a sweep.`, {
      hint: "'bench plan --tasks' numbers them; 'bench work' does all that nobody else is at.",
    });
  },
};

/** @throws BenchError USAGE for what is no number of a task */
async function numbered(values: Values, print: Print): Promise<number> {
  const [text, missing] = [
    String(values.number),
    ['arch', 'dataset'].find((option) => values[option] === undefined),
  ];
  if (missing !== undefined)
    throw new BenchError('USAGE', `--${missing} is missing: --number is of a sweep.`);
  if (!/^\d{1,9}$/.test(text))
    throw new BenchError('USAGE', `--number needs a whole number from 0, not '${text}'.`);
  const requests = await requestsOf(values);
  assertKeeps(requests);
  const [{ planTasks }, { workBeside }] = await Promise.all([
    import('../tasks/plan-tasks.js'),
    import('../tasks/by-store.js'),
  ]);
  const progress = beginJob(values);
  waitForOthers({ waits: false, job: progress });
  const tasks = await planTasks(requests, progress);
  const task = tasks[Number(text)]?.task;
  if (task === undefined) {
    throw new BenchError('USAGE', `There is no task ${text}: they go from 0 to ${tasks.length - 1}.`, {
      hint: "Number them with the same options: 'bench plan --tasks'.",
    });
  }
  const { failed } = await workBeside([task], { store: requests[0]!.config.cache, progress });
  if (failed.length === 0) print(`done: ${task.title}\n`);
  return reportFailedTasks(failed);
}

/** @throws BenchError USAGE where there is no task */
async function handedOver(values: Values): Promise<number> {
  const lines = createInterface({ input: process.stdin });
  let [isBusy, given] = [false, 0];
  // Whoever would hear of the task is gone.
  lines.once('close', () => isBusy && process.exit(1));
  let progress: Progress | undefined;
  let kept: KeptRun | undefined;
  for await (const line of lines) {
    isBusy = true;
    given++;
    const [{ runTask }, { KeptRun }] = await Promise.all([
      import('../tasks/run-task.js'),
      import('../tasks/kept-run.js'),
    ]);
    if (progress === undefined) {
      progress = beginJob(values);
      waitForOthers({ waits: false, job: progress });
    }
    kept ??= new KeptRun();
    const { task, store, failed } = parseJson(line) as ChildTask;
    const outcome = await runTask(task, { store, failed, progress, kept }).catch(asFailure);
    const { hasOpened } = kept;
    const said: ChildSaid = { outcome, memoryBytes: process.memoryUsage.rss(), hasOpened };
    process.stdout.write(`${JSON.stringify(said)}\n`);
    isBusy = false;
    // One that is held by another leaves what is open as it was.
    if (outcome.state === 'failed' && outcome.code !== 'LOCKED') return 0;
  }
  await kept?.close();
  if (given > 0) return 0;
  throw new BenchError('USAGE', 'bench task is given tasks on stdin, or --number, and there was neither.', {
    hint: "'bench plan --tasks' numbers the tasks of a sweep.",
  });
}

function asFailure(thrown: unknown): ChildOutcome {
  const error = foreignFault(thrown);
  if (!(error instanceof BenchError)) throw error;
  const { code, exitCode, message } = error;
  return { state: 'failed', code, exitCode, message };
}
