/** What a command line asks for: the configuration, the dataset, a split, folders, where training starts. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { type BenchConfig, loadConfig } from '../config/config.js';
import type { Split } from '../contracts.js';
import { BenchError, unknownName } from '../errors.js';
import type { StageRequest } from '../pipeline/prepare.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { settingsOfTraining } from '../pipeline/settings-in-play.js';
import type { System } from '../pipeline/system.js';
import { measureId } from '../plugins/measures.js';
import { loadDataset } from '../plugins.js';
import type { StoredRecord } from '../record.js';
import { loadSystem, namesBetween } from '../systems.js';
import { splitList, type Values } from './command.js';
import { refuseIdle } from './idle-options.js';

/** The configuration, for the dataset that is named where the command takes one. */
export function configOf(values: Values): BenchConfig {
  const file = values.config === undefined ? {} : { file: String(values.config) };
  const dataset = values.dataset === undefined ? {} : { dataset: String(values.dataset) };
  const set = (values.set ?? []) as readonly string[];
  const config = loadConfig({ ...file, ...dataset, cwd: process.cwd(), flags: values, set });
  // Two names of a measure would be two settings, and runs of two systems.
  return { ...config, measures: [...new Set(config.measures.map(measureId))] };
}

/** The names of a list, measures by the ids that the records have them under: `nDCG@10` is ndcg@10. */
export function measuresIn(flag: string, text: string, records: readonly StoredRecord[]): string[] {
  const held = new Set(records.flatMap(({ record }) => Object.keys(record.measures)));
  return [...new Set(splitList(flag, text).map((name) => (held.has(name) ? name : measureId(name))))];
}

/**
 * What training starts from and learns from, and the configuration on a dataset. Where `--init` stands, it says what the
 * configuration's model is: presets and the record go by it.
 */
export async function trainingStart(
  values: Values,
): Promise<{ configOn(dataset: string): BenchConfig } & Pick<RunRequest, 'init' | 'negatives'>> {
  const named = values.negatives === undefined ? undefined : splitList('negatives', String(values.negatives));
  const negatives = named === undefined ? {} : { negatives: named };
  const configOn = (model: Values[string]) => (dataset: string) => configOf({ ...values, model, dataset });
  if (values.init === undefined) return { configOn: configOn(values.model), ...negatives };
  if (values.model !== undefined) {
    throw new BenchError('USAGE', '--init and --model both say what training starts from.', {
      hint: 'Give one of them: --init for a checkpoint of bench train, --model for any other.',
    });
  }
  const init = checkpointFolder('init', values);
  const { originOf } = await import('../pipeline/checkpoint.js');
  return { configOn: configOn(await originOf(init)), init, ...negatives };
}

/** The systems of `--arch`, each once. @throws BenchError USAGE where a name is empty; UNKNOWN_NAME as `namesBetween` */
export async function systemsIn(values: Values): Promise<string[]> {
  const text = String(values.arch);
  splitList('arch', text);
  return [...new Set((await namesBetween(text, ',')).map((name) => name.trim()))];
}

/** Looks every system up before any work begins. */
export async function systemsNamed(names: readonly string[]): Promise<System[]> {
  const systems = [];
  for (const name of names) systems.push(await loadSystem(name));
  return systems;
}

/**
 * Who encodes, searches or mines: a trained checkpoint, whose architecture may be named, or a system that needs none.
 * @param more sections of the configuration that play a part in what is done, whoever does it
 * @throws BenchError USAGE where it is neither, and for an option that plays no part
 */
export async function whoOf(
  values: Values,
  more: System['settings'] = [],
): Promise<{ checkpoint: string; architecture?: string } | { system: string }> {
  const arch = values.arch === undefined ? undefined : String(values.arch);
  // --index is a folder here, and no setting.
  const own = { ...values, index: undefined };
  if (values.checkpoint !== undefined) {
    const architecture = arch === undefined ? {} : { architecture: arch };
    refuseIdle(own, [{ name: 'a checkpoint', settings: settingsOfTraining }], more);
    return { checkpoint: checkpointFolder('checkpoint', values), ...architecture };
  }
  if (arch === undefined) {
    throw new BenchError('USAGE', 'Neither --checkpoint nor --arch was given.', {
      hint: 'Give --checkpoint C for what bench train made, or --arch SYSTEM for what needs no checkpoint: pretrained:FOLDER, bm25, ...',
    });
  }
  const system = await loadSystem(arch);
  const { name, isTrained, components } = system;
  if (isTrained && components === undefined) {
    throw new BenchError('USAGE', `${name} is trained: its checkpoint has to be given.`, {
      hint: `bench train --arch ${name} prints its folder, for --checkpoint.`,
    });
  }
  if (values.index !== undefined) {
    throw new BenchError(
      'USAGE',
      `--index belongs to --checkpoint: that of ${name} is found in the cache, or made.`,
    );
  }
  refuseIdle(own, [system], more);
  return { system: name };
}

