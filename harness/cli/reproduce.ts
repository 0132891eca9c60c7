/** `bench reproduce`: the grid of runs behind a table or figure of the paper, beside what it prints. */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { jsonText } from '../json.js';
import type { Estimate } from '../reproduction/estimate.js';
import { loadReproduction, reproductionNames } from '../reproduction/files.js';
import type { Grid } from '../reproduction/grid.js';
import type { Makers } from '../reproduction/outcome.js';
import type { TimeHere } from '../reproduction/time-here.js';
import type { Command, Values } from './command.js';
import { describeFailure, reportFailure } from './failure.js';
import { beginJob } from './job.js';
import { anewOptions, configOptions, noWaitOption } from './options.js';
import { writeTo } from './report.js';
import { openFlags, optionsOf, workersOf } from './reproduce-request.js';
import { planText, tableText } from './reproduction-text.js';

/**
 * @param loadMakers imports the pipeline, which is heavy, once the request is known to be right
 * @param timing how long a grid takes here, which is tried for some seconds
 */
export const reproduceCommand = (loadMakers: () => Promise<Makers>, timing = measuredHere): Command => ({
  usage: `${reproductionNames().join('|')} [options]`,
  description:
    'Makes every run behind a table or figure of the paper and prints its figures beside the published ones, with the difference; the same is left as markdown, csv and json in the folder given by --out. What is in the cache is not made again, so a grid that was stopped goes on when it is started again. Instead of a name, a file of the same form may be given.',
  options: {
    scale: {
      type: 'text',
      describe:
        'paper (where absent): the grid as it stands; small: the same rows with a small model on one dataset, in minutes, not comparable',
    },
    dataset: {
      type: 'text',
      describe:
        'with --scale small: the dataset that stands for all; where absent, that of the one --data, or sample',
    },
    data: {
      type: 'texts',
      describe:
        'DATASET=FOLDER, a folder that holds a dataset; with --scale small FOLDER alone; several times',
    },
    model: {
      type: 'texts',
      describe: 'NAME=FOLDER, a folder that holds a model of the grid: Shitao/RetroMAE=DIR; several times',
    },
    ...Object.fromEntries(openFlags.map((flag) => [flag, configOptions[flag]!])),
    config: { type: 'text', describe: 'configuration file, of which only what decides no figure is taken' },
    set: { type: 'texts', describe: 'one setting of every run, such as train.epochs=3; several times' },
    offline: { type: 'switch', describe: 'never use the network; say what is missing' },
    'no-wait': noWaitOption,
    ...anewOptions,
    'without-missing': {
      type: 'switch',
      describe: 'go on where a dataset cannot be downloaded and no folder is given: its cells stay empty',
    },
    'dry-run': {
      type: 'switch',
      describe:
        'print the runs and what they will take, here too (tried for some seconds), and leave nothing',
    },
    workers: {
      type: 'text',
      describe:
        'with --dry-run: so many machines share the work; hours, disk and bytes that go over the network',
    },
    json: { type: 'switch', describe: 'print the table or the plan as JSON' },
  },
  maxArguments: 1,
  examples: [
    ['bench reproduce table2 --scale small', 'the whole procedure in minutes, on the embedded sample'],
    ['bench reproduce table2 --scale small --dataset squad --data squad', 'on a dataset of your own'],
    ['bench reproduce table2 --dry-run', 'what the real one takes'],
    ['bench reproduce table2 --dry-run --workers 16', 'on sixteen machines'],
    ['bench reproduce table5 --data beir/robust04=robust04', 'with a collection that is not public'],
  ],
  async run(values, [name], print) {
    if (name === undefined) {
      throw new BenchError('USAGE', 'bench reproduce needs to know which table or figure.', {
        hint: `One of: ${reproductionNames().join(', ')}.`,
      });
    }
    const workers = workersOf(values);
    const { gridOf } = await import('../reproduction/grid.js');
    const { assertFolders, missingFolders } = await import('../reproduction/missing.js');
    const grid = await gridOf(loadReproduction(name), optionsOf(values));
    if (values['dry-run'] === true) {
      const { estimate } = await import('../reproduction/estimate.js');
      const plan = await estimate(grid);
      const missing = await missingFolders(grid);
      const time = await timing(grid, values);
      const { onWorkers } = await import('../reproduction/grid-tasks.js');
      const shared = workers === undefined ? undefined : await onWorkers(grid, workers);
      if (values.json === true)
        print(jsonText({ ...planData(grid, plan, missing, time), ...(shared && { shared }) }));
      else {
        const { describeRoom } = await import('../pipeline/needs.js');
        const cache = grid.runs[0]?.request.config.cache ?? '.';
        print(planText(grid, plan, missing, { room: await describeRoom(cache), time }, shared));
      }
      return 0;
    }
    const isLeftOut = values['without-missing'] === true;
    if (!isLeftOut) await assertFolders(grid);
    const without = isLeftOut ? await missingFolders(grid) : [];
    const makers = await loadMakers();
    const progress = beginJob(values);
    const [{ reproduce }, { documentOf, toCsv, toMarkdown }] = await Promise.all([
      import('../reproduction/outcome.js'),
      import('../reproduction/document.js'),
    ]);
    const outcome = await reproduce(grid, makers, progress, without);
    const document = documentOf(grid, outcome);
    const stem = path.join(outOf(grid), `${document.name}-${document.scale}`);
    await writeTo(`${stem}.md`, toMarkdown(document));
    await writeTo(`${stem}.csv`, toCsv(document));
    await writeTo(`${stem}.json`, jsonText(document));
    const files = `reports: ${stem}.md, .csv, .json\n`;
    print(values.json === true ? jsonText(document) : `${tableText(document)}\n${files}`);
    // A reason for which many cells failed is said once.
    const failures = new Map(outcome.failures.map((error) => [describeFailure(error), error]));
    return Math.max(0, ...[...failures.values()].map((error) => reportFailure(error)));
  },
});

export const command: Command = reproduceCommand(async () => {
  const [{ sweep }, { train }, { count }, { assertRunnable }] = await Promise.all([
    import('../sweep.js'),
    import('../sweep/trainings.js'),
    import('../sweep/counts.js'),
    import('../sweep/runnable.js'),
  ]);
  return { assertRunnable, sweep, train, count };
});

async function measuredHere(grid: Grid, values: Values): Promise<TimeHere> {
  const [{ TimeEstimates }, { timeHere }] = await Promise.all([
    import('../pipeline/estimate/time-estimate.js'),
    import('../reproduction/time-here.js'),
  ]);
  return timeHere(grid, new TimeEstimates(beginJob(values)));
}

/** Where the first run leaves its record: all have the same folder. */
const outOf = ({ runs }: Grid) => path.resolve(runs[0]?.request.config.out ?? '.');

function planData(
  { loaded, scale }: Grid,
  { runs, ...totals }: Estimate,
  missing: readonly string[],
  { runs: times, ...here }: TimeHere,
) {
  return {
    name: loaded.name,
    scale,
    ...totals,
    missing,
    here,
    runs: runs.map(
      (
        {
          run: {
            request: { anew: _, ...request },
            after,
            trainsOnly,
            counts,
          },
          ...figures
        },
        i,
      ) => ({
        ...request,
        ...(counts && { counts }),
        ...(after && { trainedOn: after.request.dataset }),
        ...(trainsOnly && { trainsOnly }),
        ...figures,
        time: times[i]!,
      }),
    ),
  };
}
