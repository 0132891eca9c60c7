/**
 * Builds an index of impacts from the weights of passages. What does not fit the memory is written in segments, each sorted by
 * token, and put together at the end: distances go on from one segment to the next, so putting together is copying.
 */
import { copyFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { closing } from '../closing.js';
import { type AtomicFile, writeAtomic, writeJson, writeWhole } from '../store/atomic.js';
import { bytesOf, type ImpactFacts, impactPaths, startsOf, tokenTable } from './impact-index.js';
import { damaged, openToRead, readFully } from './reading.js';
import { largestWeights, readTokenWeights, weightColumns } from './token-weights.js';
import { PostingBytes } from './variable-bytes.js';
import { identifiersPath, type VectorIndex } from './vector-index.js';

export interface ImpactWriteOptions {
  /** The weights of passages, see `token-weights.ts`. */
  weights: VectorIndex;
  /** V */
  tokens: number;
  folder: string;
  /** The largest weights of a passage that are indexed; all where absent. */
  most?: number | undefined;
  /** Postings kept in memory before a segment is written, some 24 bytes each. */
  blockPostings?: number;
  /** Bytes of all segments that are put together at once. */
  joinedBytes?: number;
  /** Called now and then with the number of passages done. */
  onProgress?(passages: number): void;
}

/** 200 MB */
const usualBlockPostings = 1 << 23;
const usualJoinedBytes = 32_000_000;
/** Passages that are read at once. */
const readPassages = 1000;

/**
 * Beside a block of postings, memory holds 8 bytes per token for every segment, 24 while they are put together, and
 * the passage ids.
 * @returns what index.json says, which is written last
 * @throws BenchError CACHE_INVALID where a passage has a token that there is not, or a weight that is none
 */
export async function writeImpactIndex(options: ImpactWriteOptions): Promise<ImpactFacts> {
  const { weights, tokens, folder, most, onProgress } = options;
  const { blockPostings = usualBlockPostings, joinedBytes = usualJoinedBytes } = options;
  const paths = impactPaths(folder);
  const segmentsFile = path.join(folder, 'segments');
  let [postings, empty] = [0, 0];
  const segments = await writeWhole(segmentsFile, async (file) => {
    const block = new ImpactBlock(blockPostings, tokens, file);
    for (let first = 0; first < weights.passages; first += readPassages) {
      const count = Math.min(readPassages, weights.passages - first);
      const read = largestWeights(await readTokenWeights(weights, first, count), most);
      let at = 0;
      for (const [i, own] of read.counts.entries()) {
        if (own === 0) empty++;
        for (let j = 0; j < own; j++, at += weightColumns) {
          const [token, weight] = [read.pairs[at]!, read.pairs[at + 1]!];
          if (!(Number.isInteger(token) && token >= 0 && token < tokens && weight > 0 && weight < Infinity))
            throw damaged(weights.folder, `has the weight ${weight} for token ${token} of ${tokens}`);
          if (block.isFull) await block.write();
          block.add(token, first + i, weight);
        }
        postings += own;
      }
      onProgress?.(first + count);
    }
    await block.write();
    return block.segments;
  });
  const { counts, bytes } = await join(segments, segmentsFile, paths, tokens, joinedBytes);
  await rm(segmentsFile);
  await writeAtomic(paths.tokens, ...tokenTable(counts, bytes));
  await copyFile(identifiersPath(weights.folder), paths.identifiers);
  const facts: ImpactFacts = { format: 'impacts 1', passages: weights.passages, tokens, postings, empty };
  await writeJson(paths.facts, facts);
  return facts;
}

/** Where a segment lies in the file of all: the gaps of all tokens, then their weights. */
interface Segment {
  from: number;
  /** By token. */
  counts: Uint32Array;
  bytes: Uint32Array;
}

/** Takes postings in the order of the passages, up to a number of them. */
class ImpactBlock {
  readonly segments: Segment[] = [];
  readonly #file: AtomicFile;
  readonly #tokens: Uint32Array;
  readonly #passages: Uint32Array;
  readonly #weights: Float32Array;
  /** By token, the last passage that has it, plus 1. */
  readonly #last: Uint32Array;
  #count = 0;

  constructor(capacity: number, tokens: number, file: AtomicFile) {
    this.#tokens = new Uint32Array(capacity);
    this.#passages = new Uint32Array(capacity);
    this.#weights = new Float32Array(capacity);
    this.#last = new Uint32Array(tokens);
    this.#file = file;
  }

  get isFull(): boolean {
    return this.#count === this.#tokens.length;
  }

  add(token: number, passage: number, weight: number): void {
    const at = this.#count++;
    this.#tokens[at] = token;
    this.#passages[at] = passage;
    this.#weights[at] = weight;
  }

  /** Writes what was taken as a segment; is empty then. */
  async write(): Promise<void> {
    if (this.#count === 0) return;
    const tokens = this.#last.length;
    const [counts, bytes] = [new Uint32Array(tokens), new Uint32Array(tokens)];
    for (let i = 0; i < this.#count; i++) counts[this.#tokens[i]!]!++;
    // A counting sort: stable, so that passages stay in order.
    const places = Uint32Array.from(startsOf(counts));
    const order = new Uint32Array(this.#count);
    for (let i = 0; i < this.#count; i++) order[places[this.#tokens[i]!]!++] = i;
    const gaps = new PostingBytes();
    const weights = new Float32Array(this.#count);
    for (const [place, i] of order.entries()) {
      const [token, passage] = [this.#tokens[i]!, this.#passages[i]! + 1];
      const before = gaps.length;
      gaps.number(passage - this.#last[token]!);
      this.#last[token] = passage;
      bytes[token]! += gaps.length - before;
      weights[place] = this.#weights[i]!;
    }
    this.segments.push({ from: this.#file.sizeBytes, counts, bytes });
    await this.#file.write(gaps.bytes);
    await this.#file.write(bytesOf(weights));
    this.#count = 0;
  }
}

/** Puts segments together, some tokens at a time. @returns the sizes of the lists of all tokens */
async function join(
  segments: readonly Segment[],
  file: string,
  paths: ReturnType<typeof impactPaths>,
  tokens: number,
  joinedBytes: number,
): Promise<Pick<Segment, 'counts' | 'bytes'>> {
  const [counts, bytes] = [new Uint32Array(tokens), new Uint32Array(tokens)];
  for (const segment of segments)
    for (let token = 0; token < tokens; token++) {
      counts[token]! += segment.counts[token]!;
      bytes[token]! += segment.bytes[token]!;
    }
  const parts = segments.map((segment) => ({
    ...{ from: segment.from, weights: startsOf(segment.counts), gaps: startsOf(segment.bytes) },
  }));
  await closing(await openToRead(file), async (handle) => {
    const read = async (from: number, length: number) => {
      const part = new Uint8Array(length);
      await readFully(file, handle, part, from);
      return part;
    };
    await writeWhole(paths.gaps, (gaps) =>
      writeWhole(paths.weights, async (weights) => {
        for (let first = 0; first < tokens; ) {
          let [end, size] = [first, 0];
          do size += bytes[end]! + 4 * counts[end]!;
          while (++end < tokens && size + bytes[end]! + 4 * counts[end]! <= joinedBytes);
          for (const [target, list, width, base] of [
            [gaps, 'gaps', 1, () => 0],
            [weights, 'weights', 4, (part: (typeof parts)[number]) => part.gaps[tokens]!],
          ] as const) {
            const slices: Uint8Array[] = [];
            for (const part of parts) {
              const [from, until] = [part[list][first]!, part[list][end]!];
              slices.push(await read(part.from + base(part) + width * from, width * (until - from)));
            }
            await target.write(interleaved(slices, parts, list, width, first, end));
          }
          first = end;
        }
      }),
    );
  });
  return { counts, bytes };
}

/** Token by token what each segment has of it. */
function interleaved(
  slices: readonly Uint8Array[],
  parts: readonly Record<'weights' | 'gaps', Float64Array>[],
  list: 'weights' | 'gaps',
  width: number,
  first: number,
  end: number,
): Uint8Array {
  const whole = new Uint8Array(slices.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (let token = first; token < end; token++)
    for (const [s, slice] of slices.entries()) {
      const starts = parts[s]![list];
      const [from, until] = [starts[token]! - starts[first]!, starts[token + 1]! - starts[first]!];
      if (from === until) continue;
      whole.set(slice.subarray(width * from, width * until), at);
      at += width * (until - from);
    }
  return whole;
}