/** The dataset's name is looked up before any work begins. */
export async function stageRequest(values: Values, config: BenchConfig): Promise<StageRequest> {
  const dataset = String(values.dataset);
  const data = values.data === undefined ? {} : { data: dataFolder(String(values.data)) };
  await loadDataset(dataset);
  return { dataset, ...data, offline: values.offline === true, config, ...anewOf(values) };
}

/** Empty where nothing shall be made anew. @throws BenchError USAGE where two things are asked for at once */
export function anewOf({ fresh, repair }: Values): Pick<StageRequest, 'anew'> {
  if (fresh === true && repair === true) {
    throw new BenchError('USAGE', '--fresh and --repair both say what of the cache is made anew.', {
      hint: 'Give one of them: --fresh for everything, what is damaged too; --repair for what is damaged alone.',
    });
  }
  if (fresh === true) return { anew: { what: 'everything', done: new Set() } };
  return repair === true ? { anew: { what: 'damaged', done: new Set() } } : {};
}

const splits: readonly Split[] = ['train', 'dev', 'test'];

export function splitOf({ split }: Values, usual: Split): Split {
  const name = String(split ?? usual);
  const found = splits.find((each) => each === name);
  if (found === undefined) throw unknownName('split', name, splits);
  return found;
}

/** @throws BenchError USAGE where the option is not a whole number from 1; undefined where it is absent */
export function wholeNumber(values: Values, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (/^[1-9]\d*$/.test(String(text))) return Number(text);
  throw new BenchError('USAGE', `--${name} needs a whole number from 1, not '${String(text)}'.`);
}

/** @throws BenchError USAGE where the option is not a decimal number; undefined where it is absent */
export function decimal(values: Values, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(String(text)) && Number.isFinite(value)) return value;
  throw new BenchError('USAGE', `--${name} needs a number such as 0.01, not '${String(text)}'.`);
}

export function dataFolder(name: string): string {
  return existingFolder(
    'data',
    name,
    "Name the folder that holds the dataset's files, or leave --data out to download them.",
  );
}

/** What stands before the first = of NAME=FOLDER. */
export function nameIn(text: string): string | undefined {
  const equals = text.indexOf('=');
  return equals < 1 ? undefined : text.slice(0, equals);
}

/**
 * The folders of `--data`: each DATASET=FOLDER of one dataset, a FOLDER alone of all that have none of their own.
 * @param names of datasets and of groups of them, as asked for
 * @returns the folder of a dataset, by its name and by that of the group it was asked for with
 * @throws BenchError USAGE for a dataset that was not asked for, or is given twice; PATH_INVALID for what is no folder
 */
export function dataFolders(
  values: Values[string],
  names: readonly string[],
): (dataset: string, group: string) => string | undefined {
  const folders = new Map<string, string>();
  const everyOther = '';
  for (const text of (values ?? []) as readonly string[]) {
    const own = nameIn(text);
    const isNamed = own !== undefined && names.includes(own);
    if (
      own !== undefined &&
      !isNamed &&
      statSync(path.resolve(text), { throwIfNoEntry: false }) === undefined
    ) {
      throw new BenchError('USAGE', `--data ${text}: the dataset ${own} is not asked for.`, {
        hint: `Asked for: ${names.join(', ')}.`,
      });
    }
    const key = isNamed ? own : everyOther;
    if (folders.has(key)) {
      const whose = isNamed ? own : 'every dataset without one of its own';
      throw new BenchError('USAGE', `--data gives two folders for ${whose}.`, {
        hint: 'Two collections of one layout need names: --dataset beir:a,beir:b --data beir:a=DIR --data beir:b=DIR.',
      });
    }
    folders.set(key, dataFolder(isNamed ? text.slice(own.length + 1) : text));
  }
  return (dataset, group) => folders.get(dataset) ?? folders.get(group) ?? folders.get(everyOther);
}

/** @param option `checkpoint` or `init` */
export function checkpointFolder(option: string, values: Values): string {
  return existingFolder(option, String(values[option]), 'Name the folder that bench train printed.');
}

/** @throws BenchError USAGE where it is not given, PATH_INVALID where it is no folder */
export function indexFolder({ index }: Values): string {
  if (index === undefined) {
    throw new BenchError('USAGE', '--index is missing: the folder of the index of --checkpoint.', {
      hint: 'bench encode --checkpoint prints it.',
    });
  }
  return existingFolder('index', String(index), 'Name the folder that bench encode printed.');
}

/** @throws BenchError PATH_INVALID where it is no folder */
export function existingFolder(option: string, name: string, hint: string): string {
  const folder = path.resolve(name);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return folder;
  const what = found === undefined ? 'there is no such folder' : 'it is not a folder';
  throw new BenchError('PATH_INVALID', `--${option} ${name} cannot be used: ${what} (${folder}).`, { hint });
}
