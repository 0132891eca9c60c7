/** `bench work`: a share of a sweep, beside other machines that share its store. */
import { BenchError } from '../errors.js';
import { waitForOthers } from '../store/lock.js';
import type { Command } from './command.js';
import { reportFailedTasks } from './failure.js';
import { beginJob } from './job.js';
import { assertKeeps, requestsOf, sweepOptions } from './sweep-request.js';

export const command: Command = {
  usage: '--arch A[,B...] --dataset D[,E...] --cache SHARED [options]',
  description:
    "Does what nobody else is at of the sweep that 'bench run' with the same options would do: trainings, shards of the passages' vectors, indexes, hits. Any number of these may run at once, on any machines that share the folder of --cache, or --store, and each may be killed and started again; each ends when nothing is left, or with what failed. Latencies are measured, and records written, by 'bench run' with the same options, on one machine, when they have ended.",
  options: {
    ...sweepOptions,
    worker: {
      type: 'text',
      describe:
        'which worker this is, from 0, so that each begins elsewhere; SLURM_ARRAY_TASK_ID where it is absent and set',
    },
  },
  examples: [
    [
      'bench work --arch mlr-sc,mlr --dataset squad --seeds 1,2,3 --cache /shared/bench',
      'on every machine; bench run with the same options ends it',
    ],
  ],
  async run(values, _positionals, print) {
    const worker = workerOf(values.worker);
    const requests = await requestsOf(values);
    assertKeeps(requests);
    const [{ workBeside }, { cellTasks }, { assertRunnable }] = await Promise.all([
      import('../tasks/by-store.js'),
      import('../tasks/task.js'),
      import('../sweep/runnable.js'),
    ]);
    const progress = beginJob(values);
    waitForOthers({ waits: false, job: progress });
    await assertRunnable(requests, progress);
    const store = requests[0]!.config.cache;
    const { done, failed } = await workBeside(await cellTasks(requests), { store, progress, worker });
    const [whole, made] = [true, false].map(
      (isCell) => done.filter(({ kind }) => (kind === 'cell') === isCell).length,
    );
    print(
      `nothing is left to do: ${made} trainings, shards and searches were made or found here, ${whole} of ${requests.length} runs can be timed and recorded\n`,
    );
    return reportFailedTasks(failed);
  },
};

function workerOf(given: unknown): number {
  const [name, text] =
    given === undefined
      ? ['SLURM_ARRAY_TASK_ID', process.env.SLURM_ARRAY_TASK_ID ?? '0']
      : ['--worker', String(given)];
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new BenchError('USAGE', `${name} needs a whole number from 0, not '${text}'.`);
}
