/** Tables whose columns are parted by tabs and may be quoted as in RFC 4180: DPR's passages and questions. */
import { BenchError, type ErrorCode } from '../errors.js';
import { turns } from '../interruption.js';
import { type TextStart, textBlocks } from './text-blocks.js';

export interface QuotedRow {
  columns: string[];
  /** Where the row begins, from 1; a quoted column may go over several lines. */
  line: number;
  /** Where reading can begin with this row; undefined of most. A property of every row: objects of two shapes read slower. */
  start?: TextStart | undefined;
}

/** Characters. No row comes near this; one that does has a quote that was never closed, or is no row. */
const longestRow = 1 << 24;

const tab = 9;
const newline = 10;
const carriageReturn = 13;
const quote = 34;

/**
 * The rows of a file, plain or gzip, as Python's csv.reader reads them: lines end in LF or CRLF, empty lines are skipped,
 * and what stands between a closing quote and the next tab belongs to the column.
 * Memory is that of the longest row; every character is looked at once.
 * @param from as `textBlocks` has it
 * @throws BenchError PATH_INVALID; `code`, with the line where it begins, for a quote that never closes and a row without end
 */
export async function* quotedRows(
  file: string,
  code: ErrorCode,
  from?: TextStart,
): AsyncGenerator<QuotedRow> {
  const cutter = new RowCutter(file, code, from?.line);
  const turn = turns();
  for await (const { text, firstLine, firstByte } of textBlocks(file, code, from)) {
    for (const row of cutter.rows(text)) {
      // A row that began in the block before is on an earlier line.
      if (firstByte !== undefined && row.line === firstLine) row.start = { byte: firstByte, line: firstLine };
      yield row;
      const due = turn();
      if (due !== undefined) await due;
    }
  }
  cutter.end();
}

/**
 * The rows of a plain file, each with the bytes of the file before it and up to its end; lines that hold no row count to the
 * next one, and a byte order mark to none.
 * @throws as `quotedRows`
 */
export async function* quotedRowEnds(
  file: string,
  code: ErrorCode,
): AsyncGenerator<QuotedRow & { startByte: number; endByte: number }> {
  const cutter = new RowCutter(file, code);
  let startByte: number | undefined;
  const turn = turns();
  for await (const { text, firstByte, sizeBytes } of textBlocks(file, code)) {
    if (firstByte === undefined) throw new TypeError(`${file} is packed`);
    const markBytes = sizeBytes === text.length ? 0 : sizeBytes - Buffer.byteLength(text);
    let [at, endByte] = [0, firstByte + markBytes];
    startByte ??= endByte;
    for (const row of cutter.rows(text)) {
      endByte += Buffer.byteLength(text.slice(at, cutter.at));
      at = cutter.at;
      yield { columns: row.columns, line: row.line, startByte, endByte };
      startByte = endByte;
      const due = turn();
      if (due !== undefined) await due;
    }
  }
  cutter.end();
}

/** The rows of a text that was taken out of a file, lines counted from its own first. @throws as `quotedRows` */
export function* quotedRowsIn(text: string, file: string, code: ErrorCode): Generator<QuotedRow> {
  const cutter = new RowCutter(file, code);
  yield* cutter.rows(text.endsWith('\n') ? text : `${text}\n`);
  cutter.end();
}

/** A row of which a quoted column goes on in the next block. */
interface OpenRow {
  line: number;
  /** Those before it. */
  columns: string[];
  /** What the quoted column has so far, as it stands in the file. */
  pieces: string[];
  isDoubled: boolean;
  /** Of the row, up to where the block ended. */
  length: number;
}

/** Cuts blocks of whole lines into rows. Only a quoted column can go over the end of a block, for all else ends with its line. */
class RowCutter {
  readonly #file: string;
  readonly #code: ErrorCode;
  /** Characters of the block up to the end of the row that was given last. */
  at = 0;
  #line: number;
  #open: OpenRow | undefined;

  constructor(file: string, code: ErrorCode, line = 1) {
    this.#line = line;
    this.#file = file;
    this.#code = code;
  }

  /** The rows that end in this block. */
  *rows(text: string): Generator<QuotedRow> {
    let at = 0;
    while (at < text.length) {
      if (this.#open === undefined) {
        if (text.charCodeAt(at) === newline || text.startsWith('\r\n', at)) {
          at = text.indexOf('\n', at) + 1;
          this.#line++;
          continue;
        }
        this.#open = { line: this.#line, columns: [], pieces: [], isDoubled: false, length: 0 };
        at = this.#cut(this.#open, text, at, false);
      } else {
        at = this.#cut(this.#open, text, at, true);
      }
      if (at < 0) return;
      const { columns, line } = this.#open;
      this.#open = undefined;
      this.at = at;
      yield { columns, line };
    }
  }

  /** At the end of the file every whole row has been taken: what is left is a column without its closing quote. */
  end(): void {
    if (this.#open !== undefined)
      throw this.#fault(this.#open.line, 'a column opens with a quote that is not closed');
  }

  /**
   * Goes on to the end of a row.
   * @param inside whether `from` is in the middle of a quoted column
   * @returns where the next row begins; -1 where the text ends first
   */
  #cut(row: OpenRow, text: string, from: number, inside: boolean): number {
    let at = from;
    for (let isInside = inside; ; isInside = false) {
      let column = '';
      if (isInside || text.charCodeAt(at) === quote) {
        at = this.#quoted(row, text, isInside ? at : at + 1);
        if (at < 0) {
          row.length += text.length - from;
          if (row.length > longestRow)
            throw this.#fault(row.line, `a row of more than ${longestRow} characters`);
          return -1;
        }
        column = this.#taken(row);
      }
      const start = at;
      let unit = text.charCodeAt(at);
      while (unit !== tab && unit !== newline) unit = text.charCodeAt(++at);
      const stop = unit === newline && at > start && text.charCodeAt(at - 1) === carriageReturn ? at - 1 : at;
      row.columns.push(column === '' ? text.slice(start, stop) : column + text.slice(start, stop));
      at++;
      if (unit !== newline) continue;
      this.#line++;
      return at;
    }
  }

  /** Takes a quoted column up to its closing quote. @returns what follows that, or -1 where the text ends first */
  #quoted(row: OpenRow, text: string, from: number): number {
    let close = text.indexOf('"', from);
    // Every block ends with a newline, so what follows a quote is always here.
    while (close >= 0 && text.charCodeAt(close + 1) === quote) {
      row.isDoubled = true;
      close = text.indexOf('"', close + 2);
    }
    const piece = close < 0 ? text.slice(from) : text.slice(from, close);
    // In the piece alone: the line may end a long way behind it, and be looked through once for each of its columns.
    for (let i = piece.indexOf('\n'); i >= 0; i = piece.indexOf('\n', i + 1)) this.#line++;
    row.pieces.push(piece);
    return close < 0 ? -1 : close + 1;
  }

  /** The quoted column, whole. */
  #taken(row: OpenRow): string {
    const column = row.pieces.length === 1 ? row.pieces[0]! : row.pieces.join('');
    const plain = row.isDoubled ? column.replaceAll('""', '"') : column;
    row.pieces = [];
    row.isDoubled = false;
    return plain;
  }

  #fault(line: number, what: string): BenchError {
    return new BenchError(this.#code, `${this.#file}, line ${line}: ${what}.`, {
      hint: 'A column that begins with " ends with one, and every " inside it is doubled. Was the file cut short?',
    });
  }
}
