/**
 * The safetensors format: 8 bytes of header length, a JSON header with the dtype, shape and byte range of every
 * tensor, then their bytes, little-endian. https://huggingface.co/docs/safetensors
 */

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { closingOnFailure } from '../closing.js';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { writeAtomic } from '../store/atomic.js';
import { openPlain, readInto } from '../store/plain-file.js';
import { sizeOf } from '../tensor/engine.js';
import { type NumberType, numberTypes, toFloat32 } from './number-types.js';

/** The reference implementation's own limit. */
const largestHeaderBytes = 100_000_000;

const [quote, backslash, colon, openBrace, closeBrace, openBracket, closeBracket] = Buffer.from('"\\:{}[]');

export interface TensorEntry {
  dtype: NumberType;
  shape: readonly number[];
  /** Byte range within the file. */
  start: number;
  end: number;
}

/** An open file whose header has been checked in full; tensors are read one at a time. */
export class SafetensorsFile {
  readonly path: string;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle, entries: ReadonlyMap<string, TensorEntry>) {
    this.path = path;
    this.#handle = handle;
    this.entries = entries;
  }

  /** @throws BenchError CHECKPOINT_INVALID where the file is not what the format promises */
  static async open(path: string): Promise<SafetensorsFile> {
    let handle: FileHandle;
    try {
      handle = await openPlain(path);
    } catch (cause) {
      if (cause instanceof BenchError) throw cause;
      throw new BenchError('CHECKPOINT_INVALID', `${path} cannot be opened: ${(cause as Error).message}`, {
        cause,
      });
    }
    return closingOnFailure(handle, async () => {
      return new SafetensorsFile(path, handle, await readHeader(path, handle));
    });
  }

  /**
   * One tensor as float32, row-major.
   * @throws BenchError CHECKPOINT_INVALID where it is not there or its numbers are not floating point
   */
  async read(name: string): Promise<Float32Array> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw broken(this.path, `it holds no tensor '${name}'`);
    const convert = toFloat32[entry.dtype];
    if (convert === undefined) {
      const can = Object.keys(toFloat32).join(', ');
      throw broken(this.path, `tensor '${name}' is ${entry.dtype}; weights can be read from ${can}`);
    }
    const bytes = new Uint8Array(entry.end - entry.start);
    await readFully(this.path, this.#handle, bytes, entry.start);
    return convert(bytes);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

async function readHeader(path: string, handle: FileHandle): Promise<Map<string, TensorEntry>> {
  const { size } = await handle.stat();
  if (size < 8) throw broken(path, `it is ${size} bytes long, too short for a header`);
  const prefix = new Uint8Array(8);
  await readFully(path, handle, prefix, 0);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(Math.min(size - 8, largestHeaderBytes))) {
    throw broken(path, `it says that its header has ${length} bytes, but the file has ${size}`);
  }
  const text = new Uint8Array(Number(length));
  await readFully(path, handle, text, 8);
  let header: unknown;
  try {
    header = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (cause) {
    throw broken(path, `its header of ${length} bytes is not JSON: ${(cause as Error).message}`);
  }
  if (header === null || typeof header !== 'object' || Array.isArray(header)) {
    throw broken(path, 'its header is not a JSON object');
  }
  if (memberCount(text) !== Object.keys(header).length) {
    throw broken(path, 'its header has one name twice, and which of the two is meant cannot be known');
  }
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') entries.set(name, checkEntry(path, name, value, 8 + Number(length)));
  }
  checkRanges(path, entries, 8 + Number(length), size);
  return entries;
}

/** Members of the outermost object of valid JSON, those counted twice that JSON.parse passes over. */
function memberCount(json: Uint8Array): number {
  let depth = 0;
  let isText = false;
  let count = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (isText) {
      if (byte === backslash) at++;
      else if (byte === quote) isText = false;
    } else if (byte === quote) isText = true;
    else if (byte === openBrace || byte === openBracket) depth++;
    else if (byte === closeBrace || byte === closeBracket) depth--;
    else if (byte === colon && depth === 1) count++;
  }
  return count;
}

function checkEntry(path: string, name: string, value: unknown, dataStart: number): TensorEntry {
  const { dtype, shape, data_offsets: range } = (value ?? {}) as Record<string, unknown>;
  const bits = typeof dtype === 'string' ? numberTypes[dtype as NumberType] : undefined;
  if (bits === undefined) {
    const known = Object.keys(numberTypes).join(', ');
    throw broken(path, `tensor '${name}' has the dtype ${JSON.stringify(dtype)}; known: ${known}`);
  }
  if (!isCounts(shape)) {
    throw broken(
      path,
      `tensor '${name}' has the shape ${JSON.stringify(shape)}, not a list of whole numbers`,
    );
  }
  if (!isCounts(range) || range.length !== 2 || range[0]! > range[1]!) {
    throw broken(path, `tensor '${name}' has the byte range ${JSON.stringify(range)}`);
  }
  const [from, to] = range as [number, number];
  const needed = (sizeOf(shape) * bits) / 8;
  if (!Number.isSafeInteger(needed))
    throw broken(path, `tensor '${name}' has the shape [${shape}], which no file can hold`);
  if (to - from !== needed) {
    throw broken(
      path,
      `tensor '${name}', ${dtype} [${shape}], needs ${needed} bytes and has the range ${from}-${to}`,
    );
  }
  return { dtype: dtype as NumberType, shape, start: dataStart + from, end: dataStart + to };
}

/** Tensors must lie side by side from the header's end to the end of the file. */
function checkRanges(
  path: string,
  entries: ReadonlyMap<string, TensorEntry>,
  start: number,
  size: number,
): void {
  const sorted = [...entries].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let end = start;
  let before = '';
  for (const [name, entry] of sorted) {
    if (entry.start < end) throw broken(path, `tensors '${before}' and '${name}' overlap`);
    if (entry.start > end) {
      throw broken(
        path,
        `bytes ${end - start}-${entry.start - start} before tensor '${name}' belong to no tensor`,
      );
    }
    end = entry.end;
    before = name;
  }
  if (end > size) throw broken(path, `it has ${size} bytes where its header promises ${end}: it is cut off`);
  if (end < size) throw broken(path, `it has ${size} bytes where its header promises ${end}`);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

async function readFully(
  path: string,
  handle: FileHandle,
  into: Uint8Array,
  position: number,
): Promise<void> {
  const read = await readInto(handle, into, position);
  if (read < into.length)
    throw broken(path, `it ends at byte ${position + read}, within a tensor: it is cut off`);
}

function broken(path: string, what: string): BenchError {
  return new BenchError('CHECKPOINT_INVALID', `${path} is not a usable safetensors file: ${what}.`, {
    hint: 'Copy or download the file again.',
  });
}

export interface NamedTensor {
  name: string;
  shape: readonly number[];
  values: Float32Array;
}

/** Writes float32 tensors in the order given, atomically; equal tensors give equal bytes. @returns their sha256 */
export async function writeSafetensors(path: string, tensors: readonly NamedTensor[]): Promise<string> {
  // transformers refuses files that do not say which framework's layout they follow.
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    if (values.length !== sizeOf(shape))
      throw new RangeError(`${name}: ${values.length} values for [${shape}]`);
    if (name in header) throw new RangeError(`two tensors are called ${name}`);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(json.byteLength / 8) * 8;
  const head = Buffer.alloc(8 + padded, ' ');
  head.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(head, 8);
  const bytes = tensors.map(
    ({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  );
  await writeAtomic(path, head, ...bytes);
  const hash = createHash('sha256');
  for (const part of [head, ...bytes]) hash.update(part);
  return hash.digest('hex');
}
