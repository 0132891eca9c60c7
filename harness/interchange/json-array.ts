/**
 * JSON files that are one large array (DPR's training files unpack to 10 GB), read one element at a time. The scanner only
 * finds where an element ends, which needs brackets and strings told apart and nothing else; JSON.parse reads the element.
 */
import { isUtf8 } from 'node:buffer';
import { BenchError, type ErrorCode } from '../errors.js';
import { parseJson } from '../json.js';
import { fileBytes } from './text-blocks.js';

export interface ArrayElement {
  value: unknown;
  /** As it stands in the file. */
  text: string;
  /** From 0. */
  index: number;
  /** Line on which it begins, from 1. */
  line: number;
}

/** No element comes near this; without a limit a file that is something else would fill the memory. */
const largestElementBytes = 1 << 29;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const newline = 0x0a;

/**
 * The elements of the array, plain or gzip. Memory is that of the largest element.
 * @throws BenchError PATH_INVALID; `code` with element and line for what is no array, is cut short, or is no JSON
 */
export async function* jsonArray(file: string, code: ErrorCode): AsyncGenerator<ArrayElement> {
  const cutter = new ElementCutter(file, code);
  for await (const chunk of fileBytes(file, code)) {
    cutter.add(chunk);
    for (let element = cutter.next(); element !== undefined; element = cutter.next()) yield element;
  }
  cutter.end();
}

/** Whether a file begins as such an array does. @throws BenchError PATH_INVALID; `code` for a damaged gzip file */
export async function beginsArray(file: string, code: ErrorCode): Promise<boolean> {
  for await (const chunk of fileBytes(file, code)) {
    const text = chunk
      .toString('utf8', 0, 64)
      .replace(/^\uFEFF/, '')
      .trimStart();
    if (text !== '') return text.startsWith('[');
  }
  return false;
}

type State = 'before' | 'between' | 'inside' | 'after';

class ElementCutter {
  readonly #file: string;
  readonly #code: ErrorCode;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #state: State = 'before';
  /** Whether an element has to come next, which it need not after the opening bracket. */
  #afterComma = false;
  #start = 0;
  #depth = 0;
  #inString = false;
  #index = 0;
  #line = 1;

  constructor(file: string, code: ErrorCode) {
    this.#file = file;
    this.#code = code;
  }

  add(chunk: Buffer): void {
    const from = this.#state === 'inside' ? this.#start : this.#at;
    if (this.#bytes.length - from > largestElementBytes) {
      throw this.#fault(`is larger than ${largestElementBytes} bytes`);
    }
    this.#bytes = from === this.#bytes.length ? chunk : Buffer.concat([this.#bytes.subarray(from), chunk]);
    this.#at -= from;
    this.#start = 0;
  }

  next(): ArrayElement | undefined {
    for (; this.#at < this.#bytes.length; this.#at++) {
      if (this.#state === 'inside') {
        const element = this.#scan();
        if (element !== undefined) return element;
        if (this.#at >= this.#bytes.length) return undefined;
      }
      const byte = this.#bytes[this.#at]!;
      if (byte === newline) this.#line++;
      if (byte === newline || byte === 0x20 || byte === 0x09 || byte === 0x0d) continue;
      if (this.#state === 'before') {
        if (byte === 0xef || byte === 0xbb || byte === 0xbf) continue;
        if (byte !== openBracket) {
          throw this.#broken(
            `it begins with ${JSON.stringify(String.fromCharCode(byte))}, and an array begins with [`,
          );
        }
        this.#state = 'between';
      } else if (this.#state === 'after') {
        throw this.#broken('something follows the end of the array');
      } else if (byte === closeBracket && !this.#afterComma) {
        this.#state = 'after';
      } else if (byte === comma || byte === closeBracket) {
        throw this.#fault('is missing before a comma or the end');
      } else {
        this.#state = 'inside';
        this.#start = this.#at;
        this.#depth = 0;
        this.#inString = false;
        this.#at--;
      }
    }
    return undefined;
  }

  end(): void {
    if (this.#state === 'after') return;
    if (this.#state === 'before') throw this.#broken('it is empty, and an array is expected');
    throw this.#fault('is not whole: the file ends in the middle of the array');
  }

  /** Goes on to the end of the element, or of what is here. */
  #scan(): ArrayElement | undefined {
    const bytes = this.#bytes;
    let at = this.#at;
    for (; at < bytes.length; at++) {
      if (this.#inString) {
        at = this.#closingQuote(at);
        if (at < 0) {
          this.#at = bytes.length;
          return undefined;
        }
        this.#inString = false;
        continue;
      }
      const byte = bytes[at]!;
      if (byte === quote) this.#inString = true;
      else if (byte === openBrace || byte === openBracket) this.#depth++;
      else if (this.#depth === 0 && (byte === comma || byte === closeBracket)) return this.#take(at);
      else if (byte === closeBrace || byte === closeBracket) this.#depth--;
    }
    this.#at = at;
    return undefined;
  }

  /** The quote that ends the string which goes on at `from`: one with an even number of backslashes before it. */
  #closingQuote(from: number): number {
    for (let at = this.#bytes.indexOf(quote, from); at >= 0; at = this.#bytes.indexOf(quote, at + 1)) {
      let slashes = 0;
      while (this.#bytes[at - 1 - slashes] === backslash) slashes++;
      if (slashes % 2 === 0) return at;
    }
    return -1;
  }

  #take(end: number): ArrayElement {
    const bytes = this.#bytes.subarray(this.#start, end);
    if (!isUtf8(bytes)) throw this.#fault('is not valid UTF-8');
    const text = bytes.toString('utf8');
    let value: unknown;
    try {
      value = parseJson(text);
    } catch (cause) {
      throw this.#fault(`is not JSON: ${(cause as Error).message}`, cause);
    }
    const element = { value, text, index: this.#index, line: this.#line };
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) this.#line++;
    this.#index++;
    this.#afterComma = this.#bytes[end] === comma;
    this.#state = this.#afterComma ? 'between' : 'after';
    this.#at = end + 1;
    return element;
  }

  #broken(what: string): BenchError {
    return new BenchError(this.#code, `${this.#file}, line ${this.#line}: ${what}.`, {
      hint: 'The file has to be one JSON array: [ {...}, {...} ].',
    });
  }

  #fault(what: string, cause?: unknown): BenchError {
    return new BenchError(
      this.#code,
      `${this.#file}, line ${this.#line}: element ${this.#index + 1} of the array ${what}.`,
      {
        hint: 'Was the file cut short? Fetch or write it again.',
        cause,
      },
    );
  }
}
