/**
 * A look through encoded values before they are decoded: the decoder believes the lengths in them, and one that lies would
 * fill the memory or never end. https://parquet.apache.org/docs/file-format/data-pages/encodings/
 */
import { ParquetFault } from './fault.js';

/** A varint, read in place. */
class Cursor {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    if (at > end || end > bytes.length) throw new ParquetFault('a page ends within its levels or values');
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  varint(mostBytes: number): number {
    let value = 0;
    for (let i = 0, scale = 1; i < mostBytes; i++, scale *= 128) {
      if (this.at >= this.end) throw new ParquetFault('a page ends within a number');
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new ParquetFault(`a page has a number of more than ${mostBytes} bytes`);
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw new ParquetFault('a page ends within its values');
    this.at += count;
  }
}

/** Widths that the decoder takes in one number of 32 bits, whatever bit it begins at. */
const largestWidth = 24;
/** Groups of eight that some writers fill up to. */
const mostPadding = 504;

/**
 * Checks runs and packed groups of `count` values between two places.
 * @param width bits of a value
 * @throws ParquetFault
 */
export function checkHybrid(bytes: Uint8Array, from: number, to: number, width: number, count: number): void {
  if (width > largestWidth) throw new ParquetFault(`a page has values of ${width} bits`);
  const cursor = new Cursor(bytes, from, to);
  for (let left = count; left > 0; ) {
    const header = cursor.varint(5);
    const length = Math.floor(header / 2);
    if (header % 2 === 0) {
      if (length > left)
        throw new ParquetFault(`a page has a run of ${length} values where ${left} are left`);
      cursor.skip(Math.ceil(width / 8));
      left -= length;
    } else {
      if (length * 8 > left + mostPadding)
        throw new ParquetFault(`a page has ${length * 8} packed values where ${left} are left`);
      // The decoder takes a byte before it looks how many it needs.
      if (width === 0 && length > 0) cursor.skip(1);
      cursor.skip(length * width);
      left -= length * 8;
    }
  }
}

/**
 * Checks `count` numbers that are written as packed differences.
 * @param largest bits of a difference
 * @returns where they end
 * @throws ParquetFault
 */
export function checkDeltas(bytes: Uint8Array, from: number, count: number, largest: 32 | 64): number {
  const cursor = new Cursor(bytes, from, bytes.length);
  const blockSize = cursor.varint(5);
  const miniblocks = cursor.varint(5);
  const stated = cursor.varint(5);
  const size = blockSize / miniblocks;
  if (blockSize < 1 || blockSize > 1 << 16 || !Number.isInteger(size) || size % 32 !== 0)
    throw new ParquetFault(`a page has blocks of ${blockSize} differences in ${miniblocks} parts`);
  if (stated !== count) throw new ParquetFault(`a page has ${stated} differences for ${count} values`);
  cursor.varint(10);
  for (let left = count - 1; left > 0; ) {
    cursor.varint(10);
    const widths = cursor.at;
    cursor.skip(miniblocks);
    for (let i = 0; i < miniblocks && left > 0; i++, left -= size) {
      const width = bytes[widths + i]!;
      if (width > largest) throw new ParquetFault(`a page has differences of ${width} bits`);
      cursor.skip((size * width) / 8);
    }
  }
  return cursor.at;
}
