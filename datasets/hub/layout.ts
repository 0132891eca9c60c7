/**
 * Which files of a repository hold the corpus, the queries and the qrels: what the `configs` of its README say, or else its
 * folders. https://huggingface.co/docs/hub/datasets-manual-configuration
 */
import { parse } from 'yaml';
import { BenchError } from '../../harness/errors.js';

/** Paths within the repository. */
export interface Layout {
  corpus: readonly string[];
  queries: readonly string[];
  /** By the publisher's name of the split. */
  qrels: ReadonlyMap<string, readonly string[]>;
  /** What of corpus and queries is not there, in words, where something is not, or is there and not understood. */
  missing: readonly string[];
  /** The same of the qrels, which may lie in a repository of their own. */
  missingQrels: readonly string[];
  /** Whether the README says which files hold what, and names none for qrels. */
  namesNoQrels: boolean;
  /** Configurations that play no part: candidates to be ranked again, say. */
  unread: readonly string[];
  licence?: string;
}

/** Of a configuration: patterns of paths by split. */
type Patterns = ReadonlyMap<string, readonly string[]>;

const dataFile = /\.(parquet|jsonl(\.gz)?|tsv(\.gz)?)$/;
/** `train-00000-of-00002`: a table in several files. */
const shardMark = /^(.*)-(\d{5,6})-of-(\d{5,6})$/;

/** @throws BenchError DATA_INVALID for a README whose head cannot be read */
export function layoutOf(files: readonly string[], readme: string | undefined): Layout {
  const data = files.filter((file) => dataFile.test(file));
  const head = headOf(readme ?? '');
  const configured = configurationsOf(head);
  const licence = typeof head.license === 'string' ? head.license : undefined;
  const { corpus, queries, qrels } =
    configured.size === 0
      ? byFolders(data)
      : {
          corpus: filesOf(configured.get('corpus'), data),
          queries: filesOf(configured.get('queries'), data),
          qrels: filesOf(configured.get('qrels') ?? configured.get('default'), data),
        };
  const all = { corpus: flat(corpus), queries: flat(queries) };
  const names = [...configured.keys()];
  const said = names.length === 0 ? '' : `; its README has ${names.join(', ')}`;
  const missing = Object.entries(all)
    .filter(([, found]) => found.length === 0)
    .map(([name]) => `it has no files of a configuration '${name}'${said}`);
  const instructions = names.find((name) => /(^|-)instructions?$/.test(name));
  if (instructions !== undefined)
    missing.push(
      `its configuration '${instructions}' belongs to the queries, which are searched as their text alone`,
    );
  const missingQrels =
    qrels.size === 0 ? [`it has no files of a configuration 'qrels' or 'default'${said}`] : [];
  return {
    ...{ ...all, qrels },
    missing: [...missing, ...missingShards([...all.corpus, ...all.queries])],
    missingQrels: [...missingQrels, ...missingShards(flat(qrels))],
    unread: names.filter((name) => !read.has(name)),
    namesNoQrels: names.length > 0 && !configured.has('qrels') && !configured.has('default'),
    ...(licence !== undefined && { licence }),
  };
}

const read: ReadonlySet<string> = new Set(['corpus', 'queries', 'qrels', 'default']);

const flat = (bySplit: Patterns): string[] => [...new Set([...bySplit.values()].flat())].sort();

