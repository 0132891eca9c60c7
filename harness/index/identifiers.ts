/**
 * The passage ids of an index, in the collection's order, in one file, and in memory without a string per passage:
 *
 *     'SIDS'  uint32 1  uint64 passages  uint64 bytes of all ids  uint32 start of each id, and the end of the last
 *     ids, UTF-8, one after another
 *
 * 21 million ids as DPR numbers them take 250 MB.
 */
import type { FileHandle } from 'node:fs/promises';
import { closing } from '../closing.js';
import { BenchError } from '../errors.js';
import { writeAtomic } from '../store/atomic.js';
import { grown } from './growing.js';
import { damaged, openToRead, readFully } from './reading.js';

const headerBytes = 24;
const magic = 'SIDS';
const formatVersion = 1;
/** Starts are kept as 32 bits. */
const largestIdBytes = 2 ** 32 - 1;

/** Bytes of the file for so many passages whose ids take so many bytes of UTF-8 together. */
export function identifiersBytes(passages: number, idBytes: number): number {
  return headerBytes + 4 * (passages + 1) + idBytes;
}

/** Takes passage ids one after another, refuses one that was there before, and writes the file at `commit`. */
export class IdentifierWriter {
  readonly path: string;
  readonly #encoder = new TextEncoder();
  #bytes = new Uint8Array();
  #starts = new Uint32Array(1);
  #count = 0;
  /** Open addressing: ordinal + 1 of the id in each slot, 0 where it is free. A power of two of them, twice as many as starts. */
  #slots = new Uint32Array();

  constructor(target: string) {
    this.path = target;
  }

  /** Passages so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of UTF-8 of all ids so far. */
  get idBytes(): number {
    return this.#starts[this.#count]!;
  }

  /**
   * @returns the passage's ordinal, from 0
   * @throws BenchError DATA_INVALID where an earlier passage has this id
   */
  append(passageId: string): number {
    const start = this.idBytes;
    this.#reserve(start + passageId.length * 3);
    const end = start + this.#encoder.encodeInto(passageId, this.#bytes.subarray(start)).written;
    const slot = this.#slotOf(start, end);
    const earlier = this.#slots[slot]!;
    if (earlier !== 0) {
      throw new BenchError(
        'DATA_INVALID',
        `Two passages have the id '${passageId}': passage ${earlier} and passage ${this.#count + 1} of the collection.`,
        { hint: 'Every passage needs an id of its own: remove one of them, or rename it.' },
      );
    }
    this.#slots[slot] = ++this.#count;
    this.#starts[this.#count] = end;
    return this.#count - 1;
  }

  async commit(): Promise<void> {
    const header = Buffer.alloc(headerBytes);
    header.write(magic, 0, 'latin1');
    header.writeUInt32LE(formatVersion, 4);
    header.writeBigUInt64LE(BigInt(this.#count), 8);
    header.writeBigUInt64LE(BigInt(this.idBytes), 16);
    const starts = new Uint8Array(this.#starts.buffer, 0, 4 * (this.#count + 1));
    await writeAtomic(this.path, header, starts, this.#bytes.subarray(0, this.idBytes));
  }

  #reserve(bytes: number): void {
    if (bytes > largestIdBytes) {
      throw new BenchError(
        'DATA_INVALID',
        `The first ${this.#count} passage ids take 4 GiB, the most an index holds.`,
        { hint: 'Give the passages shorter ids.' },
      );
    }
    this.#bytes = grown(this.#bytes, bytes, largestIdBytes);
    const starts = grown(this.#starts, this.#count + 2);
    if (starts === this.#starts) return;
    this.#starts = starts;
    // At most half full: a search for a free slot takes less than two steps on average.
    this.#slots = new Uint32Array(2 * starts.length);
    for (let i = 0; i < this.#count; i++) {
      this.#slots[this.#slotOf(starts[i]!, starts[i + 1]!)] = i + 1;
    }
  }

  /** The slot that holds the id of these bytes, or else the free one where it belongs. */
  #slotOf(start: number, end: number): number {
    const last = this.#slots.length - 1;
    let slot = mixed(fnv1a(this.#bytes, start, end)) & last;
    while (this.#slots[slot] !== 0 && !this.#same(this.#slots[slot]! - 1, start, end))
      slot = (slot + 1) & last;
    return slot;
  }

  #same(ordinal: number, start: number, end: number): boolean {
    const other = this.#starts[ordinal]!;
    if (this.#starts[ordinal + 1]! - other !== end - start) return false;
    for (let i = start; i < end; i++) if (this.#bytes[i] !== this.#bytes[other + i - start]) return false;
    return true;
  }
}

/** The ids of an index, by ordinal. */
export class Identifiers {
  readonly #starts: Uint32Array;
  readonly #bytes: Buffer;

  private constructor(starts: Uint32Array, bytes: Buffer) {
    this.#starts = starts;
    this.#bytes = bytes;
  }

  /** @throws BenchError CACHE_INVALID where the file is not there or does not hold what its header says */
  static async open(path: string): Promise<Identifiers> {
    return withHeader(path, async (handle, count, idBytes) => {
      const starts = new Uint32Array(count + 1);
      await readFully(path, handle, new Uint8Array(starts.buffer), headerBytes);
      const bytes = Buffer.allocUnsafeSlow(idBytes);
      await readFully(path, handle, bytes, headerBytes + starts.byteLength);
      for (let i = 0; i < count; i++) {
        if (starts[i]! > starts[i + 1]!) throw damaged(path, `has the start of id ${i + 1} after its end`);
      }
      if (starts[count] !== idBytes) throw damaged(path, 'has ids that end elsewhere than its header says');
      return new Identifiers(starts, bytes);
    });
  }

  /** The number of passages, without reading their ids. */
  static async count(path: string): Promise<number> {
    return withHeader(path, async (_, count) => count);
  }

  /** Passages. */
  get count(): number {
    return this.#starts.length - 1;
  }

  /** @param ordinal the passage's place in the collection, from 0 */
  at(ordinal: number): string {
    if (!(ordinal >= 0 && ordinal < this.count)) throw new RangeError(`passage ${ordinal} of ${this.count}`);
    return this.#bytes.toString('utf8', this.#starts[ordinal], this.#starts[ordinal + 1]);
  }
}

async function withHeader<T>(
  path: string,
  use: (handle: FileHandle, count: number, idBytes: number) => Promise<T>,
): Promise<T> {
  return closing(await openToRead(path), async (handle) => {
    const header = Buffer.alloc(headerBytes);
    const { bytesRead } = await handle.read(header, 0, headerBytes, 0);
    const known = header.toString('latin1', 0, 4) === magic && header.readUInt32LE(4) === formatVersion;
    if (bytesRead < headerBytes || !known) {
      throw damaged(path, 'is not a file of passage ids');
    }
    const count = Number(header.readBigUInt64LE(8));
    const idBytes = Number(header.readBigUInt64LE(16));
    const { size } = await handle.stat();
    if (identifiersBytes(count, idBytes) !== size) {
      throw damaged(path, `holds ${size} bytes where its header says ${identifiersBytes(count, idBytes)}`);
    }
    return await use(handle, count, idBytes);
  });
}

/** FNV-1a of 32 bits (Fowler, Noll and Vo) of the bytes from `start` to `end`. */
export function fnv1a(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return h >>> 0;
}

/** MurmurHash3's finalizer: of 32 bits, each of which then depends on all of them. */
export function mixed(bits: number): number {
  let h = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
