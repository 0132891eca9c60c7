/** `bench evaluate`: the measures of a run that any system made, with trec_eval's definitions. */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { runFormats } from '../interchange/run-file.js';
import { readSlices } from '../interchange/slices.js';
import { jsonText } from '../json.js';
import { writeRecord } from '../record.js';
import { removePartialsOf } from '../store/partials.js';
import { assertFileTakes } from '../store/writable.js';
import { type Command, splitList, type Values } from './command.js';
import { againstQrels, formatOf, usualMeasures } from './evaluate-qrels.js';
import { assertRecordsFolder, evaluateSeveral, named, runsOf } from './evaluate-several.js';
import { type Evaluated, sliceText, textOf } from './evaluation-text.js';
import { beginJob } from './job.js';
import { datasetOptions, noWaitOption, sliceOption, someOptions } from './options.js';
import { configOf, splitOf, stageRequest } from './request.js';

export const command: Command = {
  usage: '--run [NAME=]FILE... --qrels FILE|--dataset D [--measure M,...] [options]',
  description:
    'Evaluates a run of any system: the six columns of TREC, the three of tevatron (a score) or MS MARCO (a rank), the JSON of DPR or BEIR, plain or gzip. With --qrels it gives the numbers of trec_eval 9.0.8, with --complete too those of trec_eval -c; with --dataset it measures as bench run does: every query of the split counts, answers are sought in the texts. What it prints with --json is a run record, which compare and report take like any other.',
  options: {
    run: {
      type: 'texts',
      describe: 'hits of every query, FILE or NAME=FILE; several are compared with the first',
      required: true,
    },
    'run-format': {
      type: 'text',
      describe: `format of the run: ${Object.keys(runFormats).join(', ')}; seen from the file where absent`,
    },
    qrels: { type: 'text', describe: 'judgements, in TREC or BEIR format' },
    measure: { type: 'text', describe: `measures, 'bench list measures'; ${usualMeasures} where absent` },
    ties: { type: 'text', describe: 'order of equal scores: trec_eval (where absent) or as-ranked' },
    relevance: {
      type: 'text',
      describe: 'lowest relevance that counts as relevant (trec_eval -l), 1 where absent',
    },
    depth: { type: 'text', describe: 'hits per query that are looked at (trec_eval -M), all where absent' },
    complete: {
      type: 'switch',
      describe: 'count every query that is judged, 0 where it has no hits (trec_eval -c)',
    },
    'judged-only': {
      type: 'switch',
      describe: 'leave hits out that nobody judged, before ranks are counted (trec_eval -J)',
    },
    dataset: { type: 'text', describe: "the dataset searched instead of --qrels, 'bench list datasets'" },
    data: datasetOptions.data!,
    split: { type: 'text', describe: 'its queries that were searched: train, dev, or test, which is usual' },
    ...someOptions('cache', 'store', 'config'),
    offline: datasetOptions.offline!,
    'no-wait': noWaitOption,
    slice: sliceOption,
    'per-query': { type: 'switch', describe: 'print the value of every query too' },
    record: {
      type: 'text',
      describe: 'file to write the run record to, ending in .record.json; of several runs a folder',
    },
    json: { type: 'switch', describe: 'print the run record as JSON' },
  },
  examples: [
    ['bench evaluate --run bm25.run.gz --qrels qrels.txt --measure ndcg@10,mrr@10', 'a table'],
    [
      'bench evaluate --run bm25.run --qrels qrels.txt --record results/bm25.record.json',
      'for bench compare',
    ],
    [
      'bench evaluate --run bm25=a.run --run ours=b.run --qrels qrels.txt --measure nDCG@10,RR@10',
      'one table, with the p of each difference',
    ],
    [
      'bench evaluate --run mlr-sc.run.gz --dataset squad --measure answer@20',
      "top-k accuracy by DPR's answers",
    ],
  ],
  async run(values, _positionals, print) {
    refuseMixture(values);
    const slices = values.slice === undefined ? undefined : await readSlices(String(values.slice));
    const runs = runsOf(values.run as readonly string[]);
    const one = (file: string) => {
      const asked: Values = { ...values, run: file };
      return asked.dataset === undefined ? againstQrels(asked) : againstDataset(asked);
    };
    const { record: place } = values;
    // Better known before a dataset is read than behind it.
    if (place !== undefined) await (runs.length > 1 ? assertRecordsFolder : assertFileTakes)(String(place));
    if (runs.length > 1) return evaluateSeveral(runs, values, one, print, slices);
    const { evaluation, remarks, record: makeRecord } = await one(runs[0]!.file);
    const record = async () => named(await makeRecord(), runs[0]!);
    // Slices that do not fit are refused before anything is written.
    const sliced =
      slices === undefined
        ? ''
        : `\n${await sliceText([{ file: runs[0]!.file, record: await record() }], slices)}`;
    if (values.json === true || values.record !== undefined) {
      const made = await record();
      if (values.record !== undefined) {
        const file = path.resolve(String(values.record));
        await removePartialsOf(file);
        await writeRecord(file, made);
      }
      if (values.json === true) print(jsonText(made));
    }
    if (values.json !== true) print(`${textOf(evaluation, remarks, values['per-query'] === true)}${sliced}`);
    return 0;
  },
};

/** @throws BenchError USAGE where it is not clear what the run is measured against */
function refuseMixture(values: Values): void {
  const { dataset, qrels } = values;
  if (values.slice !== undefined && values.json === true) {
    throw new BenchError('USAGE', '--slice plays no part in the record that --json prints.', {
      hint: 'The record holds the value of every query: bench compare --slice FILE --json takes it.',
    });
  }
  if ((dataset === undefined) === (qrels === undefined)) {
    const seen = dataset === undefined ? 'neither was given' : 'both were given';
    throw new BenchError('USAGE', `A run is measured against --qrels FILE or --dataset D, and ${seen}.`);
  }
  const theOthers =
    dataset === undefined
      ? ['data', 'split', 'cache', 'config', 'offline']
      : ['ties', 'relevance', 'depth', 'complete', 'judged-only'];
  const wrong = theOthers.filter((name) => values[name] !== undefined);
  if (wrong.length === 0) return;
  const needs = dataset === undefined ? '--dataset' : '--qrels';
  throw new BenchError('USAGE', `--${wrong.join(', --')} can only be given with ${needs}.`, {
    hint: 'A dataset is measured as bench run measures it; with --qrels all is as in trec_eval.',
  });
}

async function againstDataset(values: Values): Promise<Evaluated> {
  const config = configOf({ config: values.config, cache: values.cache });
  if (values.measure !== undefined) config.measures = splitList('measure', String(values.measure));
  const request = await stageRequest(values, config);
  const { evaluateRun } = await import('../pipeline/evaluate-run.js');
  const progress = beginJob(values);
  const run = { run: String(values.run), ...formatOf(values) };
  const asked = { ...request, ...run, split: splitOf(values, 'test') };
  const { record, measured, remarks } = await evaluateRun(asked, progress);
  for (const warning of measured.warnings) progress.note(warning);
  return { evaluation: measured.evaluation, remarks, record: async () => record };
}
