/** Where settings come from: a file, `--set key=value`, flags with a name of their own. Each is checked on its own. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { admits, admitsEmptyList, itemAdmits, nodeAt } from './schema.js';

/** Settings from one place, before anything is known to be right. */
export interface Source {
  /** Shown in errors: a file's name, or the flag as it was typed. */
  name: string;
  settings: unknown;
}

const configFileName = 'bench.config.json';

/** Flags that stand for a key: `--model X` is `--set model.name=X`. */
export const flagKeys: Readonly<Record<string, string>> = {
  preset: 'preset',
  model: 'model.name',
  engine: 'engine',
  device: 'device',
  searcher: 'searcher',
  index: 'index.kind',
  stages: 'stages',
  seeds: 'seeds',
  measures: 'measures',
  threads: 'threads',
  cache: 'cache',
  out: 'out',
  keep: 'keep',
};

/**
 * The configuration file: the one that was named, else bench.config.json of the working folder, else none.
 * @throws BenchError PATH_INVALID, or CONFIG_INVALID where it is not JSON
 */
export function readConfigFile(cwd: string, file?: string): Source | undefined {
  const found = path.resolve(cwd, file ?? configFileName);
  if (!existsSync(found)) {
    if (file === undefined) return undefined;
    throw new BenchError('PATH_INVALID', `There is no configuration file ${found}.`, {
      hint: `Give an existing file to --config, or leave it out: ${configFileName} of the working folder is then used.`,
    });
  }
  if (!statSync(found).isFile()) {
    throw new BenchError('PATH_INVALID', `The configuration ${found} is not a file.`, {
      hint: `Name the file itself: --config ${path.join(found, configFileName)}`,
    });
  }
  const name = path.relative(cwd, found) || found;
  try {
    // Editors on Windows like to begin a file with a byte order mark, which JSON does not know.
    return { name, settings: parseJson(readFileSync(found, 'utf8').replace(/^\uFEFF/, '')) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BenchError('CONFIG_INVALID', `${name} cannot be read as JSON: ${reason}`, { cause });
  }
}

/**
 * `train.epochs=3` as a source. A value is JSON; where the key takes a list, `10,12` is one too, and nothing
 * the empty one where that is allowed; else it is a text, which keeps spaces at its ends where it stands in quotes.
 * @throws BenchError USAGE where there is no `=`
 */
export function assignment(text: string, name = `--set ${text}`): Source {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw new BenchError('USAGE', `--set needs key=value and got '${text}'.`, {
      hint: 'For instance --set train.epochs=3 or --set arch.layers=10,12',
    });
  }
  const keys = text.slice(0, equals).trim().split('.');
  const value = parseValue(text.slice(equals + 1).trim(), keys);
  // From entries, because a plain assignment to `__proto__` would not be seen as a key.
  const settings = keys.reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), value);
  return { name, settings };
}

/** Flags that were given, as sources; the others are left alone. */
export function flagSources(flags: Readonly<Record<string, unknown>>): Source[] {
  return Object.entries(flagKeys)
    .filter(([flag]) => flags[flag] !== undefined && flags[flag] !== null)
    .map(([flag, key]) => assignment(`${key}=${String(flags[flag])}`, `--${flag} ${String(flags[flag])}`));
}

function parseValue(text: string, keys: readonly string[]): unknown {
  const node = nodeAt(keys);
  const takesList = admits(node, 'array');
  // An id such as 1234 of a model is a text and stays one.
  if (node !== undefined && !takesList && !admits(node, 'number') && admits(node, 'string')) {
    if (text === 'null' && admits(node, 'null')) return null;
    // In quotes it keeps the spaces at its ends.
    const quoted = text.startsWith('"') ? jsonIfAny(text) : undefined;
    return typeof quoted === 'string' ? quoted : text;
  }
  if (text === '' && admitsEmptyList(node)) return [];
  const whole = jsonIfAny(text);
  if (!takesList) return whole === undefined ? text : whole;
  if (whole === null || Array.isArray(whole)) return whole;
  if (text.includes(',')) return text.split(',').map((part) => parseItem(part.trim()));
  const alone = parseItem(text);
  const type = typeof alone === 'number' ? 'number' : 'string';
  return !admits(node, type) && itemAdmits(node, type) ? [alone] : alone;
}

function parseItem(text: string): unknown {
  const value = jsonIfAny(text);
  return value === undefined ? text : value;
}

/** The value of a JSON text; undefined where it is none. */
function jsonIfAny(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    // Not JSON: a text without its quotes, as people type it.
    return undefined;
  }
}
