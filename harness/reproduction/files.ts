/** Finds and reads reproductions: one JSON file a table or figure, beside the sources, or any file of that form. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchError, unknownName, unreadable } from '../errors.js';
import { parseJson } from '../json.js';
import { faultFinder, jsonPath } from '../json-schema.js';
import { assertPlain } from '../store/plain-file.js';
import { factNamed, factNames } from './facts.js';
import type { Reproduction } from './reproduction.js';

const folder = fileURLToPath(new URL('../../../harness/reproductions', import.meta.url));
const schemaFile = fileURLToPath(new URL('../../../harness/reproduction.schema.json', import.meta.url));

const { compare } = new Intl.Collator('en', { numeric: true });

/** `table2` and so on, tables after figures, in the order of their numbers. */
export function reproductionNames(): string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.map((file) => file.slice(0, -'.json'.length)).sort(compare);
}

export interface LoadedReproduction {
  /** `table2`; of a file of one's own, its name without the ending. */
  name: string;
  file: string;
  reproduction: Reproduction;
}

/**
 * @param name of a table or figure, or a path that ends in `.json`
 * @throws BenchError UNKNOWN_NAME with a near name, PATH_INVALID, DATA_INVALID that lists every fault of the file
 */
export function loadReproduction(name: string): LoadedReproduction {
  const own = name.endsWith('.json');
  if (!own && !reproductionNames().includes(name)) {
    throw unknownName('reproduction', name, reproductionNames());
  }
  const file = own ? path.resolve(name) : path.join(folder, `${name}.json`);
  return { name: path.basename(file, '.json'), file, reproduction: assertReproduction(read(file), file) };
}

function read(file: string): unknown {
  let text: string;
  assertPlain(file);
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause, `Name a file, or one of ${reproductionNames().join(', ')}.`);
  }
  try {
    return parseJson(text) as unknown;
  } catch (cause) {
    throw new BenchError('DATA_INVALID', `${file} is not JSON: ${(cause as Error).message}.`, { cause });
  }
}

const faultsOf = faultFinder(() => parseJson(readFileSync(schemaFile, 'utf8')) as object);

function assertReproduction(value: unknown, file: string): Reproduction {
  const wrong = faultsOf(value);
  const faults = wrong.length > 0 ? wrong : inconsistencies(value as Reproduction);
  if (faults.length === 0) return value as Reproduction;
  const list = faults.map((fault) => `\n  ${fault}`).join('');
  throw new BenchError('DATA_INVALID', `${file} is not a reproduction:${list}`, {
    hint: 'What such a file holds stands in harness/reproduction.schema.json.',
  });
}

/** What a schema cannot say. */
function inconsistencies({ groups, rows, average, small }: Reproduction): string[] {
  const faults: string[] = [];
  const labels = groups.map(({ label }) => label);
  const columns = groups.reduce((sum, group) => sum + group.columns.length, average === undefined ? 0 : 1);
  const fault = (where: readonly (string | number)[], what: string) =>
    faults.push(`${jsonPath(where)} ${what}`);
  const known = (where: readonly (string | number)[], names: readonly string[]) => {
    for (const label of names)
      if (!labels.includes(label)) fault(where, `names the group '${label}', which is not there`);
  };
  for (const [i, row] of rows.entries()) {
    known(['rows', i, 'groups'], row.groups ?? []);
    known(['rows', i, 'settingsIn'], Object.keys(row.settingsIn ?? {}));
    if (row.counts && row.architecture !== undefined)
      fault(['rows', i], 'counts, and has an architecture to run');
    const other = row.testedAgainst;
    if (other !== undefined && !rows.some(({ label }) => label === other && label !== row.label))
      fault(['rows', i, 'testedAgainst'], `names the row '${other}', which is not another one here`);
    for (const key of ['published', 'deviations', 'significant'] as const) {
      const count = row[key]?.length ?? columns;
      if (count !== columns) fault(['rows', i, key], `has ${count} figures for ${columns} columns`);
    }
  }
  for (const [g, { columns: own }] of groups.entries()) {
    for (const [c, { fact }] of own.entries()) {
      if (fact !== undefined && factNamed(fact) === undefined)
        fault(['groups', g, 'columns', c, 'fact'], `is '${fact}', not one of ${factNames.join(', ')}`);
    }
  }
  known(['small', 'group'], small.group === undefined ? [] : [small.group]);
  if (new Set(rows.map(({ label }) => label)).size < rows.length) fault(['rows'], 'have a label twice');
  if (new Set(labels).size < labels.length) fault(['groups'], 'have a label twice');
  if (average !== undefined && groups.some((group) => group.columns.length !== 1))
    fault(['average'], 'needs groups of one column each');
  return faults;
}
