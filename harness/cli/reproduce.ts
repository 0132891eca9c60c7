/** `bench reproduce`: the grid of runs behind a table or figure of the paper, beside what it prints. */
import path from 'node:path';
import { BenchError, nearestName } from '../errors.js';
import type { Estimate } from '../reproduction/estimate.js';
import { loadReproduction, reproductionNames } from '../reproduction/files.js';
import type { Grid, GridOptions } from '../reproduction/grid.js';
import type { Makers } from '../reproduction/outcome.js';
import type { Scale } from '../reproduction/reproduction.js';
import type { TimeHere } from '../reproduction/time-here.js';
import type { Command, Values } from './command.js';
import { describeFailure, reportFailure } from './failure.js';
import { beginJob } from './job.js';
import { anewOptions, configOptions, noWaitOption } from './options.js';
import { writeTo } from './report.js';
import { planText, tableText } from './reproduction-text.js';
import { anewOf, existingFolder, nameIn } from './request.js';

/** Flags of the configuration that a grid leaves open. */
const openFlags = ['seeds', 'engine', 'device', 'searcher', 'threads', 'cache', 'store', 'out', 'keep'];

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
    json: { type: 'switch', describe: 'print the table or the plan as JSON' },
  },
  maxArguments: 1,
  examples: [
    ['bench reproduce table2 --scale small', 'the whole procedure in minutes, on the embedded sample'],
    ['bench reproduce table2 --scale small --dataset squad --data squad', 'on a dataset of your own'],
    ['bench reproduce table2 --dry-run', 'what the real one takes'],
    ['bench reproduce table5 --data beir/robust04=robust04', 'with a collection that is not public'],
  ],
  async run(values, [name], print) {
    if (name === undefined) {
      throw new BenchError('USAGE', 'bench reproduce needs to know which table or figure.', {
        hint: `One of: ${reproductionNames().join(', ')}.`,
      });
    }
    const { gridOf } = await import('../reproduction/grid.js');
    const { assertFolders, missingFolders } = await import('../reproduction/missing.js');
    const grid = await gridOf(loadReproduction(name), optionsOf(values));
    if (values['dry-run'] === true) {
      const { estimate } = await import('../reproduction/estimate.js');
      const plan = await estimate(grid);
      const missing = await missingFolders(grid);
      const time = await timing(grid, values);
      if (values.json === true) print(asJson(planData(grid, plan, missing, time)));
      else {
        const { describeRoom } = await import('../pipeline/needs.js');
        const cache = grid.runs[0]?.request.config.cache ?? '.';
        print(planText(grid, plan, missing, { room: await describeRoom(cache), time }));
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
    await writeTo(`${stem}.json`, asJson(document));
    const files = `reports: ${stem}.md, .csv, .json\n`;
    print(values.json === true ? asJson(document) : `${tableText(document)}\n${files}`);
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

function optionsOf(values: Values): GridOptions {
  const scale = scaleOf(values.scale);
  if (scale === 'paper' && values.dataset !== undefined) {
    throw new BenchError('USAGE', '--dataset goes with --scale small: the paper names its own datasets.', {
      hint: 'Add --scale small, or leave --dataset out.',
    });
  }
  const dataset = String(values.dataset ?? (scale === 'small' ? datasetOfFolders(values.data) : 'sample'));
  const flags = Object.fromEntries(openFlags.map((flag) => [flag, values[flag]]));
  return {
    scale,
    dataset,
    folders: pairs('data', values.data, scale === 'small' ? dataset : undefined),
    models: pairs('model', values.model),
    offline: values.offline === true,
    ...anewOf(values),
    cwd: process.cwd(),
    flags,
    set: (values.set ?? []) as readonly string[],
    ...(values.config !== undefined && { file: String(values.config) }),
  };
}

function scaleOf(value: Values[string]): Scale {
  const scales = ['paper', 'small'] as const;
  const found = scales.find((scale) => scale === (value ?? 'paper'));
  if (found !== undefined) return found;
  const near = nearestName(String(value), scales);
  throw new BenchError('USAGE', `--scale ${value} is neither paper nor small.`, {
    ...(near !== undefined && { hint: `Did you mean --scale ${near}?` }),
  });
}

/** The dataset that `--data NAME=FOLDER` names, where no other option says which one stands for all. */
function datasetOfFolders(data: Values[string]): string {
  const given = (data ?? []) as readonly string[];
  const names = [...new Set(given.map(nameIn).filter((name) => name !== undefined))];
  if (given.length === 0) return 'sample';
  if (names.length === 1) return names[0]!;
  const [what, hint] =
    names.length === 0
      ? [
          'does not say which dataset the folder holds',
          'Add --dataset NAME: beir, squad or trec for instance.',
        ]
      : [`names ${names.length} datasets`, `At the scale small one stands for all: --dataset ${names[0]}.`];
  throw new BenchError('USAGE', `--data ${given.join(' --data ')} ${what}.`, { hint });
}

/** @param alone what a folder without a name belongs to */
function pairs(flag: string, values: Values[string], alone?: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const text of (values ?? []) as readonly string[]) {
    const own = nameIn(text);
    const name = own ?? alone;
    if (name === undefined) {
      throw new BenchError('USAGE', `--${flag} ${text} does not say what the folder holds.`, {
        hint: `Write --${flag} NAME=FOLDER, with a name of the grid: see --dry-run.`,
      });
    }
    const folder = own === undefined ? text : text.slice(own.length + 1);
    found.set(name, existingFolder(flag, folder, `Name a folder that is there, or leave --${flag} out.`));
  }
  return found;
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

const asJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
