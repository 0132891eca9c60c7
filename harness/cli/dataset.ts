/** `bench dataset`: what a dataset needs and what of it is on this machine; bringing, checking and exporting it. */

import path from 'node:path';
import { counted } from '../counted.js';
import { BenchError, exitCodes, unknownName } from '../errors.js';
import { jsonText } from '../json.js';
import type { DatasetFilesRequest, DatasetInfo, Holding } from '../pipeline/dataset-files.js';
import { byteSize } from '../progress.js';
import type { Command, Print, Values } from './command.js';
import { beginJob } from './job.js';
import { noteLines } from './lines.js';
import { configOptions, datasetOptions, noWaitOption } from './options.js';
import { configOf, dataFolder, splitOf } from './request.js';
import { renderTable } from './table.js';

const actions = ['info', 'get', 'verify', 'qrels'] as const;
type Action = (typeof actions)[number];

export const command: Command = {
  usage: `${actions.join('|')} NAME [options]`,
  description:
    'info: the files of a dataset, their licence, and what of them is on this machine; with --count or --data, what they hold. get: downloads what is missing; a download that was cut goes on. verify: computes the hash of every file anew. qrels: writes the judgements of a split in TREC format.',
  options: {
    data: { type: 'text', describe: 'folder that holds the dataset, for info and qrels' },
    count: { type: 'switch', describe: 'info: open the dataset and count its passages, queries and qrels' },
    split: { type: 'text', describe: 'qrels: train, dev or test; test where absent' },
    out: { type: 'text', describe: 'qrels: the file to write, packed where it ends in .gz' },
    offline: datasetOptions.offline!,
    'no-wait': noWaitOption,
    cache: configOptions.cache!,
    config: configOptions.config!,
    json: { type: 'switch', describe: 'print what was found as JSON' },
  },
  maxArguments: 2,
  examples: [
    ['bench dataset info dpr/nq', 'what would be downloaded, and how much'],
    ['bench dataset get beir/scifact', 'for a run without a network later'],
    ['bench dataset verify beir/scifact', 'whether the files are still what their publisher describes'],
    ['bench dataset qrels squad --out squad.qrels', 'for trec_eval'],
  ],
  async run(values, [action, dataset], print) {
    const known = actionOf(action);
    if (dataset === undefined) {
      throw new BenchError('USAGE', `bench dataset ${known} needs the name of a dataset.`, {
        hint: "'bench list datasets' shows them.",
      });
    }
    refuseOthers(known, values);
    const request = requestOf(values, dataset);
    const progress = beginJob(values);
    const files = await import('../pipeline/dataset-files.js');
    if (known === 'qrels') {
      if (values.out === undefined)
        throw new BenchError('USAGE', 'bench dataset qrels needs --out FILE, the file to write.');
      const out = path.resolve(String(values.out));
      const written = await files.exportQrels(request, { split: splitOf(values, 'test'), out }, progress);
      if (values.json === true) print(jsonText({ file: out, ...written }));
      else print(`${counted(written.qrels, 'qrels')} of ${counted(written.queries, 'queries')}: ${out}\n`);
      return 0;
    }
    if (known === 'info') {
      const open = values.count === true || request.data !== undefined;
      const info = await files.datasetInfo(request, { open }, progress);
      print(values.json === true ? jsonText(info) : describe(info));
      return 0;
    }
    const holdings =
      known === 'get'
        ? await files.getDataset(request, progress)
        : await files.verifyDataset(request, progress);
    report(dataset, holdings, values.json === true, print);
    return holdings.every(({ state }) => state === 'verified') ? 0 : exitCodes.UNAVAILABLE;
  },
};

function actionOf(given: string | undefined): Action {
  const action = actions.find((each) => each === given);
  if (action !== undefined) return action;
  if (given !== undefined) throw unknownName('action of bench dataset', given, actions);
  throw new BenchError('USAGE', 'bench dataset needs to know what to do.', {
    hint: `One of: ${actions.join(', ')}; then the name of a dataset.`,
  });
}

