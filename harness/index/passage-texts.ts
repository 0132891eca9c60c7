/**
 * The texts of a collection by their place in it, for what reads those of hits:
 *
 *     texts.utf8   texts, UTF-8, one after another
 *     starts.f64   where each begins, and the end of the last, float64
 */
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { writeWhole } from '../store/atomic.js';
import { damaged, longestArray, openToRead, readFully } from './reading.js';

const textsFile = (folder: string): string => path.join(folder, 'texts.utf8');
const startsFile = (folder: string): string => path.join(folder, 'starts.f64');

/** Texts that are written at once. */
const blockTexts = 4096;

/** @param onText is told how many are there @returns how many there are, and their bytes */
export async function writePassageTexts(
  folder: string,
  texts: AsyncIterable<string>,
  onText: (passages: number) => void = () => undefined,
): Promise<{ passages: number; bytes: number }> {
  return writeWhole(startsFile(folder), (starts) =>
    writeWhole(textsFile(folder), async (file) => {
      let [passages, bytes] = [0, 0];
      let block: Buffer[] = [];
      let ends = [0];
      const flush = async () => {
        await file.write(Buffer.concat(block));
        await starts.write(new Uint8Array(Float64Array.from(ends).buffer));
        [block, ends] = [[], []];
      };
      for await (const text of texts) {
        const own = Buffer.from(text);
        block.push(own);
        bytes += own.length;
        ends.push(bytes);
        passages++;
        if (block.length < blockTexts) continue;
        await flush();
        onText(passages);
      }
      await flush();
      return { passages, bytes };
    }),
  );
}

/** What the files of so many texts take together. */
export const passageTextsBytes = ({ passages, bytes }: { passages: number; bytes: number }): number =>
  bytes + 8 * (passages + 1);

/** Whether so many texts are held by one that is opened with so much memory. */
export const holdsTexts = (of: { passages: number; bytes: number }, memoryBytes: number): boolean =>
  passageTextsBytes(of) <= memoryBytes && of.bytes <= longestArray;

export class PassageTexts {
  readonly #folder: string;
  readonly #texts: FileHandle;
  readonly #starts: FileHandle;
  readonly #passages: number;
  /** Of all texts. */
  readonly #bytes: number;
  readonly #held: { texts: Buffer; starts: Float64Array } | undefined;

  private constructor(
    folder: string,
    files: { texts: FileHandle; starts: FileHandle; passages: number; bytes: number },
    held: { texts: Buffer; starts: Float64Array } | undefined,
  ) {
    this.#folder = folder;
    this.#texts = files.texts;
    this.#starts = files.starts;
    this.#passages = files.passages;
    this.#bytes = files.bytes;
    this.#held = held;
  }

  /**
   * @param memoryBytes what all texts may take to be held; where they take more, or more than an array holds, each is read when it is asked for
   * @throws BenchError CACHE_INVALID where the files do not fit together
   */
  static async open(folder: string, memoryBytes: number): Promise<PassageTexts> {
    const texts = await openToRead(textsFile(folder));
    let starts: FileHandle | undefined;
    try {
      starts = await openToRead(startsFile(folder));
      const [{ size: bytes }, { size }] = [await texts.stat(), await starts.stat()];
      const passages = size / 8 - 1;
      const last = new Float64Array(1);
      if (!Number.isInteger(passages) || passages < 0)
        throw damaged(startsFile(folder), `holds ${size} bytes, not 8 for each start`);
      await readFully(startsFile(folder), starts, new Uint8Array(last.buffer), 8 * passages);
      if (last[0] !== bytes) throw damaged(textsFile(folder), `holds ${bytes} bytes where ${last[0]} belong`);
      const files = { texts, starts, passages, bytes };
      if (!holdsTexts({ passages, bytes }, memoryBytes)) return new PassageTexts(folder, files, undefined);
      const held = { texts: Buffer.alloc(bytes), starts: new Float64Array(passages + 1) };
      await readFully(textsFile(folder), texts, held.texts, 0);
      await readFully(startsFile(folder), starts, new Uint8Array(held.starts.buffer), 0);
      return new PassageTexts(folder, files, held);
    } catch (error) {
      await texts.close();
      await starts?.close();
      throw error;
    }
  }

  get passages(): number {
    return this.#passages;
  }

  /** Whether all lie in memory; else the disk's share is in a latency. */
  get resident(): boolean {
    return this.#held !== undefined;
  }

  /** @param ordinal the passage's place in the collection, from 0 */
  async at(ordinal: number): Promise<string> {
    if (!(ordinal >= 0 && ordinal < this.#passages))
      throw new RangeError(`passage ${ordinal} of ${this.#passages}`);
    const range = this.#held?.starts.subarray(ordinal, ordinal + 2) ?? new Float64Array(2);
    if (this.#held === undefined)
      await readFully(startsFile(this.#folder), this.#starts, new Uint8Array(range.buffer), 8 * ordinal);
    const [from, end] = [range[0]!, range[1]!];
    const isRange = Number.isInteger(from) && Number.isInteger(end) && from >= 0 && from <= end;
    if (!isRange || end > this.#bytes)
      throw damaged(startsFile(this.#folder), `has text ${ordinal + 1} from ${from} to ${end}`);
    if (this.#held !== undefined) return this.#held.texts.toString('utf8', from, end);
    const bytes = Buffer.alloc(end - from);
    await readFully(textsFile(this.#folder), this.#texts, bytes, from);
    return bytes.toString('utf8');
  }

  async close(): Promise<void> {
    await this.#texts.close();
    await this.#starts.close();
  }
}
