/** Folders of vectors made elsewhere: those of the tiny collection, in whole numbers, as NumPy writes arrays. */
import { stream } from '../harness/random.js';

export const dimensions = 6;
interface Given {
  ids: string[];
  /** By row. */
  vectors: number[][];
}

function made(prefix: string, count: number): Given {
  const random = stream(3, prefix);
  return {
    ids: Array.from({ length: count }, (_, i) => `${prefix}${i}`),
    // Whole numbers, which every number type holds.
    vectors: Array.from({ length: count }, () =>
      Array.from({ length: dimensions }, () => random.integer(9) - 4),
    ),
  };
}
export const passages = made('p', 30);
export const queries = made('q', 12);

/** Version 1 of NumPy's format. */
export function npy(
  rows: readonly (readonly number[])[],
  type: '<f4' | '<f2' = '<f4',
  width = dimensions,
): Buffer {
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${rows.length}, ${width}), }`;
  const padded = header.padEnd(117).concat('\n');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length);
  const numbers = rows.flat();
  const halves = {
    '-4': 0xc400,
    '-3': 0xc200,
    '-2': 0xc000,
    '-1': 0xbc00,
    0: 0,
    1: 0x3c00,
    2: 0x4000,
    3: 0x4200,
    4: 0x4400,
  };
  const bytes =
    type === '<f4'
      ? Float32Array.from(numbers)
      : Uint16Array.from(numbers, (value) => halves[value as keyof typeof halves]);
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    length,
    Buffer.from(padded),
    new Uint8Array(bytes.buffer),
  ]);
}

/** By name. */
export const givenFiles = (): Record<string, string | Buffer> => ({
  'passages.npy': npy(passages.vectors),
  'passages.txt': `${passages.ids.join('\n')}\n`,
  'queries.npy': npy(queries.vectors),
  'queries.txt': queries.ids.join('\n'),
  'vectors.json': '{"similarity": "dot"}',
});
