/** Builds a BM25 index from a stream of passages. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Passage } from '../contracts.js';
import { fileError } from '../errors.js';
import { writeAtomic, writeJson } from '../store/atomic.js';
import type { EnglishAnalyzer } from '../text/english-analyzer.js';
import { type Bm25Facts, bm25Paths } from './bm25-index.js';
import { joinSegments, PostingBlock } from './bm25-segments.js';
import { writeTerms } from './bm25-terms.js';
import { grown } from './growing.js';
import { IdentifierWriter } from './identifiers.js';

export interface Bm25WriteOptions {
  passages: AsyncIterable<Passage>;
  analyzer: EnglishAnalyzer;
  folder: string;
  /** Postings kept in memory before a segment is written, 20 bytes each. */
  blockPostings?: number;
  /** Called now and then with the number of passages done. */
  onProgress?(passages: number): void;
}

/** 160 MB */
const usualBlockPostings = 1 << 23;

/**
 * Indexes title and text of every passage. Beside a block of postings, memory holds the terms, 4 bytes per passage and the
 * passage ids.
 * @returns what index.json says, which is written last
 * @throws BenchError DATA_INVALID where two passages have one id
 */
export async function writeBm25Index(options: Bm25WriteOptions): Promise<Bm25Facts> {
  const { passages, analyzer, folder, blockPostings = usualBlockPostings, onProgress } = options;
  const paths = bm25Paths(folder);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw fileError(error, folder);
  }
  await removeSegments(folder);
  const identifiers = new IdentifierWriter(paths.identifiers);
  const builder = new Builder(analyzer, blockPostings, (number) =>
    path.join(folder, `${segmentMark}${number}`),
  );
  for await (const { passageId, title, text } of passages) {
    identifiers.append(passageId);
    await builder.add(title, text);
    if (builder.passages % 1000 === 0) onProgress?.(builder.passages);
  }
  onProgress?.(builder.passages);
  await identifiers.commit();
  await writeAtomic(paths.lengths, builder.lengthBytes);
  const { postings } = await builder.finish(paths.postings, paths.terms);
  const facts: Bm25Facts = {
    format: 'bm25 1',
    passages: builder.passages,
    passagesWithTerms: builder.passagesWithTerms,
    terms: builder.terms,
    postings,
    totalLength: builder.totalLength,
    analyzer: analyzer.options,
  };
  await writeJson(paths.facts, facts);
  return facts;
}

const segmentMark = 'segment-';

/** What a killed attempt left. */
async function removeSegments(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(segmentMark)) await rm(path.join(folder, name));
  }
}

class Builder {
  readonly #read: (text: string, take: (number: number) => void) => void;
  readonly #block: PostingBlock;
  readonly #segmentPath: (number: number) => string;
  readonly #segments: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** By term: occurrences in the passage at hand, passages that hold it, the last of them plus 1. */
  #occurrences = new Uint32Array();
  #frequencies = new Uint32Array();
  #last = new Uint32Array();
  /** The terms of the passage at hand. */
  #present = new Uint32Array();
  /** Terms in each passage, repetitions counted. */
  #lengths = new Uint32Array();
  #postings = 0;
  passages = 0;
  passagesWithTerms = 0;
  totalLength = 0;

  constructor(analyzer: EnglishAnalyzer, blockPostings: number, segmentPath: (number: number) => string) {
    this.#read = analyzer.numbered((term) => this.#numberOf(term));
    this.#block = new PostingBlock(blockPostings);
    this.#segmentPath = segmentPath;
  }

  get terms(): number {
    return this.#numbers.size;
  }

  get lengthBytes(): Uint8Array {
    return new Uint8Array(this.#lengths.buffer, 0, 4 * this.passages);
  }

  async add(title: string, text: string): Promise<void> {
    let length = 0;
    let count = 0;
    const take = (number: number) => {
      if (this.#occurrences[number]!++ === 0) {
        this.#present = grown(this.#present, count + 1);
        this.#present[count++] = number;
      }
      length++;
    };
    this.#read(title, take);
    this.#read(text, take);
    for (let i = 0; i < count; i++) {
      const term = this.#present[i]!;
      if (this.#block.isFull) await this.#writeSegment();
      this.#block.add(term, this.passages, this.#occurrences[term]!);
      this.#frequencies[term]!++;
      this.#occurrences[term] = 0;
    }
    this.#lengths = grown(this.#lengths, this.passages + 1);
    this.#lengths[this.passages++] = length;
    this.#postings += count;
    this.totalLength += length;
    if (length > 0) this.passagesWithTerms++;
  }

  async finish(postingsPath: string, termsPath: string): Promise<{ postings: number }> {
    if (!this.#block.isEmpty) await this.#writeSegment();
    const offsets = await joinSegments(this.#segments, postingsPath, this.terms);
    await writeTerms(termsPath, [...this.#numbers.keys()], this.#frequencies, offsets);
    return { postings: this.#postings };
  }

  #numberOf(term: string): number {
    const known = this.#numbers.get(term);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    const places = this.#numbers.set(term, number).size;
    this.#occurrences = grown(this.#occurrences, places);
    this.#frequencies = grown(this.#frequencies, places);
    this.#last = grown(this.#last, places);
    return number;
  }

  async #writeSegment(): Promise<void> {
    const file = this.#segmentPath(this.#segments.length);
    await this.#block.write(file, this.terms, this.#last);
    this.#segments.push(file);
  }
}
