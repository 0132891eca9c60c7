/** Rows of vectors made elsewhere, whatever the form of their file: an array of NumPy, or a Parquet file. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { closingOnFailure } from '../closing.js';
import { readFully } from '../index/reading.js';
import { NpyRows, type NpyType } from '../interchange/npy.js';
import { ParquetVectors } from '../interchange/parquet-vectors.js';
import { toFloat32 } from '../model/number-types.js';

export interface GivenArray {
  readonly file: string;
  /** How many. */
  readonly rows: number;
  /** D */
  readonly dimensions: number;
  /** @returns [count, D]; of a Parquet file none before what was read last, until `inAnyOrder` */
  read(firstRow: number, count: number): Promise<Float32Array>;
  /** Makes rows readable in any order. @param folder gets what that takes, and may be removed after `close` */
  inAnyOrder(folder: string): Promise<void>;
  close(): Promise<void>;
}

export const parquetSuffix = '.parquet';

/** @throws BenchError as `NpyRows.open` and `ParquetVectors.open` */
export async function openArray(file: string): Promise<GivenArray> {
  return file.endsWith(parquetSuffix)
    ? new ParquetArray(await ParquetVectors.open(file))
    : npyArray(await NpyRows.open(file));
}

const safetensorsType = { '<f2': 'F16', '<f4': 'F32', '<f8': 'F64' } as const satisfies Record<
  NpyType,
  string
>;

function npyArray(npy: NpyRows): GivenArray {
  const { file, rows, dimensions, type } = npy;
  return {
    ...{ file, rows, dimensions },
    read: async (firstRow, count) => toFloat32[safetensorsType[type]]!(await npy.read(firstRow, count)),
    inAnyOrder: async () => undefined,
    close: () => npy.close(),
  };
}

/** Rows copied at once. */
const copiedRows = 1024;

class ParquetArray implements GivenArray {
  readonly file: string;
  readonly rows: number;
  readonly dimensions: number;
  /** The rows as 32-bit floats, one after another. */
  #copy: { handle: FileHandle; name: string } | undefined;

  constructor(readonly vectors: ParquetVectors) {
    this.file = vectors.file;
    this.rows = vectors.rows;
    this.dimensions = vectors.dimensions;
  }

  async read(firstRow: number, count: number): Promise<Float32Array> {
    if (this.#copy === undefined) return this.vectors.read(firstRow, count);
    const values = new Float32Array(count * this.dimensions);
    const { handle, name } = this.#copy;
    await readFully(name, handle, new Uint8Array(values.buffer), 4 * firstRow * this.dimensions);
    return values;
  }

  async inAnyOrder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    const name = path.join(folder, `${path.basename(this.file)}.f32`);
    await closingOnFailure(await open(name, 'w+'), async (handle) => {
      for (let row = 0; row < this.rows; row += copiedRows) {
        const values = await this.vectors.read(row, Math.min(copiedRows, this.rows - row));
        await handle.writeFile(new Uint8Array(values.buffer));
      }
      this.#copy = { handle, name };
    });
  }

  async close(): Promise<void> {
    await this.#copy?.handle.close();
    await this.vectors.close();
  }
}
