/** Hits on disk: written part by part while the queries are searched, so that a killed search goes on, then joined. */
import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { closing } from '../closing.js';
import { damaged, openToRead, readFully } from '../index/reading.js';
import { parseJson } from '../json.js';
import { assertHits, type PassageHits } from '../search/passage-hits.js';
import { writeAtomic, writeWhole } from '../store/atomic.js';
import { canonicalJson, keyOf } from '../store/hash.js';
import { openPlain } from '../store/plain-file.js';
import type { Artifact } from '../store/store.js';
import { unfinishedFolder } from '../store/unfinished.js';
import type { Conditions } from './whole-index.js';

/** By field, in the order in which they stand in a part. */
export const arrayFiles = {
  ordinals: 'ordinals.i32',
  scores: 'scores.f32',
  winners: 'winners.i32',
  counts: 'counts.i32',
};
export type Field = keyof typeof arrayFiles;
export const fields = Object.keys(arrayFiles) as Field[];

/** The hits that a search stage left. @throws BenchError CACHE_INVALID where its files do not fit together */
export async function readHits({ folder, facts }: Artifact<{ depth: number }>): Promise<PassageHits> {
  const { depth } = facts;
  const read = async (field: Field, numbers?: number) => {
    const file = path.join(folder, arrayFiles[field]);
    const bytes = await closing(await openToRead(file), (handle) => handle.readFile());
    if (numbers === undefined ? bytes.byteLength % 4 !== 0 : bytes.byteLength !== 4 * numbers)
      throw damaged(file, `holds ${bytes.byteLength} bytes, not 4 for each of ${numbers ?? 'its'} numbers`);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  };
  const counts = new Int32Array(await read('counts'));
  if (counts.some((count) => count < 0 || count > depth))
    throw damaged(path.join(folder, arrayFiles.counts), `counts more hits than ${depth}, or fewer than 0`);
  const numbers = counts.length * depth;
  return {
    depth,
    ordinals: new Int32Array(await read('ordinals', numbers)),
    scores: new Float32Array(await read('scores', numbers)),
    winners: new Int32Array(await read('winners', numbers)),
    counts,
  };
}

/** The conditions under which a part's hits were found. A part that was made under others is not taken. */
export interface PartsMade {
  /** The key of the run. */
  key: string;
  /** Queries encoded or searched at once: scores depend on it in their last bits. */
  batchSize: number;
  /** Queries in every part but the last. */
  partQueries: number;
  conditions: Conditions;
}

/** The first line of a part, as JSON; its arrays follow. */
interface PartHeader {
  /** The key of a `PartsMade`. */
  made: string;
  /** The first query, counted over all. */
  first: number;
  queries: number;
  depth: number;
  /** What searching them took. */
  seconds: number;
  /** The hash of the rest of this line and of the arrays. */
  sha256: string;
}

interface Part {
  file: string;
  header: PartHeader;
  /** Where the arrays begin. */
  start: number;
}

const partsFolder = (folder: string): string => path.join(unfinishedFolder(folder), 'parts');
const longestHeader = 1024;

/** The hits found so far, in the order of the queries. */
export class HitParts {
  readonly #folder: string;
  readonly #made: string;
  readonly #parts: Part[] = [];
  readonly partQueries: number;

  private constructor(folder: string, made: PartsMade) {
    this.#folder = folder;
    this.#made = keyOf(made);
    this.partQueries = made.partQueries;
  }

