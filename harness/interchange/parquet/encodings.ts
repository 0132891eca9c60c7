/** Types of numbers, and what their encodings have to hold before a decoder is let loose on them. */
import type { SchemaElement } from 'hyparquet';
import { ParquetFault } from './fault.js';
import { checkDeltas, checkHybrid } from './runs.js';

/** Types of numbers on the disk that are read, with the fewest bytes that a value takes. */
export const leastBytes = { BYTE_ARRAY: 4, INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 } as const;
/** Numbers of 16 bits alone are of the last type. */
export type PhysicalType = keyof typeof leastBytes | 'FIXED_LEN_BYTE_ARRAY';

export const isHalf = ({ type, type_length: bytes, logical_type: logical }: SchemaElement): boolean =>
  type === 'FIXED_LEN_BYTE_ARRAY' && bytes === 2 && logical?.type === 'FLOAT16';

/** Of one value. */
export const leastBytesOf = (type: PhysicalType): number =>
  type === 'FIXED_LEN_BYTE_ARRAY' ? 2 : leastBytes[type];

/**
 * @param at where the values of a page begin @param count of them @param hasDictionary whether one came before
 * @throws ParquetFault where the decoder would take memory or time for what is not there
 */
export function checkValues(
  bytes: Uint8Array,
  at: number,
  encoding: string | undefined,
  count: number,
  type: PhysicalType,
  hasDictionary: boolean,
): void {
  if (at > bytes.length) throw new ParquetFault('a page ends within its levels');
  if (encoding === 'PLAIN' || (encoding === 'BYTE_STREAM_SPLIT' && type !== 'BYTE_ARRAY')) {
    if (count * leastBytesOf(type) > bytes.length - at)
      throw new ParquetFault(`a page of ${bytes.length} bytes cannot hold ${count} values`);
  } else if (encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
    if (!hasDictionary) throw new ParquetFault('a page refers to a dictionary that is not there');
    if (at >= bytes.length) throw new ParquetFault('a page ends before its values');
    checkHybrid(bytes, at + 1, bytes.length, bytes[at]!, count);
  } else if (encoding === 'DELTA_BINARY_PACKED' && (type === 'INT32' || type === 'INT64')) {
    if (count > 0) checkDeltas(bytes, at, count, type === 'INT32' ? 32 : 64);
  } else if (encoding === 'DELTA_LENGTH_BYTE_ARRAY' && type === 'BYTE_ARRAY') {
    if (count > 0) checkDeltas(bytes, at, count, 32);
  } else {
    throw new ParquetFault(`${type} is encoded as ${encoding}, which is not read`);
  }
}
