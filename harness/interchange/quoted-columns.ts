/** Tables whose columns are parted by tabs and may be quoted as in RFC 4180: DPR's passages and questions. */
import { BenchError, type ErrorCode } from '../errors.js';
import { textBlocks } from './text-blocks.js';

export interface QuotedRow {
  columns: string[];
  /** Where the row begins, from 1; a quoted column may go over several lines. */
  line: number;
}

/** A quoted column longer than this is one whose quote was never closed. */
const longestColumn = 1 << 25;

const tab = 9;
const newline = 10;
const carriageReturn = 13;
const quote = 34;

/**
 * The rows of a file, plain or gzip, as Python's csv.reader reads them: lines end in LF or CRLF, empty lines are skipped,
 * and what stands between a closing quote and the next tab belongs to the column.
 * Memory is that of the longest row.
 * @throws BenchError PATH_INVALID; `code`, with the line where it begins, for a quote that never closes
 */
export async function* quotedRows(file: string, code: ErrorCode): AsyncGenerator<QuotedRow> {
  const cutter = new RowCutter(file, code);
  for await (const { text } of textBlocks(file, code)) {
    cutter.add(text);
    for (let row = cutter.next(); row !== undefined; row = cutter.next()) yield row;
  }
  cutter.end();
}

/** Cuts rows off a growing text. A row that is not whole yet is looked at again once more text has come. */
class RowCutter {
  readonly #file: string;
  readonly #code: ErrorCode;
  #text = '';
  #at = 0;
  #line = 1;

  constructor(file: string, code: ErrorCode) {
    this.#file = file;
    this.#code = code;
  }

  add(text: string): void {
    this.#text = this.#at === this.#text.length ? text : this.#text.slice(this.#at) + text;
    this.#at = 0;
  }

  /** The next row, or undefined where no whole one is left. */
  next(): QuotedRow | undefined {
    const text = this.#text;
    for (;;) {
      const end = text.indexOf('\n', this.#at);
      if (end < 0) return undefined;
      const length = end - this.#at;
      if (length > 1 || (length === 1 && text.charCodeAt(this.#at) !== carriageReturn)) break;
      this.#at = end + 1;
      this.#line++;
    }
    const line = this.#line;
    const columns: string[] = [];
    let at = this.#at;
    let newlines = 0;
    for (;;) {
      let column = '';
      if (text.charCodeAt(at) === quote) {
        const quoted = this.#quoted(at, line + newlines);
        if (quoted === undefined) return undefined;
        column = quoted.column;
        newlines += quoted.newlines;
        at = quoted.end;
      }
      const start = at;
      let unit = text.charCodeAt(at);
      while (unit !== tab && unit !== newline) unit = text.charCodeAt(++at);
      const stop = unit === newline && at > start && text.charCodeAt(at - 1) === carriageReturn ? at - 1 : at;
      columns.push(column === '' ? text.slice(start, stop) : column + text.slice(start, stop));
      at++;
      if (unit === newline) break;
    }
    this.#at = at;
    this.#line += newlines + 1;
    return { columns, line };
  }

  /** At the end of the file every whole row has been taken: what is left is a column without its closing quote. */
  end(): void {
    if (this.#at < this.#text.length) throw this.#open(this.#line);
  }

  /** The column whose quote opens at `at`; undefined where its end has not come yet. */
  #quoted(at: number, line: number): { column: string; newlines: number; end: number } | undefined {
    const text = this.#text;
    let close = at;
    let isDoubled = false;
    for (;;) {
      close = text.indexOf('"', close + 1);
      if (close < 0) {
        if (text.length - at > longestColumn) throw this.#open(line);
        return undefined;
      }
      // Every block ends with a newline, so what follows a quote is always here.
      if (text.charCodeAt(close + 1) !== quote) break;
      isDoubled = true;
      close++;
    }
    const inside = text.slice(at + 1, close);
    let newlines = 0;
    for (let i = inside.indexOf('\n'); i >= 0; i = inside.indexOf('\n', i + 1)) newlines++;
    return { column: isDoubled ? inside.replaceAll('""', '"') : inside, newlines, end: close + 1 };
  }

  #open(line: number): BenchError {
    return new BenchError(
      this.#code,
      `${this.#file}, line ${line}: a column opens with a quote that is not closed.`,
      {
        hint: 'A column that begins with " ends with one, and every " inside it is doubled. Was the file cut short?',
      },
    );
  }
}
