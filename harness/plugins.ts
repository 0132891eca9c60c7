/**
 * Finds plug-ins. Every file of a plug-in folder is one; its name is its name on the command line and its default
 * export is the plug-in. Nothing is imported before it is asked for by name or a list of names is wanted.
 */
import path from 'node:path';
import type { ArchitectureFamily, DatasetPlugin, Pooling, ReportPlugin } from './contracts.js';
import { BenchError, unknownName } from './errors.js';
import { builtRoot, type Kind, load, namesIn } from './plugin-files.js';
import { type DatasetName, namedBy, parseDatasetName } from './plugins/dataset-name.js';

const kinds = {
  family: {
    folder: 'architectures',
    members: { summary: 'string', poolings: 'object', resolve: 'function', represent: 'function' },
  },
  pooling: {
    folder: path.join('architectures', 'pooling'),
    members: { shortName: 'string', summary: 'string', pool: 'function', trainsOn: 'string' },
  },
  dataset: { folder: 'datasets', members: { summary: 'string', downloads: 'function', open: 'function' } },
  report: { folder: 'reports', members: { summary: 'string', extension: 'string', render: 'function' } },
  measure: {
    folder: path.join('harness', 'metrics', 'measures'),
    members: { describe: 'function', needs: 'string', cut: 'string', unit: 'string', score: 'function' },
  },
  /** Kinds of systems, see `harness/systems.ts`. */
  system: {
    folder: path.join('harness', 'systems'),
    members: { list: 'function', has: 'function', load: 'function' },
  },
} as const satisfies Record<string, Kind>;

// ---------------------------------------------------------------------------------------------- architectures

export interface LoadedArchitecture {
  /** As the command line says it: `mlr-sc`. */
  name: string;
  family: ArchitectureFamily;
  familyName: string;
  /** Absent for multi-vector search. */
  pooling?: Pooling;
  /** The pooling's file name, `self-contrastive`. */
  poolingName?: string;
}

/** A name on the command line and what it stands for. */
export interface ArchitectureListing {
  name: string;
  summary: string;
}

/** Every combination that makes sense, each family followed by its single-vector forms. */
export async function listArchitectures(root: string = builtRoot): Promise<ArchitectureListing[]> {
  const poolings = await loadPoolings(root);
  const listed: ArchitectureListing[] = [];
  for (const familyName of namesIn(kinds.family, root)) {
    const family = await load<ArchitectureFamily>(kinds.family, familyName, root);
    listed.push({ name: familyName, summary: family.summary });
    for (const { shortName, summary } of poolings.values()) {
      if (typeof family.poolings[shortName] !== 'string')
        listed.push({ name: `${familyName}-${shortName}`, summary });
    }
  }
  return listed;
}

export async function architectureNames(root: string = builtRoot): Promise<string[]> {
  return (await listArchitectures(root)).map(({ name }) => name);
}

/** Whether the name begins with a family's, be its pooling right or not. */
export function hasFamily(name: string, root: string = builtRoot): boolean {
  return namesIn(kinds.family, root).some((family) => name === family || name.startsWith(`${family}-`));
}

async function loadPoolings(root: string): Promise<Map<string, Pooling>> {
  const poolings = new Map<string, Pooling>();
  for (const name of namesIn(kinds.pooling, root)) {
    poolings.set(name, await load<Pooling>(kinds.pooling, name, root));
  }
  return poolings;
}

/**
 * @param name `family` or `family-pooling`, the pooling by its short name
 * @throws BenchError UNKNOWN_NAME with a near name, or with the reason where the family refuses the pooling
 */
export async function loadArchitecture(name: string, root: string = builtRoot): Promise<LoadedArchitecture> {
  const families = namesIn(kinds.family, root);
  if (families.includes(name)) {
    return { name, familyName: name, family: await load<ArchitectureFamily>(kinds.family, name, root) };
  }
  const dash = name.lastIndexOf('-');
  const familyName = name.slice(0, dash);
  const shortName = name.slice(dash + 1);
  if (dash > 0 && families.includes(familyName)) {
    const family = await load<ArchitectureFamily>(kinds.family, familyName, root);
    const found = [...(await loadPoolings(root))].find(([, pooling]) => pooling.shortName === shortName);
    const verdict = Object.hasOwn(family.poolings, shortName) ? family.poolings[shortName] : undefined;
    if (found !== undefined && typeof verdict !== 'string') {
      return { name, familyName, family, pooling: found[1], poolingName: found[0] };
    }
    if (found !== undefined && typeof verdict === 'string') {
      throw new BenchError('UNKNOWN_NAME', `The architecture '${name}' makes no sense: ${verdict}`, {
        hint: `'bench list architectures' shows every combination that does.`,
      });
    }
  }
  throw unknownName('architecture', name, await architectureNames(root));
}

