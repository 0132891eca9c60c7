/** An index of terms: a folder of postings, dictionary, passage lengths and passage ids, and `index.json`, written last. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { closing } from '../closing.js';
import { type AnalyzerOptions, stemmerNames } from '../text/english-analyzer.js';
import { Terms } from './bm25-terms.js';
import { Identifiers } from './identifiers.js';
import { damaged, indexFactsPath, longestArray, openToRead, readFully, readIndexJson } from './reading.js';

export interface Bm25Facts {
  format: 'bm25 1';
  /** N */
  passages: number;
  /** Passages that hold a term at all: Lucene's N and the divisor of its mean length. */
  passagesWithTerms: number;
  terms: number;
  postings: number;
  /** Terms of all passages, repetitions counted. */
  totalLength: number;
  analyzer: AnalyzerOptions;
}

export function bm25Paths(folder: string) {
  return {
    postings: path.join(folder, 'postings'),
    terms: path.join(folder, 'terms'),
    lengths: path.join(folder, 'lengths'),
    identifiers: path.join(folder, 'identifiers'),
    facts: indexFactsPath(folder),
  };
}

/** Bytes of the files a search needs; index.json is not counted. */
export interface Bm25Size {
  postingsBytes: number;
  termsBytes: number;
  lengthsBytes: number;
  identifiersBytes: number;
  totalBytes: number;
}

export async function bm25Size(folder: string): Promise<Bm25Size> {
  const paths = bm25Paths(folder);
  const sizeOf = async (file: string) => (await stat(file)).size;
  const parts = {
    postingsBytes: await sizeOf(paths.postings),
    termsBytes: await sizeOf(paths.terms),
    lengthsBytes: await sizeOf(paths.lengths),
    identifiersBytes: await sizeOf(paths.identifiers),
  };
  return { ...parts, totalBytes: Object.values(parts).reduce((sum, bytes) => sum + bytes, 0) };
}

/** @throws BenchError PATH_INVALID where the folder holds no finished index */
async function readBm25Facts(folder: string): Promise<Bm25Facts> {
  const file = bm25Paths(folder).facts;
  const facts = (await readIndexJson(folder)) as Partial<Bm25Facts> | null;
  if (facts?.format !== 'bm25 1') throw damaged(file, 'describes no BM25 index');
  const { passages, passagesWithTerms, terms, postings, totalLength, analyzer } = facts;
  for (const [name, count] of Object.entries({ passages, passagesWithTerms, terms, postings, totalLength }))
    if (!(Number.isSafeInteger(count) && count! >= 0)) throw damaged(file, `says ${name}: ${count}`);
  const { stemmer, stopWords } = (analyzer ?? {}) as Partial<Bm25Facts['analyzer']>;
  if (!stemmerNames.some((name) => name === stemmer) || typeof stopWords !== 'boolean')
    throw damaged(file, 'does not name its analyzer');
  return facts as Bm25Facts;
}

/** Where a term's postings come from: memory, or the disk. */
export interface Postings {
  readonly resident: boolean;
  read(from: number, to: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** An open index. */
export interface Bm25Index {
  readonly folder: string;
  readonly facts: Bm25Facts;
  readonly terms: Terms;
  /** Terms in each passage, [N]. */
  readonly lengths: Uint32Array;
  readonly postings: Postings;
  identifiers(): Promise<Identifiers>;
  close(): Promise<void>;
}

/**
 * @param memoryBytes postings are kept in memory where they fit into so much, else every search reads its own
 * @throws BenchError PATH_INVALID, or CACHE_INVALID naming the damaged file
 */
export async function openBm25Index(folder: string, memoryBytes: number): Promise<Bm25Index> {
  const facts = await readBm25Facts(folder);
  const paths = bm25Paths(folder);
  const terms = await Terms.open(paths.terms);
  if (terms.count !== facts.terms)
    throw damaged(paths.terms, `holds ${terms.count} terms, not ${facts.terms}`);
  const lengths = await readLengths(paths.lengths, facts.passages);
  assertTotals(paths.facts, facts, lengths);
  const { size } = await stat(paths.postings).catch(() => ({ size: undefined }));
  if (size !== undefined && terms.postingsEnd > size)
    throw damaged(
      paths.terms,
      `has postings that end at byte ${terms.postingsEnd}, and their file holds ${size}`,
    );
  const postings = await openPostings(paths.postings, memoryBytes);
  let identifiers: Promise<Identifiers> | undefined;
  return {
    folder,
    facts,
    terms,
    lengths,
    postings,
    identifiers() {
      identifiers ??= Identifiers.open(paths.identifiers);
      return identifiers;
    },
    close: () => postings.close(),
  };
}

/** The mean length weighs every score. */
function assertTotals(file: string, facts: Bm25Facts, lengths: Uint32Array): void {
  let [passagesWithTerms, totalLength] = [0, 0];
  for (const length of lengths) {
    totalLength += length;
    if (length > 0) passagesWithTerms++;
  }
  for (const [name, count] of Object.entries({ passagesWithTerms, totalLength }))
    if (facts[name as 'totalLength'] !== count)
      throw damaged(file, `says ${name}: ${facts[name as 'totalLength']}, and the lengths come to ${count}`);
}

async function readLengths(file: string, passages: number): Promise<Uint32Array> {
  return closing(await openToRead(file), async (handle) => {
    const { size } = await handle.stat();
    // Before memory is taken for as many as another file says.
    if (size !== 4 * passages)
      throw damaged(file, `holds ${size} bytes, and index.json says ${passages} passages`);
    const lengths = new Uint32Array(passages);
    await readFully(file, handle, new Uint8Array(lengths.buffer), 0);
    return lengths;
  });
}

async function openPostings(file: string, memoryBytes: number): Promise<Postings> {
  const handle = await openToRead(file);
  const { size } = await handle.stat();
  if (size > Math.min(memoryBytes, longestArray)) {
    return {
      resident: false,
      async read(from, to) {
        const bytes = new Uint8Array(to - from);
        await readFully(file, handle, bytes, from);
        return bytes;
      },
      close: () => handle.close(),
    };
  }
  const bytes = new Uint8Array(size);
  await closing(handle, () => readFully(file, handle, bytes, 0));
  return { resident: true, read: async (from, to) => bytes.subarray(from, to), close: async () => undefined };
}
