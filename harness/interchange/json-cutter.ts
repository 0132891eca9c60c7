/**
 * Cuts the parts off a large JSON array or object as its bytes come. It only finds where a part ends, which needs brackets and
 * strings told apart and nothing else.
 */
import { BenchError, type ErrorCode } from '../errors.js';

/** No part comes near this; without a limit a file that is something else would fill the memory. */
const largestPartBytes = 1 << 26;
/** White space between parts, in bytes. */
const longestBlank = 1 << 24;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const newline = 0x0a;

interface Kind {
  name: string;
  open: number;
  close: number;
  part: string;
  form: string;
}

const kinds = {
  array: {
    name: 'an array',
    open: openBracket,
    close: closeBracket,
    part: 'element',
    form: '[ {...}, {...} ]',
  },
  object: {
    name: 'an object',
    open: openBrace,
    close: closeBrace,
    part: 'member',
    form: '{ "name": {...} }',
  },
} as const satisfies Record<string, Kind>;

/** A part as it stands in the file; of an object with its name. It is overwritten once more bytes are added. */
export interface JsonPart {
  bytes: Buffer;
  /** From 0. */
  index: number;
  /** Line on which it begins, from 1. */
  line: number;
}

type State = 'before' | 'between' | 'inside' | 'after';

export class JsonCutter {
  readonly #file: string;
  readonly #code: ErrorCode;
  readonly #kind: Kind;
  /** What is kept lies from the beginning on; there may be room behind it. */
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  #at = 0;
  #state: State = 'before';
  /** Whether a part has to come next, which it need not after the opening bracket. */
  #afterComma = false;
  #start = 0;
  #depth = 0;
  #inString = false;
  #blank = 0;
  #index = 0;
  #line = 1;

  constructor(file: string, code: ErrorCode, kind: keyof typeof kinds) {
    this.#file = file;
    this.#code = code;
    this.#kind = kinds[kind];
  }

  /** Puts bytes behind those that are still needed. The room doubles, so that a byte is copied twice at most on average. */
  add(chunk: Buffer): void {
    const from = this.#state === 'inside' ? this.#start : this.#at;
    const kept = this.#length - from;
    if (kept > largestPartBytes) throw this.fault(`is larger than ${largestPartBytes} bytes`);
    const needed = kept + chunk.length;
    if (kept === 0) this.#bytes = chunk;
    else if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * needed);
      this.#bytes.copy(larger, 0, from, this.#length);
      chunk.copy(larger, kept);
      this.#bytes = larger;
    } else {
      if (from > 0) this.#bytes.copyWithin(0, from, this.#length);
      chunk.copy(this.#bytes, kept);
    }
    this.#length = needed;
    this.#at -= from;
    this.#start = 0;
  }

  next(): JsonPart | undefined {
    for (; this.#at < this.#length; this.#at++) {
      if (this.#state === 'inside') {
        const part = this.#scan();
        if (part !== undefined) return part;
        if (this.#at >= this.#length) return undefined;
      }
      const byte = this.#bytes[this.#at]!;
      if (byte === newline) this.#line++;
      if (byte === newline || byte === 0x20 || byte === 0x09 || byte === 0x0d) {
        if (++this.#blank > longestBlank)
          throw this.#broken(`more than ${longestBlank} bytes of white space`);
        continue;
      }
      this.#blank = 0;
      if (this.#state === 'before') this.#begin(byte);
      else if (this.#state === 'after') throw this.#broken(`something follows the end of the ${this.#word}`);
      else if (byte === this.#kind.close && !this.#afterComma) this.#state = 'after';
      else if (byte === comma || byte === this.#kind.close)
        throw this.fault('is missing before a comma or the end');
      else {
        this.#state = 'inside';
        this.#start = this.#at;
        this.#depth = 0;
        this.#inString = false;
        this.#at--;
      }
    }
    return undefined;
  }

  /** @throws BenchError where the file has not ended with the array or object */
  end(): void {
    if (this.#state === 'after') return;
    if (this.#state === 'before') throw this.#broken(`it is empty, and ${this.#kind.name} is expected`);
    throw this.fault(`is not whole: the file ends in the middle of the ${this.#word}`);
  }

  /** Something wrong with the part that is being cut, or with one that was cut before. */
  fault(what: string, { index = this.#index, line = this.#line } = {}, cause?: unknown): BenchError {
    const { part } = this.#kind;
    return new BenchError(
      this.#code,
      `${this.#file}, line ${line}: ${part} ${index + 1} of the ${this.#word} ${what}.`,
      {
        hint: 'Was the file cut short? Fetch or write it again.',
        cause,
      },
    );
  }

  get #word(): string {
    return this.#kind.name.replace(/^an /, '');
  }

  #begin(byte: number): void {
    // The byte order mark.
    if (byte === 0xef || byte === 0xbb || byte === 0xbf) return;
    const { open, name } = this.#kind;
    if (byte !== open) {
      const seen = JSON.stringify(String.fromCharCode(byte));
      throw this.#broken(`it begins with ${seen}, and ${name} begins with ${String.fromCharCode(open)}`);
    }
    this.#state = 'between';
  }

  /** Goes on to the end of the part, or of what is here. */
  #scan(): JsonPart | undefined {
    const bytes = this.#bytes;
    const length = this.#length;
    let at = this.#at;
    for (; at < length; at++) {
      if (this.#inString) {
        at = this.#closingQuote(at);
        if (at < 0) {
          this.#at = length;
          return undefined;
        }
        this.#inString = false;
        continue;
      }
      const byte = bytes[at]!;
      if (byte === quote) this.#inString = true;
      else if (byte === openBrace || byte === openBracket) this.#depth++;
      else if (this.#depth === 0 && (byte === comma || byte === this.#kind.close)) return this.#take(at);
      else if (byte === closeBrace || byte === closeBracket) this.#depth--;
    }
    this.#at = at;
    return undefined;
  }

  /** The quote that ends the string which goes on at `from`: one with an even number of backslashes before it. */
  #closingQuote(from: number): number {
    const bytes = this.#bytes.subarray(0, this.#length);
    for (let at = bytes.indexOf(quote, from); at >= 0; at = bytes.indexOf(quote, at + 1)) {
      let slashes = 0;
      while (bytes[at - 1 - slashes] === backslash) slashes++;
      if (slashes % 2 === 0) return at;
    }
    return -1;
  }

  #take(end: number): JsonPart {
    const bytes = this.#bytes.subarray(this.#start, end);
    const part = { bytes, index: this.#index, line: this.#line };
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) this.#line++;
    this.#index++;
    this.#afterComma = this.#bytes[end] === comma;
    this.#state = this.#afterComma ? 'between' : 'after';
    this.#at = end + 1;
    return part;
  }

  #broken(what: string): BenchError {
    return new BenchError(this.#code, `${this.#file}, line ${this.#line}: ${what}.`, {
      hint: `The file has to be one JSON ${this.#word}: ${this.#kind.form}.`,
    });
  }
}
