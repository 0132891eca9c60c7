/** Numbers of a file of FAISS, one behind the other. */
import type { FileHandle } from 'node:fs/promises';
import { damaged, readFully } from '../../index/reading.js';

/** Walks through a file without holding more of it than a number. */
export class Cursor {
  at = 0;

  constructor(
    readonly path: string,
    readonly handle: FileHandle,
    readonly sizeBytes: number,
  ) {}

  async #take(bytes: number): Promise<Buffer> {
    const buffer = Buffer.alloc(bytes);
    const from = this.at;
    this.skip(bytes);
    await readFully(this.path, this.handle, buffer, from);
    return buffer;
  }

  skip(bytes: number): void {
    this.at += bytes;
    if (this.at > this.sizeBytes)
      throw damaged(this.path, `ends before byte ${this.at} of an index of FAISS`);
  }

  async letters(): Promise<string> {
    return (await this.#take(4)).toString('latin1');
  }

  async byte(): Promise<number> {
    return (await this.#take(1)).readUInt8();
  }

  async int32(): Promise<number> {
    return (await this.#take(4)).readInt32LE();
  }

  async int64(): Promise<number> {
    return Number((await this.#take(8)).readBigInt64LE());
  }

  /** Skips a vector. @returns its length */
  async vector(elementBytes: number): Promise<number> {
    const length = await this.int64();
    this.expect(length >= 0, `a vector of ${length} numbers`);
    this.skip(length * elementBytes);
    return length;
  }

  /** What is not as the format has it is left alone: a wrong guess would write into the vectors. */
  expect(condition: boolean, seen: string): void {
    if (!condition) throw damaged(this.path, `is not as FAISS writes it before byte ${this.at}: ${seen}`);
  }
}
