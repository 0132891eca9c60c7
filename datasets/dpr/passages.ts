/** psgs_w100.tsv and the question files, read as Python's csv.reader reads them. */
import type { Passage, Query } from '../../harness/contracts.js';
import { BenchError } from '../../harness/errors.js';
import type { PlacedId } from '../../harness/interchange/inspection.js';
import { PythonListError, parsePythonStrings } from '../../harness/interchange/python-list.js';
import { quotedRowEnds, quotedRows, quotedRowsIn } from '../../harness/interchange/quoted-columns.js';
import type { TextStart } from '../../harness/interchange/text-blocks.js';

export type PlacedPassage = Passage & PlacedId;

/**
 * The passages, header skipped. Texts lose the quotes at their ends, as in DPR's encoder (`row[1].strip('"')`).
 * @param from as `textBlocks` has it
 * @throws BenchError DATA_INVALID with the line
 */
export async function* passagesOf(file: string, from?: TextStart): AsyncGenerator<PlacedPassage> {
  for await (const { columns, line, start } of quotedRows(file, 'DATA_INVALID', from)) {
    if (isHeader(columns, line)) continue;
    const { passageId, title, text } = passageOf(columns, line, file);
    yield { passageId, title, text, place: line, start };
  }
}

/** Where each passage of a plain file stands: the end of its row in bytes, and before them all where the first begins. */
export async function* passageEnds(file: string): AsyncGenerator<number> {
  let isFirst = true;
  for await (const { columns, line, startByte, endByte } of quotedRowEnds(file, 'DATA_INVALID')) {
    const header = isHeader(columns, line);
    if (isFirst) yield header ? endByte : startByte;
    if (!header) yield endByte;
    isFirst = false;
  }
}

/** The passages of some rows of the file. */
export function* passagesIn(rows: string, file: string): Generator<Passage> {
  for (const { columns, line } of quotedRowsIn(rows, file, 'DATA_INVALID'))
    yield passageOf(columns, line, file);
}

const isHeader = ([id]: readonly string[], line: number): boolean => line === 1 && id === 'id';

function passageOf(columns: readonly string[], line: number, file: string): Passage {
  const [passageId = '', text = '', title = ''] = columns;
  if (columns.length !== 3 || passageId === '') {
    const what = columns.length === 3 ? 'no id' : `${columns.length} columns`;
    throw new BenchError('DATA_INVALID', `${file}, line ${line}: ${what}.`, {
      hint: 'Each line is an id, a text and a title with tabs between them; a column that begins with " is quoted.',
    });
  }
  return { passageId, title, text: stripQuotes(text) };
}

function stripQuotes(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === '"') start++;
  while (end > start && text[end - 1] === '"') end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** The questions of a qa.csv with their answers. @throws BenchError DATA_INVALID with the line */
export async function questionsOf(file: string, prefix: string): Promise<Query[]> {
  const queries: Query[] = [];
  for await (const { columns, line } of quotedRows(file, 'DATA_INVALID')) {
    const [text = '', list = ''] = columns;
    const hint =
      'Each line is a question, a tab, and its answers as a Python list: ["Wilhelm Röntgen", \'Röntgen\'].';
    if (columns.length !== 2) {
      throw new BenchError('DATA_INVALID', `${file}, line ${line}: ${columns.length} columns.`, { hint });
    }
    try {
      queries.push({ queryId: `${prefix}-${queries.length}`, text, answers: parsePythonStrings(list) });
    } catch (cause) {
      if (!(cause instanceof PythonListError)) throw cause;
      const at = `character ${cause.position + 1} of ${JSON.stringify(list.slice(0, 60))}`;
      throw new BenchError(
        'DATA_INVALID',
        `${file}, line ${line}: the answers are no list of strings: ${cause.message} (${at}).`,
        {
          hint,
          cause,
        },
      );
    }
  }
  if (queries.length === 0) throw new BenchError('DATA_INVALID', `${file} holds no questions.`);
  return queries;
}
