/** Hits on disk: written part by part while the queries are searched, so that a killed search goes on, then joined. */
import { open, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { openToRead, readFully } from '../index/reading.js';
import { parseJson } from '../json.js';
import type { PassageHits } from '../search/search.js';
import { AtomicFile } from '../store/atomic.js';
import { keyOf } from '../store/hash.js';
import type { Artifact } from '../store/store.js';
import type { Conditions } from './whole-index.js';

/** By field, in the order in which they stand in a part. */
const arrayFiles = {
  ordinals: 'ordinals.i32',
  scores: 'scores.f32',
  winners: 'winners.i32',
  counts: 'counts.i32',
};
type Field = keyof typeof arrayFiles;
const fields = Object.keys(arrayFiles) as Field[];

/** The hits that a search stage left. */
export async function readHits({ folder, facts }: Artifact<{ depth: number }>): Promise<PassageHits> {
  const read = async (file: string) => {
    const bytes = await readFile(path.join(folder, file));
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  };
  return {
    depth: facts.depth,
    ordinals: new Int32Array(await read(arrayFiles.ordinals)),
    scores: new Float32Array(await read(arrayFiles.scores)),
    winners: new Int32Array(await read(arrayFiles.winners)),
    counts: new Int32Array(await read(arrayFiles.counts)),
  };
}

/** What a part's hits, and the time they took, came of. A part that was made otherwise is not taken. */
export interface PartsMade {
  /** Of the run. */
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
}

interface Part {
  file: string;
  header: PartHeader;
  /** Where the arrays begin. */
  start: number;
}

const partsFolder = (folder: string): string => path.join(folder, 'parts');
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

  /** Goes on with the parts that an earlier process left, as far as they were made alike; others are removed. */
  static async open(folder: string, made: PartsMade): Promise<HitParts> {
    const parts = new HitParts(folder, made);
    for (;;) {
      const file = parts.#nextFile();
      const found = await readHeader(file);
      if (found?.header.made !== parts.#made || found.header.first !== parts.queries) break;
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

  /** @param batches of the next queries, in their order @param seconds that searching them took */
  async add(batches: readonly PassageHits[], seconds: number): Promise<void> {
    const queries = batches.reduce((sum, { counts }) => sum + counts.length, 0);
    const depth = batches[0]?.depth ?? 0;
    const header: PartHeader = { made: this.#made, first: this.queries, queries, depth, seconds };
    const line = Buffer.from(`${JSON.stringify(header)}\n`);
    const file = this.#nextFile();
    const written = await AtomicFile.create(file);
    await written.write(line);
    for (const field of fields) for (const hits of batches) await written.write(bytesOf(hits[field]));
    await written.commit();
    this.#parts.push({ file, header, start: line.length });
  }

  /** Writes the hits of all parts where `readHits` finds them; holds one array of one part at a time. */
  async join(): Promise<void> {
    for (const field of fields) {
      const joined = await AtomicFile.create(path.join(this.#folder, arrayFiles[field]));
      try {
        for (const part of this.#parts) await joined.write(await readArray(part, field));
      } catch (error) {
        await joined.abort();
        throw error;
      }
      await joined.commit();
    }
  }
}

/** Removes the parts of a finished run, which a process that was killed may have left. */
export function removeParts(folder: string): Promise<void> {
  return rm(partsFolder(folder), { recursive: true, force: true });
}

const bytesOf = (array: Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const arrayBytes = ({ queries, depth }: PartHeader, field: Field): number =>
  4 * queries * (field === 'counts' ? 1 : depth);

/** Undefined where there is none, or none that is whole. */
async function readHeader(file: string): Promise<Pick<Part, 'header' | 'start'> | undefined> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(longestHeader), 0, longestHeader, 0);
    const start = buffer.subarray(0, bytesRead).indexOf('\n') + 1;
    const header = parseJson(buffer.toString('utf8', 0, start)) as PartHeader;
    const bytes = fields.reduce((sum, field) => sum + arrayBytes(header, field), start);
    return (await handle.stat()).size === bytes ? { header, start } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  } finally {
    await handle.close();
  }
}

async function readArray({ file, header, start }: Part, field: Field): Promise<Uint8Array> {
  const before = fields.slice(0, fields.indexOf(field));
  const position = before.reduce((sum, each) => sum + arrayBytes(header, each), start);
  const bytes = new Uint8Array(arrayBytes(header, field));
  const handle = await openToRead(file);
  try {
    await readFully(file, handle, bytes, position);
  } finally {
    await handle.close();
  }
  return bytes;
}
