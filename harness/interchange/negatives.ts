/**
 * Hard negatives as a file: `query<TAB>passage,passage,...`, best first, a query a line; the layout that MS MARCO's
 * negatives are handed around in. gzip is read whatever the file is called, and written where the name ends in .gz.
 * In a passage id, what the layout needs for itself is written as in a URL: a comma is %2C, a percent sign %25.
 */
import type { DataFile } from '../contracts.js';
import { BenchError } from '../errors.js';
import { textLines } from './json-lines.js';
import { writeLines } from './text-writer.js';

export type Negatives = ReadonlyMap<string, readonly string[]>;

/** @throws BenchError DATA_INVALID for an id that the format cannot hold */
export async function writeNegatives(file: string, negatives: Negatives): Promise<DataFile> {
  return writeLines(file, lines(negatives));
}

function* lines(negatives: Negatives): Generator<string> {
  for (const [queryId, passageIds] of negatives) {
    if (queryId === '' || /[\t\r\n]/.test(queryId)) throw refused('query', queryId, 'tab or a line break');
    for (const id of passageIds) {
      if (id === '') throw refused('passage', id, 'tab or a line break');
    }
    yield `${queryId}\t${passageIds.map(escaped).join(',')}\n`;
  }
}

const escaped = (id: string): string => id.replace(/[%,\t\r\n]/g, encodeURIComponent);
const unescaped = (id: string): string => id.replace(/%(?:25|2C|09|0D|0A)/gi, decodeURIComponent);

function refused(kind: string, id: string, what: string): BenchError {
  return new BenchError(
    'DATA_INVALID',
    `The ${kind} id ${JSON.stringify(id)} cannot stand in a file of negatives.`,
    {
      hint: `Ids there are not empty and hold no ${what}.`,
    },
  );
}

/** @throws BenchError PATH_INVALID; DATA_INVALID with the line: columns, a query twice, a passage twice for a query */
export async function readNegatives(file: string): Promise<Map<string, string[]>> {
  const negatives = new Map<string, string[]>();
  const lineOf = new Map<string, number>();
  for await (const { text, line } of textLines(file, 'DATA_INVALID')) {
    if (text === '') continue;
    const columns = text.split('\t');
    const [queryId = '', list = ''] = columns;
    const fault = (what: string) =>
      new BenchError('DATA_INVALID', `${file}, line ${line}: ${what}.`, {
        hint: 'Each line is: query, a tab, passage ids with commas between them.',
      });
    if (columns.length !== 2) throw fault(`${columns.length} columns`);
    if (queryId === '') throw fault('no query id');
    const earlier = lineOf.get(queryId);
    if (earlier !== undefined) throw fault(`query '${queryId}' again, after line ${earlier}`);
    const passageIds = list === '' ? [] : list.split(',').map(unescaped);
    if (passageIds.includes('')) throw fault('an empty passage id');
    if (new Set(passageIds).size !== passageIds.length) throw fault(`query '${queryId}' has a passage twice`);
    lineOf.set(queryId, line);
    negatives.set(queryId, passageIds);
  }
  if (negatives.size === 0) throw new BenchError('DATA_INVALID', `${file} holds no negatives.`);
  return negatives;
}
