/** Lines of columns: what TREC runs, qrels and BEIR's tables have in common. */
import { BenchError, type ErrorCode } from '../errors.js';
import { textBlocks } from './text-blocks.js';

const maxColumns = 8;
const space = 32;
const newline = 10;
const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const wholePattern = /^[+-]?\d+$/;

/** A line cut at its white space (spaces, tabs, carriage returns). The object is reused from line to line. */
export class Line {
  /** From 1. */
  number = 0;
  /** Columns found; at most 8 are counted. */
  count = 0;
  readonly #file: string;
  readonly #code: ErrorCode;
  readonly #starts = new Int32Array(maxColumns);
  readonly #ends = new Int32Array(maxColumns);
  #text = '';

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
    for (;;) {
      let unit = text.charCodeAt(position);
      while (unit <= space && unit !== newline) unit = text.charCodeAt(++position);
      if (unit === newline) break;
      const start = position;
      while (unit > space) unit = text.charCodeAt(++position);
      if (count === maxColumns) continue;
      this.#starts[count] = start;
      this.#ends[count++] = position;
    }
    this.count = count;
    return position + 1;
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
    if (!wholePattern.test(text)) throw this.fault(`${name} '${text}' is not a whole number`);
    return Number(text);
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