/** The YAML between the dashes at the beginning of a README. */
function headOf(readme: string): Readonly<Record<string, unknown>> {
  const text = /^\ufeff?---\r?\n([\s\S]*?)\r?\n---/.exec(readme.slice(0, 1 << 20))?.[1];
  if (text === undefined) return {};
  try {
    const head: unknown = parse(text, { maxAliasCount: 100, logLevel: 'error' });
    return isObject(head) ? head : {};
  } catch (cause) {
    throw new BenchError('DATA_INVALID', `The head of README.md is no YAML: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

/** What `configs` says; a pattern may be one path, several, or several by split. */
function configurationsOf({ configs }: Readonly<Record<string, unknown>>): Map<string, Patterns> {
  const found = new Map<string, Patterns>();
  for (const config of Array.isArray(configs) ? configs : []) {
    if (!isObject(config)) continue;
    const { config_name: name = 'default', data_files: given, data_dir: folder } = config;
    if (typeof name !== 'string') continue;
    const below = typeof folder === 'string' ? `${folder.replace(/^\.?\/|\/+$/g, '')}/` : '';
    const bySplit = new Map<string, string[]>();
    const add = (split: unknown, paths: unknown) => {
      const patterns = (Array.isArray(paths) ? paths : [paths]).filter((each) => typeof each === 'string');
      if (typeof split === 'string' && patterns.length > 0)
        bySplit.set(split, [...(bySplit.get(split) ?? []), ...patterns.map((each) => below + each)]);
    };
    if (Array.isArray(given) && given.every(isObject)) for (const { split, path } of given) add(split, path);
    else if (isObject(given)) for (const [split, paths] of Object.entries(given)) add(split, paths);
    else if (given !== undefined) add('train', given);
    else if (below !== '') add('train', '**');
    found.set(name, bySplit);
  }
  return found;
}

function filesOf(patterns: Patterns | undefined, files: readonly string[]): Patterns {
  const found = new Map<string, string[]>();
  for (const [split, wanted] of patterns ?? []) {
    const chosen = files.filter((file) => wanted.some((pattern) => fits(file, pattern)));
    if (chosen.length > 0) found.set(split, chosen);
  }
  return found;
}

/** Whether a path fits a pattern: `*` and `?` within a folder, `**` across folders. One that would take long fits nothing. */
function fits(file: string, pattern: string): boolean {
  if (pattern.length > 500 || pattern.split('**').length > 3) return false;
  const parts = pattern.replace(/^\.\//, '').split('/');
  return fitsParts(file.split('/'), 0, parts, 0);
}

function fitsParts(names: readonly string[], at: number, parts: readonly string[], next: number): boolean {
  for (; next < parts.length; next++, at++) {
    if (parts[next] === '**') {
      // The last one takes files at any depth; of those before it, each takes as few folders as it can.
      if (next === parts.length - 1) return at < names.length;
      for (let skipped = at; skipped < names.length; skipped++)
        if (fitsName(names[skipped]!, parts[next + 1]!) && fitsParts(names, skipped, parts, next + 1))
          return true;
      return false;
    }
    if (at >= names.length || !fitsName(names[at]!, parts[next]!)) return false;
  }
  return at === names.length;
}

/** One name against one part, going back to the last star alone. */
function fitsName(name: string, part: string): boolean {
  let [i, j, star, taken] = [0, 0, -1, 0];
  while (i < name.length) {
    if (part[j] === '*') [star, taken, j] = [j, i, j + 1];
    else if (part[j] === '?' || part[j] === name[i]) [i, j] = [i + 1, j + 1];
    else if (star < 0) return false;
    else [j, i, taken] = [star + 1, taken + 1, taken + 1];
  }
  while (part[j] === '*') j++;
  return j === part.length;
}

/** Where a README says nothing: folders, or names, `corpus`, `queries` and `qrels`; `data` or none holds qrels too. */
function byFolders(files: readonly string[]): Record<'corpus' | 'queries' | 'qrels', Patterns> {
  const tables = { corpus: new Map(), queries: new Map(), qrels: new Map() } as Record<
    'corpus' | 'queries' | 'qrels',
    Map<string, string[]>
  >;
  for (const file of files) {
    const [folder, name] = file.includes('/') ? file.split('/') : ['', file];
    if (file.split('/').length > 2) continue;
    const stem = name!.replace(dataFile, '');
    const split = shardMark.exec(stem)?.[1] ?? stem;
    const named = folder === '' ? split : folder;
    const table =
      named === 'corpus' || named === 'queries'
        ? tables[named]
        : ['qrels', 'data', ''].includes(folder!)
          ? tables.qrels
          : undefined;
    table?.set(split, [...(table.get(split) ?? []), file]);
  }
  return tables;
}

/** Files that say how many they are, and are fewer. */
function missingShards(files: readonly string[]): string[] {
  const seen = new Map<string, { has: number; of: number }>();
  for (const file of files) {
    const [, stem, , of] = shardMark.exec(file.replace(dataFile, '')) ?? [];
    if (stem === undefined) continue;
    const key = `${stem}-*-of-${of}`;
    seen.set(key, { has: (seen.get(key)?.has ?? 0) + 1, of: Number(of) });
  }
  return [...seen]
    .filter(([, { has, of }]) => has !== of)
    .map(([key, { has, of }]) => `${has} of the ${of} files ${key}`);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
