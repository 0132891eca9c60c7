/** Lines of columns: what TREC runs, qrels and BEIR's tables have in common. */
import { BenchError, type ErrorCode } from '../errors.js';
import { textBlocks } from './text-blocks.js';

const maxColumns = 16;
const space = 32;
const tab = 9;
const newline = 10;
const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const wholePattern = /^[+-]?\d+$/;
const gradePattern = /^[+-]?\d+\.0*$/;

/** A line cut at its white space (spaces, tabs, carriage returns). The object is reused from line to line. */
export class Line {
  /** From 1. */
  number = 0;
  /** Columns found; at most 16 are counted. */
  count = 0;
  /** Whether both tabs and blanks stand between columns. */
  isMixed = false;
  readonly #file: string;
  readonly #code: ErrorCode;
  readonly #starts = new Int32Array(maxColumns);
  readonly #ends = new Int32Array(maxColumns);
  #text = '';
  #end = 0;

  constructor(file: string, code: ErrorCode) {
    this.#file = file;
    this.#code = code;
  }

  /** Cuts the line that begins at `at`; returns where the next one begins. */
  cut(text: string, at: number): number {
    this.#text = text;
    this.number++;
    let count = 0;
    let position = at;
    let tabs = false;
    let blanks = false;
    for (;;) {
      const end = position;
      let unit = text.charCodeAt(position);
      while (unit <= space && unit !== newline) unit = text.charCodeAt(++position);
      if (unit === newline) break;
      for (let i = end; count > 0 && i < position; i++) {
        if (text.charCodeAt(i) === tab) tabs = true;
        else blanks = true;
      }
      const start = position;
      while (unit > space) unit = text.charCodeAt(++position);
      if (count === maxColumns) continue;
      this.#starts[count] = start;
      this.#ends[count++] = position;
    }
    this.count = count;
    this.isMixed = tabs && blanks;
    this.#end = position;
    return position + 1;
  }

  /**
   * An id with a blank in it is two columns too many to a reader that cuts at all white space.
   * @param counts of columns that the format has
   * @throws BenchError where tabs alone cut the line into one of these counts, and blanks cut it further
   */
  assertNoBlankInside(...counts: number[]): void {
    if (!this.isMixed) return;
    const columns = this.#text.slice(this.#starts[0], this.#end).split('\t');
    // The last is a number, or a tag that anything may follow.
    const inside = columns.slice(0, -1).find((column) => /\S\s+\S/.test(column));
    if (!counts.includes(columns.length) || inside === undefined) return;
    throw this.fault(
      `'${inside.trim().slice(0, 80)}' between two tabs holds white space`,
      'Ids hold no white space here: write another character for it, in all files.',
    );
  }

  get isComment(): boolean {
    return this.#text.startsWith('#', this.#starts[0]);
  }

  column(index: number): string {
    return this.#text.slice(this.#starts[index], this.#ends[index]);
  }

  /** Whether a column holds this text; makes no string. */
  holds(index: number, value: string): boolean {
    return (
      this.#ends[index]! - this.#starts[index]! === value.length &&
      this.#text.startsWith(value, this.#starts[index])
    );
  }

  /** A finite decimal number; trec_eval would take anything else for 0. */
  decimal(index: number, name: string): number {
    const value = this.decimalIfAny(index);
    if (value === undefined) throw this.fault(`${name} '${this.column(index)}' is not a number`);
    return value;
  }

  /** As `decimal`; undefined where the column holds something else. */
  decimalIfAny(index: number): number | undefined {
    const text = this.column(index);
    const value = Number(text);
    return numberPattern.test(text) && Number.isFinite(value) ? value : undefined;
  }

  whole(index: number, name: string): number {
    const text = this.column(index);
    const value = Number(text);
    // Beyond 2^53 numbers run into their neighbours, and in the end into infinity.
    if (wholePattern.test(text) && Number.isSafeInteger(value)) return value;
    throw this.fault(`${name} '${text.slice(0, 80)}' is not a whole number of at most 15 digits`);
  }

  /** A whole number, also where it is written as a fraction: 1.0 is 1. */
  grade(index: number, name: string): number {
    const text = this.column(index);
    const value = Number(text);
    return gradePattern.test(text) && Number.isSafeInteger(value) ? value : this.whole(index, name);
  }

  /** The error for a line of another number of columns. @param layout what the columns should be */
  wrongCount(layout: string): BenchError {
    const first = this.column(0);
    const separator = this.count === 1 ? [',', ';', '|'].find((each) => first.includes(each)) : undefined;
    return separator === undefined
      ? this.fault(`${this.count} column${this.count === 1 ? '' : 's'}`, layout)
      : this.fault(
          `one column, '${first.slice(0, 80)}'`,
          `${layout} Tabs or blanks stand between them, not '${separator}'.`,
        );
  }

  /** The error for something wrong in this line. */
  fault(what: string, hint?: string, number = this.number): BenchError {
    return new BenchError(
      this.#code,
      `${this.#file}, line ${number}: ${what}.`,
      hint === undefined ? {} : { hint },
    );
  }
}

/**
 * Calls `take` for every line that has columns and is no comment (trec_eval skips lines that begin with #).
 * @returns the number of lines taken
 */
export async function eachLine(file: string, code: ErrorCode, take: (line: Line) => void): Promise<number> {
  const line = new Line(file, code);
  let taken = 0;
  for await (const { text, firstLine } of textBlocks(file, code)) {
    line.number = firstLine - 1;
    for (let at = 0; at < text.length; ) {
      const next = line.cut(text, at);
      if (line.count > 0 && !line.isComment) {
        take(line);
        taken++;
      }
      at = next;
    }
  }
  return taken;
}
