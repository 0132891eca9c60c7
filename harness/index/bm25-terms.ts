/**
 * The dictionary of a BM25 index: every term with the number of passages that hold it and the place of its postings. Terms
 * stand in the order of their UTF-16 units, so that one is found by halving.
 *
 *     'STRM'  uint32 1  uint64 terms  uint64 bytes of all terms
 *     float64 begin and end of each term's postings  uint32 passages with each term
 *     uint32 start of each term, and the end of the last  terms, UTF-8
 */
import { closing } from '../closing.js';
import { writeAtomic } from '../store/atomic.js';
import { damaged, openToRead, readFully } from './reading.js';

const headerBytes = 24;
const magic = 'STRM';
const formatVersion = 1;

export interface TermFacts {
  /** Passages that hold the term. */
  documentFrequency: number;
  /** Where its postings begin and end in the file of postings. */
  from: number;
  to: number;
}

const bytesOf = (array: Float64Array | Uint32Array) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/**
 * @param terms numbered by their places
 * @param offsets where the postings of each begin, and the end of the last
 */
export async function writeTerms(
  path: string,
  terms: readonly string[],
  frequencies: Uint32Array,
  offsets: Float64Array,
): Promise<void> {
  const order = Uint32Array.from(terms, (_, i) => i).sort((a, b) => (terms[a]! < terms[b]! ? -1 : 1));
  const places = new Float64Array(terms.length * 2);
  const counts = new Uint32Array(terms.length);
  const starts = new Uint32Array(terms.length + 1);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (const [i, term] of order.entries()) {
    places[2 * i] = offsets[term]!;
    places[2 * i + 1] = offsets[term + 1]!;
    counts[i] = frequencies[term]!;
    const text = Buffer.from(terms[term]!);
    chunks.push(text);
    bytes += text.length;
    starts[i + 1] = bytes;
  }
  const header = Buffer.alloc(headerBytes);
  header.write(magic, 0, 'latin1');
  header.writeUInt32LE(formatVersion, 4);
  header.writeBigUInt64LE(BigInt(terms.length), 8);
  header.writeBigUInt64LE(BigInt(bytes), 16);
  const parts = [bytesOf(places), bytesOf(counts), bytesOf(starts), Buffer.concat(chunks)];
  await writeAtomic(path, header, ...parts);
}

export class Terms {
  readonly #places: Float64Array;
  readonly #counts: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #bytes: Buffer;

  private constructor(places: Float64Array, counts: Uint32Array, starts: Uint32Array, bytes: Buffer) {
    this.#places = places;
    this.#counts = counts;
    this.#starts = starts;
    this.#bytes = bytes;
  }

  /** @throws BenchError CACHE_INVALID where the file is not there or does not hold what its header says */
  static async open(path: string): Promise<Terms> {
    return closing(await openToRead(path), async (handle) => {
      const { size } = await handle.stat();
      if (size < headerBytes) throw damaged(path, `holds ${size} bytes and is no dictionary`);
      const header = Buffer.alloc(headerBytes);
      await readFully(path, handle, header, 0);
      if (header.toString('latin1', 0, 4) !== magic || header.readUInt32LE(4) !== formatVersion) {
        throw damaged(path, 'is no dictionary');
      }
      const count = Number(header.readBigUInt64LE(8));
      const textBytes = Number(header.readBigUInt64LE(16));
      const expected = headerBytes + count * 24 + 4 + textBytes;
      if (size !== expected) throw damaged(path, `holds ${size} bytes where its header says ${expected}`);
      const places = new Float64Array(count * 2);
      const counts = new Uint32Array(count);
      const starts = new Uint32Array(count + 1);
      const bytes = Buffer.allocUnsafeSlow(textBytes);
      let position = headerBytes;
      for (const part of [bytesOf(places), bytesOf(counts), bytesOf(starts), bytes]) {
        await readFully(path, handle, part, position);
        position += part.length;
      }
      if (starts[count] !== textBytes)
        throw damaged(path, 'has terms that end elsewhere than its header says');
      for (let i = 0; i < count; i++) {
        const [from, to] = [places[2 * i]!, places[2 * i + 1]!];
        if (starts[i]! > starts[i + 1]!) throw damaged(path, `has the start of term ${i + 1} after its end`);
        if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to))
          throw damaged(path, `has the postings of term ${i + 1} from byte ${from} to ${to}`);
      }
      return new Terms(places, counts, starts, bytes);
    });
  }

  get count(): number {
    return this.#counts.length;
  }

  /** Where the last of all postings end in their file. */
  get postingsEnd(): number {
    let end = 0;
    for (let i = 1; i < this.#places.length; i += 2) end = Math.max(end, this.#places[i]!);
    return end;
  }

  /** Undefined where no passage holds the term. */
  find(term: string): TermFacts | undefined {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const other = this.#bytes.toString('utf8', this.#starts[middle], this.#starts[middle + 1]);
      if (other === term) {
        const [from, to] = [this.#places[2 * middle]!, this.#places[2 * middle + 1]!];
        return { documentFrequency: this.#counts[middle]!, from, to };
      }
      if (other < term) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}
