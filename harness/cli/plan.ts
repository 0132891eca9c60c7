/** `bench plan --tasks`: the tasks of a sweep, numbered, for a scheduler that takes arrays of jobs. */
import { BenchError } from '../errors.js';
import { jsonText } from '../json.js';
import { Store } from '../store/store.js';
import type { PlannedTask } from '../tasks/plan-tasks.js';
import type { Command } from './command.js';
import { beginJob } from './job.js';
import { lined } from './lines.js';
import { assertKeeps, requestsOf, sweepOptions } from './sweep-request.js';

export const command: Command = {
  usage: '--tasks --arch A[,B...] --dataset D[,E...] --cache SHARED [options]',
  description:
    "Numbers the tasks that the sweep of 'bench run' with the same options is made of, and says which wait for which. 'bench task --number N' with the same options does one of them. Tasks of one level stand one behind the other and wait for lower levels alone: an array of jobs for each level. Collections and models that are not here are brought; nothing else is made.",
  options: {
    tasks: { type: 'switch', describe: "print the tasks; what a run does: 'bench run --dry-run'" },
    ...sweepOptions,
    json: { type: 'switch', describe: 'print them as JSON' },
  },
  examples: [
    [
      'bench plan --tasks --arch mlr-sc,mlr --dataset squad --seeds 1,2,3 --cache /shared/bench',
      'number, level, kind, what it waits for, title; a line each',
    ],
  ],
  async run(values, _positionals, print) {
    if (values.tasks !== true) {
      throw new BenchError('USAGE', 'bench plan prints tasks, with --tasks.', {
        hint: "What a run would do, and how long it takes: 'bench run --dry-run'.",
      });
    }
    const requests = await requestsOf(values);
    assertKeeps(requests);
    const { planTasks } = await import('../tasks/plan-tasks.js');
    const tasks = await planTasks(requests, beginJob(values));
    const store = new Store(requests[0]!.config.cache);
    if (values.json === true) {
      const data = [];
      for (const { task, ...rest } of tasks) {
        const { kind, title, leaves, artifact } = task;
        // A run is done when it is recorded, which no task does.
        const isThere = async (key: string | undefined) =>
          leaves !== undefined && key !== undefined && (await store.has(leaves.kind, key));
        // A piece goes once the whole is there.
        const done = leaves === undefined ? null : (await isThere(leaves.key)) || (await isThere(artifact));
        data.push({ ...rest, kind, title, done });
      }
      print(jsonText(data));
      return 0;
    }
    const lines = tasks.map(({ number, level, task: { kind, title }, waits }) =>
      [number, level, kind, waits.length === 0 ? '-' : ranges(waits), title].join('\t'),
    );
    print(`${['number', 'level', 'kind', 'waits for', 'title'].join('\t')}\n${lined(lines)}${levels(tasks)}`);
    return 0;
  },
};

/** `0-2,7`, as sbatch takes them. */
function ranges(numbers: readonly number[]): string {
  const found: [number, number][] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join();
}

function levels(tasks: readonly PlannedTask[]): string {
  const byLevel = new Map<number, number[]>();
  for (const { level, number } of tasks) byLevel.set(level, [...(byLevel.get(level) ?? []), number]);
  return lined([...byLevel].map(([level, all]) => `# level ${level}: ${ranges(all)}`));
}
