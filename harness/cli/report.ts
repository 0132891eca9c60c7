/** `bench report`: tables, charts and pages from run records. */
import path from 'node:path';
import type { ReportRequest } from '../comparison.js';
import { loadConfig } from '../config/config.js';
import { BenchError } from '../errors.js';
import { readPrices } from '../interchange/prices.js';
import { readSlices } from '../interchange/slices.js';
import { loadReport, reportNames } from '../plugins.js';
import { describeMachine, readRecords, type StoredRecord } from '../record.js';
import { writeAtomic } from '../store/atomic.js';
import { removePartialsOf } from '../store/partials.js';
import { assertFileTakes } from '../store/writable.js';
import type { Command } from './command.js';
import { sliceOption } from './options.js';
import { measuresIn } from './request.js';
import { type Places, textSource } from './texts.js';

export const command: Command = {
  usage: '[RECORD...|FOLDER] [--format F] [--out FILE] [options]',
  description:
    'Lays out run records: efficiency against accuracy, with the best and the second best marked, stars where a system differs significantly from the baseline, and the reasons where something could not be compared. Without a record it takes all of the folder that bench run writes to.',
  options: {
    format: { type: 'text', describe: `${reportNames().join(', ')}; markdown where absent` },
    out: { type: 'text', describe: 'file to write; stdout where absent' },
    baseline: {
      type: 'text',
      describe: 'system that stars refer to; dual-encoder where absent, else the first',
    },
    measure: { type: 'text', describe: 'measures shown, the first of them in charts: mrr@10,answer@20' },
    columns: {
      type: 'text',
      describe:
        'columns shown, in this order: answer@20,index-bytes,search-ms; those of csv are all there are',
    },
    title: { type: 'text', describe: 'what the report is called: the heading, in LaTeX the caption' },
    label: { type: 'text', describe: 'what LaTeX refers to the table by: tab:main' },
    slice: sliceOption,
    prices: {
      type: 'text',
      describe: 'file of prices for the cost in money: {"currency": "USD", "gbMonth": 0.1, "vcpuHour": 0.04}',
    },
    'common-seeds': { type: 'switch', describe: 'pair the seeds that both systems have where they differ' },
    data: {
      type: 'text',
      describe: "folder that holds the dataset, for the texts of the html page's queries",
    },
    cache: { type: 'text', describe: 'folder of downloads, where the dataset is looked for too' },
    config: { type: 'text', describe: 'configuration file; bench.config.json of this folder where absent' },
  },
  maxArguments: Number.POSITIVE_INFINITY,
  examples: [
    ['bench report', 'a table of all records in results/, as markdown'],
    ['bench report results --format html --out report.html --data squad', 'the page, with texts'],
    [
      'bench report --format latex --columns answer@20,answer@100,index-bytes,search-ms --label tab:main',
      'for a paper',
    ],
    ['bench report --format per-query --out values.csv', 'every value of every query'],
  ],
  async run(values, targets, print) {
    const format = String(values.format ?? 'markdown');
    // A slip in its name is better known before the records are read.
    const { shows = [] } = await loadReport(format);
    for (const option of ['slice', 'prices'] as const) {
      if (values[option] !== undefined && !shows.includes(option)) throw await notShown(option, format);
    }
    const { config: file, baseline, measure, columns, title, label, data } = values;
    if (columns !== undefined && measure !== undefined) {
      throw new BenchError('USAGE', '--columns and --measure both say which measures are shown.', {
        hint: 'Name the measures among the columns.',
      });
    }
    const config = loadConfig({
      cwd: process.cwd(),
      flags: { cache: values.cache },
      ...(file !== undefined && { file: String(file) }),
    });
    if (values.out !== undefined) await assertFileTakes(String(values.out));
    const records = await readRecords(targets.length === 0 ? [config.out] : targets);
    const slices = values.slice === undefined ? {} : { slices: await readSlices(String(values.slice)) };
    const prices = values.prices === undefined ? {} : { prices: await readPrices(String(values.prices)) };
    const [rendered] = await renderReports([format], records, {
      ...(baseline !== undefined && { baseline: String(baseline) }),
      ...(columns !== undefined && { columns: measuresIn('columns', String(columns), records) }),
      ...(title !== undefined && { title: String(title) }),
      ...(label !== undefined && { label: String(label) }),
      ...(measure !== undefined && { measures: measuresIn('measure', String(measure), records) }),
      ...slices,
      ...prices,
      commonSeeds: values['common-seeds'] === true,
      cache: config.cache,
      ...(data !== undefined && { data: String(data) }),
    });
    const { text } = rendered!;
    if (values.out === undefined) {
      print(text, format === 'markdown' ? 'text' : 'data');
      return 0;
    }
    await writeTo(String(values.out), text);
    return 0;
  },
};

async function notShown(option: 'slice' | 'prices', format: string): Promise<BenchError> {
  const names = reportNames();
  const plugins = await Promise.all(names.map((name) => loadReport(name)));
  const able = names.filter((_, i) => plugins[i]!.shows?.includes(option));
  return new BenchError('USAGE', `--${option} plays no part in --format ${format}.`, {
    hint: `Take --format ${able.join(', ')}.`,
  });
}

export interface RenderRequest extends Omit<ReportRequest, 'texts' | 'values'> {
  /** Where texts are looked for. */
  cache: string;
  data?: Places['data'];
}

/** Lays out records, worked out once for all formats. @returns for each format the report, and how its file should end */
export async function renderReports(
  formats: readonly string[],
  records: readonly StoredRecord[],
  { cache, data, ...request }: RenderRequest,
): Promise<{ format: string; text: string; extension: string }[]> {
  const { prepareReport } = await import('../comparison.js');
  const plugins = await Promise.all(formats.map((format) => loadReport(format)));
  const { benchVersion } = await describeMachine();
  const needed = new Set(plugins.flatMap(({ needs = [] }) => needs));
  // Finding texts means reading the collection.
  const texts = needed.has('texts')
    ? { texts: textSource({ cache, ...(data !== undefined && { data }) }) }
    : {};
  const values = needed.has('values');
  const report = await prepareReport(records, { ...request, ...texts, values }, benchVersion);
  const rendered: { format: string; text: string; extension: string }[] = [];
  for (const [i, plugin] of plugins.entries()) {
    rendered.push({ format: formats[i]!, text: await plugin.render(report), extension: plugin.extension });
  }
  return rendered;
}

/** @throws BenchError PATH_INVALID where a folder stands there or a file in its way, NOT_WRITABLE, DISK_FULL */
export async function writeTo(name: string, text: string): Promise<void> {
  const target = path.resolve(name);
  try {
    await removePartialsOf(target);
    await writeAtomic(target, text);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOTDIR' && code !== 'EISDIR' && code !== 'EEXIST') throw cause;
    throw new BenchError('PATH_INVALID', `${name} cannot be written: ${(cause as Error).message}.`, {
      hint: 'Name a file, not a folder.',
      cause,
    });
  }
}
