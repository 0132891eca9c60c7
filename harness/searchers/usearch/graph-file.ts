/**
 * Checks a file of usearch before the library loads it, which follows every number in it: one that is wrong ends the process.
 * The format is that of index_dense.hpp and index.hpp (version 2; the parts read here), all numbers little-endian:
 *
 *     uint32 rows  uint32 bytes of a row  the rows
 *     'usearch'  3 uint16 version  uint8 metric, scalar, key, slot  uint64 rows, deleted, D  uint8 multi  zeros to 64 bytes
 *     uint64 rows  uint64 links  uint64 links of the lowest layer  uint64 highest layer  uint64 first row of a walk
 *     int16 highest layer of each row
 *
 * then for each row `uint64 key  int16 highest layer` and for each of its layers, the lowest first, `uint32 count` and room
 * for as many uint32 rows as the layer has links.
 */
import type { FileHandle } from 'node:fs/promises';
import { closing } from '../../closing.js';
import { damaged, openToRead, readFully } from '../../index/reading.js';
import type { Scalar } from './graph.js';

export interface GraphLayout {
  links: number;
  scalar: Scalar;
  /** Of the vectors in the file. */
  dimensions: number;
  rows: number;
}

/** The library's number of a scalar, and its bytes. */
const scalars: Readonly<Record<Scalar, { code: number; bytes: number }>> = {
  f32: { code: 11, bytes: 4 },
  f16: { code: 12, bytes: 2 },
  i8: { code: 23, bytes: 1 },
};
const headerBytes = 64;
const innerProduct = 'i'.charCodeAt(0);
const [key64, slot32] = [14, 15];
/** Read at once. */
const windowBytes = 1 << 20;

/** Reads a file from its beginning to its end. */
class Pages {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #sizeBytes: number;
  #at: number;
  #page = Buffer.alloc(0);
  #taken = 0;

  constructor(path: string, handle: FileHandle, sizeBytes: number, from: number) {
    this.path = path;
    this.#handle = handle;
    this.#sizeBytes = sizeBytes;
    this.#at = from;
  }

  /** The next bytes, to be read before more are asked for. */
  async take(bytes: number): Promise<Buffer> {
    if (this.#taken + bytes > this.#page.length) {
      const left = this.#page.subarray(this.#taken);
      const length = Math.min(Math.max(windowBytes, bytes - left.length), this.#sizeBytes - this.#at);
      if (left.length + length < bytes) throw damaged(this.path, `ends before byte ${this.#at + bytes}`);
      const next = Buffer.alloc(length);
      await readFully(this.path, this.#handle, next, this.#at);
      this.#at += length;
      this.#page = Buffer.concat([left, next]);
      this.#taken = 0;
    }
    this.#taken += bytes;
    return this.#page.subarray(this.#taken - bytes, this.#taken);
  }
}

/** @throws BenchError CACHE_INVALID with what is wrong; the numbers of the vectors are not looked at */
export async function assertGraphFile(path: string, layout: GraphLayout): Promise<void> {
  await closing(await openToRead(path), async (handle) => {
    const { size } = await handle.stat();
    await check(path, handle, size, layout);
  });
}

async function check(
  path: string,
  handle: FileHandle,
  sizeBytes: number,
  { links, scalar, dimensions, rows }: GraphLayout,
): Promise<void> {
  const expect = (right: boolean, seen: string) => {
    if (!right) throw damaged(path, `is not as usearch writes it: ${seen}`);
  };
  const { code, bytes } = scalars[scalar];
  const matrix = await new Pages(path, handle, sizeBytes, 0).take(8);
  const [heldRows, rowBytes] = [matrix.readUInt32LE(0), matrix.readUInt32LE(4)];
  expect(heldRows === rows, `${heldRows} rows where there are ${rows}`);
  expect(rowBytes === dimensions * bytes, `${rowBytes} bytes a row of ${dimensions} numbers in ${scalar}`);

  const pages = new Pages(path, handle, sizeBytes, 8 + rows * rowBytes);
  const header = await pages.take(headerBytes);
  const magic = header.toString('latin1', 0, 7);
  expect(
    magic === 'usearch' && header.readUInt16LE(7) === 2,
    `'${magic}' of version ${header.readUInt16LE(7)}`,
  );
  const types = [...header.subarray(13, 17)];
  const wanted = [innerProduct, code, key64, slot32];
  expect(types.join() === wanted.join(), `types ${types.join()} where ${wanted.join()} are meant`);
  const counts = [17, 25, 33].map((at) => header.readBigUInt64LE(at)).join();
  expect(counts === `${rows},0,${dimensions}`, `rows, deleted and dimensions ${counts}`);

  const graph = await pages.take(40);
  const [nodes, upper, lowest, top, entry] = [0, 8, 16, 24, 32].map((at) =>
    Number(graph.readBigUInt64LE(at)),
  );
  expect(
    nodes === rows && upper === links && lowest === 2 * links,
    `${nodes} rows, ${upper} and ${lowest} links`,
  );
  const levels = new Int16Array(rows);
  for (let row = 0; row < rows; row++) levels[row] = (await pages.take(2)).readInt16LE(0);
  expect(
    rows === 0 || (entry! < rows && levels[entry!] === top),
    `a walk that begins at row ${entry}, layer ${top}`,
  );

  const [lowestBytes, upperBytes] = [4 + 4 * lowest!, 4 + 4 * upper!];
  let end = 8 + rows * rowBytes + headerBytes + 40 + 2 * rows;
  for (const level of levels) {
    expect(level >= 0 && level <= top!, `a row in layer ${level} of ${top}`);
    end += 10 + lowestBytes + level * upperBytes;
  }
  expect(end === sizeBytes, `${sizeBytes} bytes where ${end} are meant`);
  for (let row = 0; row < rows; row++) {
    const level = levels[row]!;
    const node = await pages.take(10 + lowestBytes + level * upperBytes);
    const [key, ownLevel] = [node.readBigUInt64LE(0), node.readInt16LE(8)];
    expect(key === BigInt(row) && ownLevel === level, `key ${key} and layer ${ownLevel} of row ${row}`);
    for (let layer = 0, at = 10; layer <= level; layer++) {
      const room = layer === 0 ? lowest! : upper!;
      const count = node.readUInt32LE(at);
      expect(count <= room, `${count} links of row ${row} where there is room for ${room}`);
      for (let i = 0; i < count; i++) {
        const other = node.readUInt32LE(at + 4 + 4 * i);
        expect(
          other < rows && levels[other]! >= layer,
          `a link of row ${row} to row ${other}, layer ${layer}`,
        );
      }
      at += 4 + 4 * room;
    }
  }
}