// ---------------------------------------------------------------------------------------- datasets and reports

export interface LoadedDataset extends Omit<DatasetName, 'file'> {
  /** As the command line says it: `dpr/nq`. */
  name: string;
  plugin: DatasetPlugin;
}

export const datasetFiles = (root: string = builtRoot): string[] => namesIn(kinds.dataset, root);

async function datasetPlugin(name: string, root: string): Promise<DatasetName & { plugin: DatasetPlugin }> {
  const parts = parseDatasetName(name);
  if (!datasetFiles(root).includes(parts.file)) throw unknownName('dataset', name, await datasetNames(root));
  const plugin = await load<DatasetPlugin>(kinds.dataset, parts.file, root);
  return { ...namedBy(name, parts, plugin.address), plugin };
}

/**
 * @param name `plugin` or `plugin/variant`, and after a colon the user's name of a collection
 * @throws BenchError USAGE for a name that none can have; UNKNOWN_NAME with a near name, or with the members where the name stands for several datasets
 */
export async function loadDataset(name: string, root: string = builtRoot): Promise<LoadedDataset> {
  const { file, plugin, variant, label, address } = await datasetPlugin(name, root);
  const own = { ...(label !== undefined && { label }), ...(address !== undefined && { address }) };
  if (variant === undefined) return { name, plugin, ...own };
  const { variants = [], groups = {} } = plugin;
  if (variants.includes(variant)) return { name, plugin, variant, ...own };
  if (Object.hasOwn(groups, variant)) {
    const members = groups[variant]!.map((each) => `${file}/${each}`);
    throw new BenchError('UNKNOWN_NAME', `'${name}' stands for ${members.length} datasets.`, {
      hint: `bench run takes it and averages them; name one of them here: ${members.join(', ')}.`,
    });
  }
  if (variants.length > 0) throw unknownName('dataset', name, namesOf(file, plugin));
  const message = `The dataset '${file}' has no variants, and '/${variant}' was asked for.`;
  throw new BenchError('UNKNOWN_NAME', message, { hint: `Write --dataset ${file}` });
}

/**
 * The datasets that a name stands for: itself alone, or the members of a group, whose figures are averaged.
 * @throws BenchError UNKNOWN_NAME with a near name
 */
export async function datasetsNamed(name: string, root: string = builtRoot): Promise<string[]> {
  const { file, plugin, variant, label } = await datasetPlugin(name, root);
  const { groups = {} } = plugin;
  const ending = label === undefined ? '' : `:${label}`;
  if (variant !== undefined && Object.hasOwn(groups, variant))
    return groups[variant]!.map((each) => `${file}/${each}${ending}`);
  return [(await loadDataset(name, root)).name];
}

function namesOf(file: string, { variants = [], groups = {} }: DatasetPlugin): string[] {
  return [...variants, ...Object.keys(groups)].map((variant) => `${file}/${variant}`);
}

/** Every dataset, and every variant and group of those that have some. */
export async function datasetNames(root: string = builtRoot): Promise<string[]> {
  const names: string[] = [];
  for (const file of datasetFiles(root)) {
    names.push(file, ...namesOf(file, await load<DatasetPlugin>(kinds.dataset, file, root)));
  }
  return names;
}

export const reportNames = (root: string = builtRoot): string[] => namesIn(kinds.report, root);

/** @throws BenchError UNKNOWN_NAME with a near name */
export async function loadReport(name: string, root: string = builtRoot): Promise<ReportPlugin> {
  const names = reportNames(root);
  if (!names.includes(name)) throw unknownName('report', name, names);
  return load<ReportPlugin>(kinds.report, name, root);
}

// ---------------------------------------------------------------------------------------- measures and systems

export const measureFiles = (root: string = builtRoot): string[] => namesIn(kinds.measure, root);

export const loadMeasureFile = <Family>(name: string, root: string = builtRoot): Promise<Family> =>
  load<Family>(kinds.measure, name, root);

export const systemFiles = (root: string = builtRoot): string[] => namesIn(kinds.system, root);

/** @param name of a file of `harness/systems` */
export const loadSystemFile = <Kind>(name: string, root: string = builtRoot): Promise<Kind> =>
  load<Kind>(kinds.system, name, root);
