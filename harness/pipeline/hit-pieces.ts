/** Hits in a part of an index on disk: the arrays of `hit-files`, and `piece.json`, which is written last and says what they are. */
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { closing } from '../closing.js';
import { BenchError } from '../errors.js';
import { asWritten, damaged, openToRead, readFully } from '../index/reading.js';
import type { PassageHits } from '../search/search.js';
import { writeJson } from '../store/atomic.js';
import { withDigest } from '../store/digest.js';
import { hashOnce } from '../store/hash-once.js';
import { pieceFile } from '../store/log-file.js';
import { makeFolder } from '../store/make-folder.js';
import { textIfThere } from '../store/text-file.js';
import { arrayFiles, type Field, fields } from './hit-files.js';
import type { Conditions } from './whole-index.js';

/** What `piece.json` says. */
export interface PieceFacts {
  /** Tells the search that it is a part of, and the part, from others. */
  key: string;
  /** Hits per query, as the arrays are laid out. */
  depth: number;
  /** The ordinal in the collection of the first passage: those of hits count from it. */
  firstPassage: number;
  searcher: string;
  /** Opening the part and searching all queries. */
  execution: { buildSeconds: number; searchSeconds: number; conditions: Conditions };
}

interface StoredFacts extends PieceFacts {
  sha256: Record<Field, string>;
}

const factsFile = (folder: string): string => path.join(folder, pieceFile);
const arrayFile = (folder: string, field: Field): string => path.join(folder, arrayFiles[field]);

/** Ends a piece whose arrays are there. */
export async function finishPiece(folder: string, facts: PieceFacts): Promise<void> {
  const sha256: Partial<StoredFacts['sha256']> = {};
  for (const field of fields) sha256[field] = await hashOnce(arrayFile(folder, field));
  await writeJson(factsFile(folder), withDigest({ ...facts, sha256 }));
}

/**
 * What a complete piece says of itself; undefined where it is absent, was not finished, or is not as it was left.
 * @param key that it has to have @param note told of one that is not as it was left
 */
export async function wholePiece(
  folder: string,
  key: string,
  note: (line: string) => void,
): Promise<PieceFacts | undefined> {
  const file = factsFile(folder);
  const text = await textIfThere(file);
  if (text === undefined) return undefined;
  try {
    const { sha256, ...facts } = asWritten<StoredFacts>(file, text);
    if (facts.key !== key) return undefined;
    for (const field of fields) {
      const found = await hashOnce(arrayFile(folder, field)).catch(() => undefined);
      if (found !== sha256[field])
        throw damaged(arrayFile(folder, field), 'holds other bytes than those written');
    }
    return facts;
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    note(`${error.message} Its hits are searched for again.`);
    return undefined;
  }
}

/** Puts a piece that was made in one folder into another, as if it had been made there. */
export async function adoptPiece(from: string, to: string): Promise<void> {
  await makeFolder(to);
  for (const field of fields) await copyFile(arrayFile(from, field), arrayFile(to, field));
  // The facts come last: a piece is complete where they are, and its arrays are those that they name.
  await copyFile(factsFile(from), factsFile(to));
}

/** The hits of some of the queries. @param first place of the first of them */
export async function readPiece(
  folder: string,
  { depth }: PieceFacts,
  first: number,
  count: number,
): Promise<PassageHits> {
  const read = async (field: Field, width: number): Promise<ArrayBuffer> => {
    const file = arrayFile(folder, field);
    const bytes = new Uint8Array(4 * count * width);
    await closing(await openToRead(file), (handle) => readFully(file, handle, bytes, 4 * first * width));
    return bytes.buffer;
  };
  return {
    depth,
    ordinals: new Int32Array(await read('ordinals', depth)),
    scores: new Float32Array(await read('scores', depth)),
    winners: new Int32Array(await read('winners', depth)),
    counts: new Int32Array(await read('counts', 1)),
  };
}
