/** `bench convert`: a run from one format to another. */

import path from 'node:path';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { runFormatNamed, runFormats } from '../interchange/run-file.js';
import type { Command, Print, Values } from './command.js';
import { beginJob } from './job.js';
import { noteLines } from './lines.js';
import { configOptions, datasetOptions, noWaitOption } from './options.js';
import { configOf, dataFolder, splitOf } from './request.js';

const formats = Object.keys(runFormats).join(', ');

export const command: Command = {
  usage: `--run FILE --to ${Object.keys(runFormats).join('|')}|record --out FILE [options]`,
  description: `Writes a run in another format. ${Object.entries(runFormats)
    .map(([name, what]) => `${name}: ${what}`)
    .join(
      '. ',
    )}. Files are read plain or gzip, and written packed where the name ends in .gz. --to record makes a run record of a result of mteb, for bench compare and report.`,
  options: {
    run: { type: 'text', describe: 'hits of every query', required: true },
    to: { type: 'text', describe: `format to write: ${formats}; record of a result of mteb`, required: true },
    out: { type: 'text', describe: 'the file to write', required: true },
    'run-format': {
      type: 'text',
      describe: `format of the run: ${formats}; seen from the file where absent`,
    },
    dataset: {
      type: 'text',
      describe: 'the dataset that was searched: texts and answers for dpr, ids from it',
    },
    data: datasetOptions.data!,
    split: { type: 'text', describe: 'its queries that were searched: train, dev, or test, which is usual' },
    tag: { type: 'text', describe: "the system's name in trec; that of the run where absent" },
    offline: datasetOptions.offline!,
    'no-wait': noWaitOption,
    cache: configOptions.cache!,
    config: configOptions.config!,
  },
  examples: [
    ['bench convert --run results/a.run.gz --to dpr --dataset squad --out a.json', "for DPR's reader"],
    ['bench convert --run nq.json --to trec --dataset dpr/nq --out nq.run.gz', 'for trec_eval'],
    [
      'bench convert --run SciFact.json --to record --out mteb.record.json',
      'a result of mteb, for bench report',
    ],
  ],
  async run(values, _positionals, print) {
    if (values.to === 'record') return recordOfMteb(values, print);
    const { dataset, data, tag } = values;
    const to = runFormatNamed(String(values.to));
    const format =
      values['run-format'] === undefined ? {} : { format: runFormatNamed(String(values['run-format'])) };
    if (dataset === undefined && (data !== undefined || values.split !== undefined)) {
      throw new BenchError('USAGE', '--data and --split say something of --dataset, which was not given.');
    }
    const out = path.resolve(String(values.out));
    const config = configOf({ config: values.config, cache: values.cache });
    const { convertRun } = await import('../pipeline/convert.js');
    const { from, queries, hits, notes } = await convertRun(
      {
        run: String(values.run),
        ...format,
        to,
        out,
        ...(tag !== undefined && { tag: String(tag) }),
        ...(dataset !== undefined && {
          searched: {
            dataset: String(dataset),
            ...(data !== undefined && { data: dataFolder(String(data)) }),
            offline: values.offline === true,
            split: splitOf(values, 'test'),
            config,
            cache: config.cache,
          },
        }),
      },
      beginJob(values),
    );
    print(`${from} to ${to}: ${counted(hits, 'hits')} of ${counted(queries, 'queries')}: ${out}\n`);
    print(noteLines(notes));
    return 0;
  },
};

/** @throws BenchError USAGE for what plays no part in a result of mteb */
async function recordOfMteb(values: Values, print: Print): Promise<number> {
  const others = ['run-format', 'dataset', 'data', 'offline'].filter((name) => values[name] !== undefined);
  if (others.length > 0)
    throw new BenchError(
      'USAGE',
      `--${others.join(', --')} play no part in --to record: a result of mteb is read.`,
    );
  const { importMteb } = await import('../pipeline/record-exchange.js');
  const out = path.resolve(String(values.out));
  const { arch, dataset, measures } = await importMteb({
    ...{ result: String(values.run), out },
    ...(values.tag !== undefined && { tag: String(values.tag) }),
    ...(values.split !== undefined && { split: String(values.split) }),
  });
  print(
    `${arch.name} on ${dataset.name}, ${dataset.split}: ${counted(Object.keys(measures).length, 'measures')}: ${out}\n`,
  );
  return 0;
}
