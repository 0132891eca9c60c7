/** The grid that a command line of `bench reproduce` asks for. */
import { BenchError, nearestName } from '../errors.js';
import type { GridOptions } from '../reproduction/grid.js';
import type { Scale } from '../reproduction/reproduction.js';
import type { Values } from './command.js';
import { anewOf, existingFolder, nameIn, wholeNumber } from './request.js';

/** Flags of the configuration that a grid leaves open. */
export const openFlags = [
  'seeds',
  'engine',
  'device',
  'searcher',
  'threads',
  'cache',
  'store',
  'out',
  'keep',
];

/** @throws BenchError USAGE */
export function workersOf(values: Values): number | undefined {
  const workers = wholeNumber(values, 'workers');
  if (workers === undefined || values['dry-run'] === true) return workers;
  throw new BenchError(
    'USAGE',
    '--workers goes with --dry-run: bench reproduce itself runs on this machine.',
    { hint: 'Sweeps are shared by bench work, bench worker and bench run --on: docs/machines.md.' },
  );
}

export function optionsOf(values: Values): GridOptions {
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
