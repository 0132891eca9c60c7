/** `bench run`: every stage, for every architecture, dataset and seed asked for. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { type BenchConfig, loadConfig } from '../config/config.js';
import { BenchError } from '../errors.js';
import type { Plan, RunRequest } from '../pipeline.js';
import { loadArchitecture, loadDataset, loadSparse } from '../plugins.js';
import { createProgress } from '../progress.js';
import type { RunRecord } from '../record.js';
import { type Command, splitList, type Values } from './command.js';
import { watchInterrupts } from './interrupt.js';
import { configOptions } from './options.js';
import { summarize } from './summary.js';

/** @param loadPipeline imports the pipeline, which is heavy, once the request is known to be right */
export const runCommand = (loadPipeline: () => Promise<Pipeline>): Command => ({
  usage: '--arch A[,B...] --dataset D[,E...] [options]',
  description:
    'Trains, encodes, indexes, searches and measures. Each run leaves a record in the folder given by --out; what is already in the cache is not made again, so a run that was stopped goes on when it is started again.',
  options: {
    arch: { type: 'text', describe: "architectures, 'bench list architectures'", required: true },
    dataset: { type: 'text', describe: "datasets, 'bench list datasets'", required: true },
    data: { type: 'text', describe: 'folder that holds the dataset; nothing is downloaded then' },
    ...configOptions,
    offline: { type: 'switch', describe: 'never use the network; say what is missing' },
    'dry-run': { type: 'switch', describe: 'print the plan and the configuration, and do nothing' },
    json: { type: 'switch', describe: 'print the run record as JSON, an array where there are several' },
  },
  examples: [
    ['bench run --arch mlr-sc --dataset sample', 'no download, a few minutes'],
    ['bench run --arch dual-encoder,mlr-sc --dataset squad --seeds 1,2,3', 'six runs, one table'],
    ['bench run --arch mlr --dataset squad --set arch.layers=1,2 --set train.epochs=3', 'other settings'],
    ['bench run --arch mlr-sc --dataset squad --preset paper', 'trained as in the paper, on a GPU'],
    ['bench run --arch mlr-sc --dataset squad --dry-run', 'what would be done'],
  ],
  async run(values, _positionals, print) {
    const requests = await requestsOf(values);
    const { planRun, run } = await loadPipeline();
    const progress = createProgress({ signal: watchInterrupts() });
    if (values['dry-run'] === true) {
      const plans = [];
      for (const request of requests) plans.push(await planRun(request, progress));
      print(values.json === true ? toJson(plans, requests.length) : describePlans(plans, requests));
      return 0;
    }
    const records: RunRecord[] = [];
    try {
      for (const [i, request] of requests.entries()) {
        if (requests.length > 1) progress.note(`run ${i + 1} of ${requests.length}: ${titleOf(request)}`);
        records.push(await run(request, progress));
      }
    } finally {
      // What was finished before a failure is worth seeing.
      if (records.length > 0 && values.json === true) print(toJson(records, requests.length));
      else if (records.length > 0) {
        print(`${summarize(records)}\nrun records: ${path.resolve(requests[0]!.config.out)}\n`);
      }
    }
    return 0;
  },
});

type Pipeline = Pick<typeof import('../pipeline.js'), 'planRun' | 'run'>;

export const command = runCommand(() => import('../pipeline.js'));

/** One request per architecture, dataset and seed; every name is looked up before any work begins. */
async function requestsOf(values: Values): Promise<RunRequest[]> {
  const architectures = splitList('arch', String(values.arch));
  const datasets = splitList('dataset', String(values.dataset));
  const data = values.data === undefined ? {} : { data: dataFolder(String(values.data)) };
  const config = configOf(values);
  for (const name of architectures) if ((await loadSparse(name)) === undefined) await loadArchitecture(name);
  for (const name of datasets) await loadDataset(name);
  return datasets.flatMap((dataset) =>
    architectures.flatMap((architecture) =>
      config.seeds.map((seed) => ({
        architecture,
        dataset,
        seed,
        ...data,
        offline: values.offline === true,
        config,
      })),
    ),
  );
}

function configOf(values: Values): BenchConfig {
  const file = values.config === undefined ? {} : { file: String(values.config) };
  const set = (values.set ?? []) as readonly string[];
  return loadConfig({ ...file, cwd: process.cwd(), flags: values, set });
}

function dataFolder(name: string): string {
  const folder = path.resolve(name);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return folder;
  const what = found === undefined ? 'there is no such folder' : 'it is not a folder';
  throw new BenchError('PATH_INVALID', `--data ${name} cannot be used: ${what} (${folder}).`, {
    hint: "Name the folder that holds the dataset's files, or leave --data out to download them.",
  });
}

function titleOf({ architecture, dataset, seed }: RunRequest): string {
  return `${architecture} on ${dataset}, seed ${seed}`;
}

function describePlans(plans: readonly Plan[], requests: readonly RunRequest[]): string {
  let text = '';
  let shown = '';
  for (const [i, { lines, config }] of plans.entries()) {
    text += `${titleOf(requests[i]!)}\n${lines.map((line) => `  ${line}\n`).join('')}`;
    const json = JSON.stringify(config, null, 2);
    if (json !== shown) text += `configuration\n${json}\n`;
    shown = json;
  }
  return text;
}

/** The thing itself where one was asked for, else an array, even where a failure has left one. */
function toJson(things: readonly unknown[], asked: number): string {
  return `${JSON.stringify(asked === 1 ? things[0] : things, null, 2)}\n`;
}