/** What an option says nothing of would be passed over: `verify --data` looked at no file of the folder. */
const belongsTo: Readonly<Record<string, readonly Action[]>> = {
  data: ['info', 'qrels'],
  count: ['info'],
  split: ['qrels'],
  out: ['qrels'],
};

/** @throws BenchError USAGE */
function refuseOthers(action: Action, values: Values): void {
  for (const [option, owners] of Object.entries(belongsTo)) {
    if (values[option] === undefined || owners.includes(action)) continue;
    throw new BenchError('USAGE', `--${option} plays no part in bench dataset ${action}.`, {
      hint: `It belongs to bench dataset ${owners.join(' and ')}.`,
    });
  }
}

function requestOf(values: Values, dataset: string): DatasetFilesRequest {
  const config = configOf({ config: values.config, cache: values.cache });
  return {
    dataset,
    config,
    cache: config.cache,
    offline: values.offline === true,
    ...(values.data !== undefined && { data: dataFolder(String(values.data)) }),
  };
}

function describe({ name, summary, members, holdings, contents }: DatasetInfo): string {
  let text = `${name}: ${summary}\n`;
  if (members.length > 0) text += `stands for ${members.length} datasets, averaged: ${members.join(', ')}\n`;
  if (holdings.length > 0) text += `\n${tableOf(holdings)}`;
  if (contents === undefined) return text;
  const { version, passages, splits, answerMatching, relevantFrom, hasNegatives, remarks } = contents;
  const rows = Object.entries(splits).map(([split, { queries, qrels }]) => [
    split,
    queries.toLocaleString('en-US'),
    qrels.toLocaleString('en-US'),
  ]);
  text += `\nversion ${version}; ${counted(passages, 'passages')}\n`;
  text += renderTable(['split', 'queries', 'qrels'], rows, 'lrr', 1);
  const traits = [
    answerMatching === null ? 'no answers' : `answers matched as ${answerMatching}s`,
    relevantFrom > 1 ? `relevant from grade ${relevantFrom} on` : '',
    hasNegatives ? 'brings hard negatives' : 'brings no hard negatives: those of BM25 are trained on',
  ];
  text += `${traits.filter((trait) => trait !== '').join('; ')}\n`;
  return text + noteLines(remarks);
}

const states = {
  verified: 'here, verified',
  here: 'here, not verified yet',
  missing: 'not here',
  wrong: 'WRONG',
} as const satisfies Partial<Record<Holding['state'], string>>;

function tableOf(holdings: readonly Holding[]): string {
  const rows: string[][] = [];
  let places = '';
  for (const { download, file, state, sizeBytes, found } of holdings) {
    const { name, url, instructions, licence, sha256, md5 } = download;
    if (url === '') {
      places += `${name} cannot be downloaded. ${instructions}\n`;
      continue;
    }
    const wrong = found === undefined ? '' : `: ${found}`;
    rows.push([
      name,
      download.sizeBytes === 0 ? 'not published' : byteSize(download.sizeBytes),
      licence,
      state === 'partly' ? `${byteSize(sizeBytes)} of it` : `${states[state]}${wrong}`,
    ]);
    places += `${name}: ${state === 'missing' ? url : file}\n`;
    if (sha256 === undefined && md5 === undefined)
      places += '  it has no published hash: the first download is taken, and its hash kept\n';
  }
  if (rows.length === 0) return places;
  return `${renderTable(['file', 'size', 'licence', 'on this machine'], rows, 'lrll', 1)}\n${places}`;
}

function report(dataset: string, holdings: readonly Holding[], asJson: boolean, print: Print): void {
  if (asJson) print(jsonText(holdings));
  else if (holdings.length === 0) print(`${dataset} downloads nothing.\n`);
  else print(tableOf(holdings));
}