  /**
   * Goes on with the parts that an earlier process left, as far as they are as it left them and were made alike; others are
   * removed.
   * @param note told of one that is not as it was left
   */
  static async open(
    folder: string,
    made: PartsMade,
    note: (line: string) => void = () => undefined,
  ): Promise<HitParts> {
    const parts = new HitParts(folder, made);
    for (;;) {
      const file = parts.#nextFile();
      const found = await readHeader(file);
      if (found === 'damaged') note(`${file} is damaged: the hits from there on are searched for again.`);
      if (found === undefined || found === 'damaged') break;
      if (found.header.made !== parts.#made || found.header.first !== parts.queries) break;
      parts.#parts.push({ file, ...found });
    }
    const taken = new Set(parts.#parts.map(({ file }) => file));
    for (const name of await readdir(partsFolder(folder)).catch(() => [])) {
      const file = path.join(partsFolder(folder), name);
      if (!taken.has(file)) await rm(file, { force: true });
    }
    return parts;
  }

  /** Queries whose hits are on disk. */
  get queries(): number {
    return this.#parts.reduce((sum, { header }) => sum + header.queries, 0);
  }

  /** What searching them took, whichever process did it. */
  get seconds(): number {
    return this.#parts.reduce((sum, { header }) => sum + header.seconds, 0);
  }

  /** Hits per query, as the arrays are laid out; 0 without queries. */
  get depth(): number {
    return this.#parts[0]?.header.depth ?? 0;
  }

  #nextFile(): string {
    return path.join(partsFolder(this.#folder), `${String(this.#parts.length).padStart(5, '0')}.hits`);
  }

  /**
   * @param batches of the next queries, in their order @param seconds that searching them took
   * @throws BenchError PLUGIN_FAILED, see `assertHits`
   */
  async add(batches: readonly PassageHits[], seconds: number): Promise<void> {
    let first = this.queries;
    for (const hits of batches) {
      assertHits(hits, first);
      first += hits.counts.length;
    }
    const queries = batches.reduce((sum, { counts }) => sum + counts.length, 0);
    const depth = batches[0]?.depth ?? 0;
    const arrays = fields.flatMap((field) => batches.map((hits) => bytesOf(hits[field])));
    const about = { made: this.#made, first: this.queries, queries, depth, seconds };
    const header: PartHeader = { ...about, sha256: hashOfPart(about, arrays) };
    const line = Buffer.from(`${JSON.stringify(header)}\n`);
    const file = this.#nextFile();
    await writeAtomic(file, line, ...arrays);
    this.#parts.push({ file, header, start: line.length });
  }

  /** Writes the hits of all parts where `readHits` finds them; holds one array of one part at a time. */
  async join(): Promise<void> {
    for (const field of fields) {
      await writeWhole(path.join(this.#folder, arrayFiles[field]), async (joined) => {
        for (const part of this.#parts) await joined.write(await readArray(part, field));
      });
    }
  }
}

const bytesOf = (array: Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const arrayBytes = ({ queries, depth }: Pick<PartHeader, 'queries' | 'depth'>, field: Field): number =>
  4 * queries * (field === 'counts' ? 1 : depth);

function hashOfPart(about: Omit<PartHeader, 'sha256'>, arrays: readonly Uint8Array[]): string {
  const hash = createHash('sha256').update(canonicalJson(about));
  for (const array of arrays) hash.update(array);
  return hash.digest('hex');
}

/** Undefined where there is none. */
async function readHeader(file: string): Promise<Pick<Part, 'header' | 'start'> | 'damaged' | undefined> {
  const handle = await openPlain(file).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(longestHeader), 0, longestHeader, 0);
    const start = buffer.subarray(0, bytesRead).indexOf('\n') + 1;
    const { sha256, ...about } = parseJson(buffer.toString('utf8', 0, start)) as PartHeader;
    const bytes = fields.reduce((sum, field) => sum + arrayBytes(about, field), 0);
    if ((await handle.stat()).size !== start + bytes) return 'damaged';
    const arrays = new Uint8Array(bytes);
    await readFully(file, handle, arrays, start);
    return sha256 === hashOfPart(about, [arrays]) ? { header: { ...about, sha256 }, start } : 'damaged';
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)
      return 'damaged';
    throw error;
  } finally {
    await handle.close();
  }
}

async function readArray({ file, header, start }: Part, field: Field): Promise<Uint8Array> {
  const before = fields.slice(0, fields.indexOf(field));
  const position = before.reduce((sum, each) => sum + arrayBytes(header, each), start);
  const bytes = new Uint8Array(arrayBytes(header, field));
  await closing(await openToRead(file), (handle) => readFully(file, handle, bytes, position));
  return bytes;
}
