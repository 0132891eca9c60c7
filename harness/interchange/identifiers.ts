/** What an id may be, so that files of TREC can hold it. */
import { BenchError } from '../errors.js';

// Written as a class of everything up to a space, because that is exactly what the reader takes for a column's end.
const separator = /[\0- ]/;

/** As `assertQueryId`, for ids that are about to be written. */
export function assertFirstColumn(queryId: string): void {
  assertQueryId(queryId, () => 'The query id');
}

/** As `assertWritable`; gives the id back. */
export function assertId(id: string, kind: string): string {
  assertWritable(id, () => `The ${kind}`);
  return id;
}

/**
 * An id that no run file can hold is refused where a collection is read, not when its run is written.
 * @param what names the id, with its file and line where it was read
 * @throws BenchError DATA_INVALID
 */
export function assertWritable(id: string, what: () => string): void {
  if (id.length > 0 && !separator.test(id)) return;
  throw new BenchError('DATA_INVALID', `${what()} ${JSON.stringify(id)} cannot stand in a TREC file.`, {
    hint: 'Ids in TREC files are not empty and hold no white space.',
  });
}

/**
 * As `assertWritable`, for what begins a line: one that begins with # is a comment to trec_eval and to the reader here, so
 * that qrels of such a query would be passed over.
 */
export function assertQueryId(id: string, what: () => string): void {
  assertWritable(id, what);
  if (!id.startsWith('#')) return;
  throw new BenchError(
    'DATA_INVALID',
    `${what()} ${JSON.stringify(id)} cannot begin a line of a TREC file.`,
    { hint: 'Lines that begin with # are comments there: rename the query in all files.' },
  );
}
