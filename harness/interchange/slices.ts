/** Slices of the queries as a file: `query<TAB>slice`, a query a line, plain or gzip. A name of a slice may hold blanks. */
import { BenchError } from '../errors.js';
import { textLines } from './json-lines.js';

/** How many faults are listed before they are only counted. */
const listed = 10;

/**
 * The slice of every query.
 * @returns by query id, in the order of the file
 * @throws BenchError PATH_INVALID; DATA_INVALID that lists the lines at fault: columns, an empty id or name, a query twice
 */
export async function readSlices(file: string): Promise<Map<string, string>> {
  const slices = new Map<string, string>();
  const lineOf = new Map<string, number>();
  const faults: string[] = [];
  for await (const { text, line } of textLines(file, 'DATA_INVALID')) {
    if (text.trim() === '') continue;
    const columns = text.split('\t').map((column) => column.trim());
    const [queryId = '', slice = ''] = columns;
    const earlier = lineOf.get(queryId);
    if (columns.length !== 2) faults.push(`line ${line}: ${columns.length} columns`);
    else if (queryId === '') faults.push(`line ${line}: no query id`);
    else if (slice === '') faults.push(`line ${line}: no slice`);
    else if (earlier !== undefined) {
      faults.push(`line ${line}: query '${queryId.slice(0, 80)}' again, after line ${earlier}`);
    } else {
      slices.set(queryId, slice);
      lineOf.set(queryId, line);
    }
  }
  if (faults.length > 0) {
    const more = faults.length > listed ? `\n  and ${faults.length - listed} more` : '';
    throw new BenchError(
      'DATA_INVALID',
      `${file} cannot be read as slices:\n  ${faults.slice(0, listed).join('\n  ')}${more}`,
      { hint: 'Each line is: query id, a tab, the name of its slice; every query once.' },
    );
  }
  if (slices.size === 0) throw new BenchError('DATA_INVALID', `${file} holds no slices.`);
  return slices;
}
