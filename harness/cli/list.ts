/** `bench list`: the names that other commands take. Loads no native package. */
import { BenchError, unknownName } from '../errors.js';
import { jsonText } from '../json.js';
import type { EngineName } from '../tensor/engine.js';
import type { Command } from './command.js';
import { renderList } from './table.js';

interface Item {
  name: string;
  summary: string;
  /** Why it cannot be used on this machine, and what adds it. */
  missing?: string;
}

const engineSummaries: Record<EngineName, string> = {
  onnx: 'ONNX Runtime, on all cores; comes with bench',
  tensorflow: "TensorFlow's native library, on an NVIDIA GPU where it finds one; to be installed",
  'tfjs-cpu': 'plain JavaScript, slow; the reference that the others are tested against',
};

const lists: Readonly<Record<string, () => Promise<Item[]>>> = {
  architectures: async () => (await import('../systems.js')).listSystems().then((listed) => [...listed]),
  systems: async () => (await import('../systems.js')).listSystemForms(),
  datasets: async () => {
    const { datasetNames, datasetsNamed, loadDataset } = await import('../plugins.js');
    const names = await datasetNames();
    return Promise.all(
      names.map(async (name) => {
        const members = await datasetsNamed(name);
        if (members.length > 1) return { name, summary: `the mean over ${members.length} datasets` };
        const { plugin, variant } = await loadDataset(name);
        return { name, summary: variant === undefined ? plugin.summary : '' };
      }),
    );
  },
  encoders: async () => {
    const { encoders } = await import('../model/known-encoders.js');
    return encoders.map(({ modelTypes, summary }) => ({ name: Object.keys(modelTypes).join(', '), summary }));
  },
  engines: async () => [
    { name: 'auto', summary: 'tensorflow where its GPU build finds a GPU, else onnx' },
    ...itemsOf(engineSummaries),
  ],
  searchers: async () => (await import('../pipeline/searchers.js')).listSearchers(),
  precisions: async () => {
    const { loadPrecision, precisionNames, usualPrecision } = await import('../tensor/onnx/precision.js');
    const others = precisionNames().map(async (name) => {
      const { summary, training } = (await loadPrecision(name))!;
      return { name, summary: `${summary}; ${usesOf(training !== undefined)}` };
    });
    return [
      {
        name: usualPrecision,
        summary: `what is computed in where nothing else is asked for; on every engine; ${usesOf(true)}`,
      },
      ...(await Promise.all(others)),
    ];
  },
  reports: async () => {
    const { loadReport, reportNames } = await import('../plugins.js');
    return Promise.all(
      reportNames().map(async (name) => ({ name, summary: (await loadReport(name)).summary })),
    );
  },
  measures: async () => {
    const { measureFamilies } = await import('../plugins/measures.js');
    return measureFamilies.map(({ name, cut, describe }) => ({
      name: cut === 'optional' ? `${name}, ${name}@k` : `${name}@k`,
      summary: describe('k'),
    }));
  },
  presets: async () => {
    const { presets } = await import('../presets.js');
    return Object.entries(presets).map(([name, { summary }]) => ({ name, summary }));
  },
  reproductions: async () => {
    const { loadReproduction, reproductionNames } = await import('../reproduction/files.js');
    return reproductionNames().map((name) => {
      const { title } = loadReproduction(name).reproduction;
      return { name, summary: title };
    });
  },
};

/** The settings that take a precision. */
const usesOf = (trains: boolean): string =>
  trains ? 'for encode.precision and train.precision' : 'for encode.precision';

const withMissing = ({ name, summary, missing }: Item): Item => ({
  name,
  summary: missing === undefined ? summary : `${summary}. Not here: ${missing}`,
});

function itemsOf(summaries: Readonly<Record<string, string>>): Item[] {
  return Object.entries(summaries).map(([name, summary]) => ({ name, summary }));
}

export const command: Command = {
  usage: 'KIND',
  description: `Lists the names that other commands take. KIND is one of ${Object.keys(lists).join(', ')}.`,
  options: { json: { type: 'switch', describe: 'print names and summaries as JSON' } },
  maxArguments: 1,
  examples: [
    ['bench list systems', 'what --arch takes'],
    ['bench list presets --json', 'for a program'],
  ],
  async run(values, [what], print) {
    if (what === undefined) {
      throw new BenchError('USAGE', 'bench list needs to know what to list.', {
        hint: `One of: ${Object.keys(lists).join(', ')}.`,
      });
    }
    const list = Object.hasOwn(lists, what) ? lists[what] : undefined;
    if (list === undefined) throw unknownName('list', what, Object.keys(lists));
    const items = await list();
    print(values.json === true ? jsonText(items) : renderList(items.map(withMissing)));
    return 0;
  },
};
