/**
 * The file that a kind of index of `exact` leaves, all numbers little-endian:
 *
 *     'strata index'  uint32 version  uint32 coding: 1 int8, 2 binary, 3 none  uint32 D  uint32 1 where all rows have length 1
 *     uint32 0  uint64 rows  zeros to 64 bytes
 *     codes [rows, width]  float32 scales [rows]  int8 alone: float32 errors [rows]
 *
 * A scale is the step of int8 codes, the length of a row of bits. An error is at least the distance of a row from what its
 * codes say. A file of no coding ends with its header: such an index reads the shards.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { damaged, openToRead, readFully } from '../../index/reading.js';
import type { AtomicFile } from '../../store/atomic.js';
import { assertPlain } from '../../store/plain-file.js';

export type Coding = 'int8' | 'binary' | 'none';

export interface CodeFacts {
  coding: Coding;
  /** D of the shards. */
  dimensions: number;
  /** Whether all rows have length 1, so that inner products are cosines. */
  unit: boolean;
  rows: number;
}

/** A file of codes, and where what stands in it. */
export interface CodeLayout extends CodeFacts {
  file: string;
  /** Bytes of a row's codes, a multiple of 16. */
  width: number;
}

export const headerBytes = 64;
const magic = 'strata index';
const version = 1;
const codings: readonly Coding[] = ['int8', 'binary', 'none'];

/** Bytes of a row's codes: what is more than the row needs is 0. */
export function widthOf(coding: Coding, dimensions: number): number {
  if (coding === 'none') return 0;
  return Math.ceil((coding === 'int8' ? dimensions : dimensions / 8) / 16) * 16;
}

/** Where the codes, the scales and the errors begin, and where the file ends. */
export function placesOf({ coding, rows, width }: Pick<CodeLayout, 'coding' | 'rows' | 'width'>) {
  const scales = headerBytes + rows * width;
  const errors = scales + (coding === 'none' ? 0 : 4 * rows);
  return { codes: headerBytes, scales, errors, end: errors + (coding === 'int8' ? 4 * rows : 0) };
}

export function writeHeader(file: AtomicFile, { coding, dimensions, unit, rows }: CodeFacts): Promise<void> {
  const header = Buffer.alloc(headerBytes);
  header.write(magic, 0, 'latin1');
  const numbers = [version, codings.indexOf(coding) + 1, dimensions, unit ? 1 : 0, 0];
  for (const [i, number] of numbers.entries()) header.writeUInt32LE(number, magic.length + 4 * i);
  header.writeBigUInt64LE(BigInt(rows), 32);
  return file.write(header, 0);
}

/**
 * Reads the header of a file and checks that the file is as long as it says.
 * @param wanted what it must say
 * @throws BenchError CACHE_INVALID with what is wrong
 */
export async function readLayout(file: string, wanted: Omit<CodeFacts, 'unit'>): Promise<CodeLayout> {
  const handle = await openToRead(file);
  try {
    const { size } = await handle.stat();
    const header = Buffer.alloc(headerBytes);
    if (size < headerBytes) throw damaged(file, `holds ${size} bytes, and its header ${headerBytes}`);
    await readFully(file, handle, header, 0);
    const found = header.toString('latin1', 0, magic.length);
    const [own, code, dimensions, unit] = [0, 1, 2, 3].map((i) => header.readUInt32LE(magic.length + 4 * i));
    if (found !== magic || own !== version || unit! > 1) throw damaged(file, 'is no index of exact');
    const facts = {
      coding: codings[code! - 1] ?? `coding ${code}`,
      dimensions: dimensions!,
      rows: Number(header.readBigUInt64LE(32)),
    };
    for (const member of ['coding', 'dimensions', 'rows'] as const)
      if (facts[member] !== wanted[member])
        throw damaged(file, `says ${member} ${facts[member]} where ${wanted[member]} is meant`);
    const { coding, rows } = wanted;
    const layout = { ...wanted, file, unit: unit === 1, width: widthOf(coding, wanted.dimensions) };
    const { end } = placesOf({ coding, rows, width: layout.width });
    if (size !== end) throw damaged(file, `holds ${size} bytes where ${end} are meant`);
    return layout;
  } finally {
    await handle.close();
  }
}

/**
 * Reads rows of codes, as many as there is room for, and what is known of them.
 * @param codes [rows, width]
 * @throws BenchError CACHE_INVALID where the file ends early or holds what is no scale or error
 */
export function readCodes(
  layout: CodeLayout,
  firstRow: number,
  codes: Uint8Array,
): { scales: Float32Array; errors: Float32Array } {
  const { file, coding, width } = layout;
  const rows = codes.length / width;
  const scales = new Float32Array(rows);
  const errors = new Float32Array(coding === 'int8' ? rows : 0);
  const places = placesOf(layout);
  assertPlain(file);
  const handle = openSync(file, 'r');
  try {
    const read = (into: Uint8Array, position: number) => {
      for (let done = 0; done < into.length; ) {
        const bytes = readSync(handle, into, done, into.length - done, position + done);
        if (bytes === 0) throw damaged(file, `ends before byte ${position + into.length}`);
        done += bytes;
      }
    };
    read(codes, places.codes + firstRow * width);
    read(new Uint8Array(scales.buffer), places.scales + 4 * firstRow);
    read(new Uint8Array(errors.buffer), places.errors + 4 * firstRow);
  } finally {
    closeSync(handle);
  }
  const isNone = (value: number) => !(value >= 0 && Number.isFinite(value));
  if (scales.some(isNone) || errors.some(isNone)) throw damaged(file, 'holds no scales');
  return { scales, errors };
}
