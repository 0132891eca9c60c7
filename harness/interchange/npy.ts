/**
 * NumPy's files of one array (numpy/lib/format.py, versions 1 to 3): `\x93NUMPY`, the version, the length of a header that is a
 * Python literal, then the numbers. Rows are read as they are asked for; arrays of objects, which are pickles, are refused.
 */
import type { FileHandle } from 'node:fs/promises';
import { BenchError, unreadable } from '../errors.js';
import { openPlain, readInto } from '../store/plain-file.js';

/** As NumPy writes it, with the bytes of a number. */
const numberBytes = { '<f2': 2, '<f4': 4, '<f8': 8 } as const;
export type NpyType = keyof typeof numberBytes;

const magic = Buffer.from('\x93NUMPY', 'latin1');
/** NumPy itself refuses longer ones unless it is told otherwise. */
const longestHeader = 10_000;

/** An array of rows, open. */
export class NpyRows {
  private constructor(
    readonly file: string,
    readonly rows: number,
    /** D */
    readonly dimensions: number,
    readonly type: NpyType,
    readonly handle: FileHandle,
    readonly start: number,
  ) {}

  /**
   * @throws BenchError PATH_INVALID where it cannot be opened; DATA_INVALID where it holds no rows of floating-point numbers,
   *   or fewer bytes than it says
   */
  static async open(file: string): Promise<NpyRows> {
    const handle = await openPlain(file).catch((cause: unknown) => {
      throw unreadable(file, cause);
    });
    try {
      const { size } = await handle.stat();
      const { text, start } = await readHeader(file, handle);
      const { type, rows, dimensions } = parseHeader(file, text);
      const bytes = BigInt(start) + BigInt(rows) * BigInt(dimensions) * BigInt(numberBytes[type]);
      if (bytes !== BigInt(size))
        throw unusable(
          file,
          `holds ${size} bytes where ${rows} x ${dimensions} numbers of ${type} take ${bytes}`,
          'Was it cut short? Write or copy it again.',
        );
      return new NpyRows(file, rows, dimensions, type, handle, start);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** @returns the bytes of whole rows, little-endian, at the beginning of a buffer of their own */
  async read(firstRow: number, count: number): Promise<Uint8Array> {
    if (firstRow < 0 || count < 0 || firstRow + count > this.rows)
      throw new RangeError(`rows ${firstRow} to ${firstRow + count} of ${this.rows}`);
    const rowBytes = this.dimensions * numberBytes[this.type];
    const bytes = new Uint8Array(count * rowBytes);
    const read = await readInto(this.handle, bytes, this.start + firstRow * rowBytes);
    if (read < bytes.length) throw unusable(this.file, 'has become shorter while it was read', 'Run again.');
    return bytes;
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

async function readHeader(file: string, handle: FileHandle): Promise<{ text: string; start: number }> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(12 + longestHeader), 0, 12 + longestHeader, 0);
  const bytes = buffer.subarray(0, bytesRead);
  const hint = 'numpy.save writes such files: one array of float32 or float16, a row for each text.';
  if (!bytes.subarray(0, magic.length).equals(magic)) throw unusable(file, 'is no file of NumPy', hint);
  const version = bytes[6];
  if (bytes.length < 12 || (version !== 1 && version !== 2 && version !== 3))
    throw unusable(file, `has version ${version} of NumPy's format, or is cut short`, hint);
  const [length, from] = version === 1 ? [bytes.readUInt16LE(8), 10] : [bytes.readUInt32LE(8), 12];
  if (length > longestHeader || from + length > bytes.length)
    throw unusable(
      file,
      `has a header of ${length} bytes, which is more than there are, or than NumPy reads`,
      hint,
    );
  return { text: bytes.toString('latin1', from, from + length), start: from + length };
}

function parseHeader(file: string, text: string): { type: NpyType; rows: number; dimensions: number } {
  const type = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (order === undefined || shape === undefined)
    throw unusable(
      file,
      `has a header that does not say what it holds: ${text.trim().slice(0, 80)}`,
      'Write it again with numpy.save.',
    );
  if (type === undefined || !Object.hasOwn(numberBytes, type))
    throw unusable(
      file,
      `holds ${type ?? 'records'}, not little-endian float32 or float16`,
      "Write it with numpy.save(file, array.astype('<f4')). Arrays of objects are pickles, and never read.",
    );
  if (order === 'True')
    throw unusable(
      file,
      'holds its array column by column',
      'Write it with numpy.save(file, numpy.ascontiguousarray(array)).',
    );
  const sizes = shape
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const [rows, dimensions] = sizes;
  if (sizes.length !== 2 || !sizes.every(Number.isSafeInteger) || dimensions === 0)
    throw unusable(
      file,
      `holds an array of shape (${shape}), not rows of numbers`,
      'Its shape is (texts, D).',
    );
  return { type: type as NpyType, rows: rows!, dimensions: dimensions! };
}

const unusable = (file: string, what: string, hint: string): BenchError =>
  new BenchError('DATA_INVALID', `${file} ${what}.`, { hint });
