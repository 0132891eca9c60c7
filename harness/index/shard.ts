/**
 * A shard: rows of float32 in the file format of FAISS's IndexFlatIP, so that any FAISS opens it (faiss/impl/
 * index_write.cpp and io.h, versions 1.5 to 1.12). All numbers are little-endian, as on every machine FAISS and Node
 * run on together:
 *
 *     'IxFI'  int32 D  int64 rows  int64 2^20  int64 2^20  uint8 trained = 1  int32 metric = 0 (inner product)
 *     uint64 floats = rows * D  float32 ...
 */
import type { FileHandle } from 'node:fs/promises';
import { closingOnFailure } from '../closing.js';
import { AtomicFile } from '../store/atomic.js';
import { damaged, openToRead, readFully } from './reading.js';

/** Bytes before the first row. */
export const shardHeaderBytes = 45;

/** FAISS writes this number twice, in the place of members it no longer has. */
const placeholder = 1n << 20n;

/** Bytes of a shard of so many rows of D dimensions. */
export function shardBytes(rows: number, dimensions: number): number {
  return shardHeaderBytes + rows * dimensions * 4;
}

function headerOf(rows: number, dimensions: number): Buffer {
  const header = Buffer.alloc(shardHeaderBytes);
  header.write('IxFI', 0, 'latin1');
  header.writeInt32LE(dimensions, 4);
  header.writeBigInt64LE(BigInt(rows), 8);
  header.writeBigInt64LE(placeholder, 16);
  header.writeBigInt64LE(placeholder, 24);
  header.writeUInt8(1, 32);
  header.writeInt32LE(0, 33);
  header.writeBigUInt64LE(BigInt(rows * dimensions), 37);
  return header;
}

/** Writes a shard row by row; nothing is seen under its name before `commit`. */
export class ShardWriter {
  readonly dimensions: number;
  readonly #file: AtomicFile;
  #rows = 0;

  private constructor(file: AtomicFile, dimensions: number) {
    this.#file = file;
    this.dimensions = dimensions;
  }

  /** @param dimensions D */
  static async create(target: string, dimensions: number): Promise<ShardWriter> {
    if (!Number.isInteger(dimensions) || dimensions < 1) throw new RangeError(`${dimensions} dimensions`);
    const file = await AtomicFile.create(target);
    await file.write(headerOf(0, dimensions));
    return new ShardWriter(file, dimensions);
  }

  /** Rows written so far. */
  get rows(): number {
    return this.#rows;
  }

  /** @param values whole rows, [rows, D] */
  async append(values: Float32Array): Promise<void> {
    if (values.length % this.dimensions !== 0) {
      throw new RangeError(`${values.length} values are not rows of ${this.dimensions}`);
    }
    await this.#file.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    this.#rows += values.length / this.dimensions;
  }

  async commit(): Promise<void> {
    await this.#file.write(headerOf(this.#rows, this.dimensions), 0);
    await this.#file.commit();
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }
}

/** Reads rows of a shard, whatever its size, without holding more than was asked for. */
export class ShardReader {
  readonly path: string;
  /** Rows of the shard. */
  readonly rows: number;
  /** D */
  readonly dimensions: number;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle, rows: number, dimensions: number) {
    this.path = path;
    this.#handle = handle;
    this.rows = rows;
    this.dimensions = dimensions;
  }

  /** @throws BenchError CACHE_INVALID where the file is not there, is no shard, or is not as long as its header says */
  static async open(path: string): Promise<ShardReader> {
    return closingOnFailure(await openToRead(path), async (handle) => {
      const { size } = await handle.stat();
      const header = Buffer.alloc(shardHeaderBytes);
      await handle.read(header, 0, shardHeaderBytes, 0);
      const { rows, dimensions } = parseHeader(path, header, size);
      return new ShardReader(path, handle, rows, dimensions);
    });
  }

  /**
   * Reads the rows from `firstRow` up to `firstRow + count` into the beginning of `into`.
   * @param into at least count * D long
   */
  async read(firstRow: number, count: number, into: Float32Array): Promise<void> {
    if (firstRow < 0 || count < 0 || firstRow + count > this.rows) {
      throw new RangeError(`rows ${firstRow} to ${firstRow + count} of ${this.rows}`);
    }
    const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
    const wanted = count * this.dimensions * 4;
    if (bytes.length < wanted) throw new RangeError(`${into.length} values cannot hold ${count} rows`);
    const position = shardHeaderBytes + firstRow * this.dimensions * 4;
    await readFully(this.path, this.#handle, bytes.subarray(0, wanted), position);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function parseHeader(path: string, header: Buffer, sizeBytes: number): { rows: number; dimensions: number } {
  if (sizeBytes < shardHeaderBytes) {
    throw damaged(path, `holds ${sizeBytes} bytes, fewer than the ${shardHeaderBytes} of a shard's header`);
  }
  const kind = header.toString('latin1', 0, 4);
  if (kind !== 'IxFI') throw damaged(path, `begins with '${kind}' where a shard begins with 'IxFI'`);
  const dimensions = header.readInt32LE(4);
  const rows = header.readBigInt64LE(8);
  const metric = header.readInt32LE(33);
  const floats = header.readBigUInt64LE(37);
  if (dimensions < 1) throw damaged(path, `claims ${dimensions} dimensions`);
  if (metric !== 0) throw damaged(path, `is of FAISS's metric ${metric}, not 0 (inner product)`);
  if (rows < 0n || rows * BigInt(dimensions) !== floats) {
    throw damaged(path, `claims ${rows} rows of ${dimensions} dimensions, and ${floats} numbers`);
  }
  const claimed = BigInt(shardHeaderBytes) + floats * 4n;
  if (claimed !== BigInt(sizeBytes)) {
    throw damaged(path, `holds ${sizeBytes} bytes where its header says ${claimed}`);
  }
  return { rows: Number(rows), dimensions };
}
