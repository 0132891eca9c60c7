/**
 * A look through a structure of Thrift's compact protocol, in which parquet's footer and page headers are written, before a
 * parser takes memory for what it says. https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
import { ParquetFault } from './fault.js';

/** Parquet's own structures are eight deep. */
const deepest = 20;
/** Values of one structure: a parser makes an object of some. */
const mostValues = 1 << 22;

enum Type {
  stop = 0,
  true = 1,
  false = 2,
  byte = 3,
  i16 = 4,
  i32 = 5,
  i64 = 6,
  double = 7,
  binary = 8,
  list = 9,
  struct = 12,
}

/** The bytes end within the structure. */
class Unfinished extends Error {}

/**
 * Where the structure that begins at `start` ends; undefined where the bytes end before it does.
 * @throws ParquetFault for what is no such structure
 */
export function thriftEnd(bytes: Uint8Array, start: number): number | undefined {
  try {
    return new Walk(bytes, start).struct(0);
  } catch (error) {
    if (error instanceof Unfinished) return undefined;
    throw error;
  }
}

class Walk {
  readonly #bytes: Uint8Array;
  #at: number;
  #values = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  struct(depth: number): number {
    if (depth > deepest) throw new ParquetFault(`its header is nested deeper than ${deepest} levels`);
    for (;;) {
      const byte = this.#byte();
      const type = byte & 0x0f;
      if (type === Type.stop) return this.#at;
      if (byte >> 4 === 0) this.#number(5);
      // A field that is true or false has no further bytes.
      if (type === Type.true || type === Type.false) this.#count();
      else this.#value(type, depth);
    }
  }

  #value(type: number, depth: number): void {
    this.#count();
    if (type === Type.true || type === Type.false || type === Type.byte) this.#skip(1);
    else if (type === Type.i16 || type === Type.i32) this.#number(5);
    else if (type === Type.i64) this.#number(10);
    else if (type === Type.double) this.#skip(8);
    else if (type === Type.binary) this.#skip(this.#number(5));
    else if (type === Type.struct) this.struct(depth + 1);
    else if (type === Type.list) this.#list(depth + 1);
    else throw new ParquetFault(`its header has a value of the unknown type ${type}`);
  }

  #list(depth: number): void {
    if (depth > deepest) throw new ParquetFault(`its header is nested deeper than ${deepest} levels`);
    const byte = this.#byte();
    const size = byte >> 4 === 15 ? this.#number(5) : byte >> 4;
    // Each value takes a byte at least.
    if (size > this.#bytes.length - this.#at) throw new Unfinished();
    for (let i = 0; i < size; i++) this.#value(byte & 0x0f, depth);
  }

  #count(): void {
    if (++this.#values > mostValues) throw new ParquetFault(`its header has more than ${mostValues} values`);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Unfinished();
    this.#at++;
    return byte;
  }

  #skip(count: number): void {
    if (count > this.#bytes.length - this.#at) throw new Unfinished();
    this.#at += count;
  }

  /** A varint, as a number without a sign; beyond 2^53 it is not exact, and nothing is that large. */
  #number(mostBytes: number): number {
    let value = 0;
    for (let i = 0, scale = 1; i < mostBytes; i++, scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new ParquetFault(`its header has a number of more than ${mostBytes} bytes`);
  }
}
