/**
 * Hard negatives as a file: `query<TAB>passage,passage,...`, best first, a query a line; the layout that MS MARCO's
 * negatives are handed around in. A third column makes the file a set of examples: the positives that the query trains on
 * with these negatives, which may be none. gzip is read whatever the file is called, and written where the name ends in .gz.
 * In a passage id, what the layout needs for itself is written as in a URL: a comma is %2C, a percent sign %25.
 */
import path from 'node:path';
import type { DataFile } from '../contracts.js';
import { BenchError } from '../errors.js';
import { areDistinct } from './identifier-hashes.js';
import { textLines } from './json-lines.js';
import { writeLines } from './text-writer.js';

/** Passage ids by query id. */
export interface NegativeLists {
  /** Best first. */
  negatives: ReadonlyMap<string, readonly string[]>;
  /** What each query trains on with them, for the same queries; absent where the file says nothing of positives. */
  positives?: ReadonlyMap<string, readonly string[]>;
}

/** Where a stage that finds hard negatives leaves them. */
export const negativesFile = (folder: string): string => path.join(folder, 'negatives.tsv.gz');

/** @throws BenchError DATA_INVALID for an id that the format cannot hold */
export async function writeNegatives(file: string, lists: NegativeLists): Promise<DataFile> {
  return writeLines(file, lines(lists));
}

function* lines({ negatives, positives }: NegativeLists): Generator<string> {
  for (const [queryId, passageIds] of negatives) {
    if (queryId === '' || /[\t\r\n]/.test(queryId)) throw refused('query', queryId, 'tab or a line break');
    const columns = [passageIds, ...(positives === undefined ? [] : [positives.get(queryId) ?? []])];
    for (const id of columns.flat()) {
      if (id === '') throw refused('passage', id, 'tab or a line break');
    }
    yield `${[queryId, ...columns.map((ids) => ids.map(escaped).join(','))].join('\t')}\n`;
  }
}

const escaped = (id: string): string => id.replace(/[%,\t\r\n]/g, encodeURIComponent);
// A search and replacement that finds nothing leaves more behind than the id itself, for each of millions.
const unescaped = (id: string): string =>
  id.includes('%') ? id.replace(/%(?:25|2C|09|0D|0A)/gi, decodeURIComponent) : id;

function refused(kind: string, id: string, what: string): BenchError {
  return new BenchError(
    'DATA_INVALID',
    `The ${kind} id ${JSON.stringify(id)} cannot stand in a file of negatives.`,
    { hint: `Ids there are not empty and hold no ${what}.` },
  );
}

/** Whether its first line names positives. @throws BenchError PATH_INVALID, DATA_INVALID where it is no text */
export async function namesPositives(file: string): Promise<boolean> {
  for await (const { text } of textLines(file, 'DATA_INVALID')) {
    if (text !== '') return text.split('\t').length === 3;
  }
  return false;
}

/**
 * @throws BenchError PATH_INVALID; DATA_INVALID with the line: columns, a query twice, a passage twice for a query or both
 *   its positive and its negative
 */
export async function readNegatives(
  file: string,
): Promise<{ [Lists in keyof NegativeLists]: Map<string, string[]> }> {
  const negatives = new Map<string, string[]>();
  const positives = new Map<string, string[]>();
  const lineOf = new Map<string, number>();
  let width: number | undefined;
  for await (const { text, line } of textLines(file, 'DATA_INVALID')) {
    if (text === '') continue;
    const columns = text.split('\t');
    const [queryId = '', ...lists] = columns;
    const fault = (what: string) =>
      new BenchError('DATA_INVALID', `${file}, line ${line}: ${what}.`, {
        hint: 'Each line is: query, a tab, passage ids with commas between them; or, in every line, a tab and positives after that.',
      });
    if (columns.length !== 2 && columns.length !== 3) throw fault(`${columns.length} columns`);
    width ??= columns.length;
    if (columns.length !== width) throw fault(`${columns.length} columns, and ${width} in the lines before`);
    if (queryId === '') throw fault('no query id');
    const earlier = lineOf.get(queryId);
    if (earlier !== undefined) throw fault(`query '${queryId}' again, after line ${earlier}`);
    const [own = [], answers = []] = lists.map((list) => (list === '' ? [] : list.split(',').map(unescaped)));
    const all = [...own, ...answers];
    if (all.includes('')) throw fault('an empty passage id');
    if (!areDistinct(all)) throw fault(`query '${queryId}' has a passage twice`);
    lineOf.set(queryId, line);
    negatives.set(queryId, own);
    if (width === 3) positives.set(queryId, answers);
  }
  if (negatives.size === 0) throw new BenchError('DATA_INVALID', `${file} holds no negatives.`);
  return { negatives, ...(width === 3 && { positives }) };
}
