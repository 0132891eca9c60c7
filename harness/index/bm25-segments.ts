/**
 * Postings that do not fit the memory: written in segments, each sorted by term, and put together at the end. Distances go on
 * from one segment to the next, so putting together is copying.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { AtomicFile, writeWhole } from '../store/atomic.js';
import { assertPlain } from '../store/plain-file.js';
import { damaged } from './reading.js';
import { PostingBytes } from './variable-bytes.js';

/** Writes are gathered to about this many bytes. */
const writeBytes = 4_000_000;
const readBytes = 1_000_000;

/** Takes postings in the order of the passages, up to a number of them. 12 bytes each, and 8 more while it is written. */
export class PostingBlock {
  readonly #terms: Uint32Array;
  readonly #passages: Uint32Array;
  readonly #occurrences: Uint32Array;
  #count = 0;

  constructor(capacity: number) {
    this.#terms = new Uint32Array(capacity);
    this.#passages = new Uint32Array(capacity);
    this.#occurrences = new Uint32Array(capacity);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#count === this.#terms.length;
  }

  add(term: number, passage: number, occurrences: number): void {
    const at = this.#count++;
    this.#terms[at] = term;
    this.#passages[at] = passage;
    this.#occurrences[at] = occurrences;
  }

  /**
   * Writes what was taken, for each term in ascending order its number less the one before, the bytes of its postings and
   * these; is empty then.
   * @param last ordinal of the passage that each term was last in, plus 1; brought up to date
   */
  async write(file: string, termCount: number, last: Uint32Array): Promise<void> {
    // A counting sort: stable, so that passages stay in order.
    const ends = new Uint32Array(termCount);
    for (let i = 0; i < this.#count; i++) ends[this.#terms[i]!]!++;
    for (let term = 1; term < termCount; term++) ends[term]! += ends[term - 1]!;
    const starts = new Uint32Array(termCount);
    starts.set(ends.subarray(0, termCount - 1), 1);
    const order = new Uint32Array(this.#count);
    for (let i = 0; i < this.#count; i++) order[starts[this.#terms[i]!]!++] = i;

    const target = await AtomicFile.create(file);
    const out = new PostingBytes();
    const list = new PostingBytes();
    let before = 0;
    let at = 0;
    for (let term = 0; term < termCount; term++) {
      const end = ends[term]!;
      if (at === end) continue;
      list.clear();
      for (; at < end; at++) {
        const passage = this.#passages[order[at]!]! + 1;
        list.posting(passage - last[term]!, this.#occurrences[order[at]!]!);
        last[term] = passage;
      }
      out.number(term - before);
      out.number(list.length);
      out.append(list.bytes);
      before = term;
      if (out.length >= writeBytes) {
        await target.write(out.bytes);
        out.clear();
      }
    }
    await target.write(out.bytes);
    await target.commit();
    this.#count = 0;
  }
}

/** Reads a segment from its beginning, a term at a time, the first after one call of `advance`. */
class SegmentReader {
  readonly #path: string;
  readonly #handle: number;
  #bytes = Buffer.alloc(0);
  #at = 0;
  /** The term at hand; at the end the last one. */
  term = 0;
  #length = 0;

  constructor(path: string) {
    this.#path = path;
    assertPlain(path);
    this.#handle = openSync(path, 'r');
  }

  /** The postings of the term at hand, valid until `advance`. */
  postings(): Uint8Array {
    this.#need(this.#length);
    const bytes = this.#bytes.subarray(this.#at, this.#at + this.#length);
    this.#at += this.#length;
    return bytes;
  }

  advance(): void {
    if (!this.#has(1)) return;
    this.term += this.#number();
    this.#length = this.#number();
  }

  close(): void {
    closeSync(this.#handle);
  }

  #number(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      this.#need(1);
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  }

  #need(count: number): void {
    if (!this.#has(count)) throw damaged(this.#path, 'ends in the middle of a list');
  }

  /** Brings so many bytes to hand; false where the file ends before. */
  #has(count: number): boolean {
    const rest = this.#bytes.subarray(this.#at);
    if (rest.length >= count) return true;
    const larger = Buffer.allocUnsafe(rest.length + Math.max(readBytes, count));
    let filled = rest.copy(larger);
    while (filled < count) {
      const read = readSync(this.#handle, larger, filled, larger.length - filled, null);
      if (read === 0) break;
      filled += read;
    }
    this.#bytes = larger.subarray(0, filled);
    this.#at = 0;
    return filled >= count;
  }
}

/**
 * Puts segments together into one file: the lists of all terms, one after another.
 * @returns where the list of each term begins, and the end of the last
 */
export async function joinSegments(
  segments: readonly string[],
  file: string,
  termCount: number,
): Promise<Float64Array> {
  const offsets = new Float64Array(termCount + 1);
  const readers = segments.map((segment) => new SegmentReader(segment));
  try {
    await writeWhole(file, async (target) => {
      for (const reader of readers) reader.advance();
      const out = new PostingBytes();
      for (let term = 0; term < termCount; term++) {
        offsets[term] = target.sizeBytes + out.length;
        for (const reader of readers) {
          if (reader.term !== term) continue;
          out.append(reader.postings());
          reader.advance();
        }
        if (out.length < writeBytes) continue;
        await target.write(out.bytes);
        out.clear();
      }
      offsets[termCount] = target.sizeBytes + out.length;
      await target.write(out.bytes);
    });
  } finally {
    for (const reader of readers) reader.close();
  }
  for (const segment of segments) await rm(segment);
  return offsets;
}
