/**
 * One shard of an index on disk: `shard-00000.faiss` (its vectors), where M varies `shard-00000.offsets` (uint32: the
 * row at which each passage begins, and the end of the last), and `shard-00000.json` (its counts), which is written
 * last: a shard is complete where that file is there, and absent where it is not. Shards know nothing of each other,
 * so each can be made anywhere, twice, or again after a crash.
 */
import { copyFile, link, rm } from 'node:fs/promises';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { writeAtomic, writeJson } from '../store/atomic.js';
import { withDigest } from '../store/digest.js';
import { hashOnce } from '../store/hash-once.js';
import { textIfThere } from '../store/text-file.js';
import { grown } from './growing.js';
import { asWritten, damaged } from './reading.js';
import { ShardWriter } from './shard.js';

/** What a shard's JSON file says. */
export interface ShardFacts {
  /** From 0. */
  number: number;
  /** Ordinal in the collection of its first passage. */
  firstPassage: number;
  passages: number;
  /** Rows of all its passages. */
  vectors: number;
  /** D */
  dimensions: number;
  /** M, or 'varies' where it depends on the passage. */
  vectorsPerPassage: number | 'varies';
}

/** The facts that are known before a shard is written. */
export type ShardLayout = Omit<ShardFacts, 'passages' | 'vectors'>;

/** The passages of one shard, as a plan has them. */
export interface ShardRange {
  number: number;
  firstPassage: number;
  passages: number;
}

/** Cuts N passages into shards of ceil(N / shards), the last ones shorter or left out. */
export function planShards(passages: number, shards: number): ShardRange[] {
  const size = Math.max(1, Math.ceil(passages / shards));
  const ranges: ShardRange[] = [];
  for (let firstPassage = 0; firstPassage < passages; firstPassage += size) {
    ranges.push({ number: ranges.length, firstPassage, passages: Math.min(size, passages - firstPassage) });
  }
  return ranges;
}

export function shardPaths(folder: string, number: number): Record<'vectors' | 'offsets' | 'facts', string> {
  const stem = path.join(folder, `shard-${String(number).padStart(5, '0')}`);
  return { vectors: `${stem}.faiss`, offsets: `${stem}.offsets`, facts: `${stem}.json` };
}

/** What a shard's JSON file holds besides: hexadecimal hashes of its other files. */
interface StoredFacts extends ShardFacts {
  sha256: { vectors: string; offsets?: string };
}

/**
 * What a complete shard says of itself; undefined where it is absent, or was not finished.
 * @throws BenchError CACHE_INVALID where that is not what was written
 */
export async function readShardFacts(folder: string, number: number): Promise<ShardFacts | undefined> {
  const stored = await readStored(shardPaths(folder, number).facts);
  if (stored === undefined) return undefined;
  const { sha256: _, ...facts } = stored;
  return facts;
}

async function readStored(file: string): Promise<StoredFacts | undefined> {
  const text = await textIfThere(file);
  return text === undefined ? undefined : asWritten<StoredFacts>(file, text);
}

/** Whether a shard is complete, and its files are those that were written. @param note told where they are not */
export async function isWhole(
  folder: string,
  number: number,
  note: (line: string) => void,
): Promise<boolean> {
  const paths = shardPaths(folder, number);
  try {
    const stored = await readStored(paths.facts);
    if (stored === undefined) return false;
    for (const part of ['vectors', 'offsets'] as const) {
      const expected = stored.sha256[part];
      if (expected === undefined) continue;
      const found = await hashOnce(paths[part]).catch(() => undefined);
      if (found === undefined) throw damaged(paths[part], 'is missing, or cannot be read');
      if (found !== expected) throw damaged(paths[part], 'holds other bytes than those written');
    }
    return true;
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    note(`${error.message} The shard is made again.`);
    return false;
  }
}

/**
 * Puts a shard that was made in one folder into another, as if it had been made there.
 * @param place where it stands there, if elsewhere
 */
export async function adoptShard(
  from: string,
  to: string,
  number: number,
  place?: Pick<ShardFacts, 'number' | 'firstPassage'>,
): Promise<void> {
  const [its, own] = [shardPaths(from, number), shardPaths(to, place?.number ?? number)];
  // The facts come last: a shard is complete where they are.
  for (const part of ['vectors', 'offsets', 'facts'] as const) {
    await rm(own[part], { force: true });
    if (part === 'facts' && place !== undefined) {
      const stored = await readStored(its.facts);
      if (stored === undefined) throw damaged(its.facts, 'is missing');
      await writeJson(own.facts, withDigest({ ...stored, ...place }));
      continue;
    }
    try {
      await link(its[part], own[part]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && part === 'offsets') continue;
      // There are file systems without links, and none has them to another one.
      await copyFile(its[part], own[part]);
    }
  }
}

/** Writes one shard of an index. */
export class IndexShardWriter {
  readonly #folder: string;
  readonly #layout: ShardLayout;
  readonly #rows: ShardWriter;
  readonly #nameOf: (ordinal: number) => string;
  #passages = 0;
  /** Where M varies: the row at which each passage begins, and the end of the last. */
  #starts = new Uint32Array(1);

  private constructor(
    folder: string,
    layout: ShardLayout,
    rows: ShardWriter,
    nameOf: (ordinal: number) => string,
  ) {
    this.#folder = folder;
    this.#layout = layout;
    this.#rows = rows;
    this.#nameOf = nameOf;
  }

  /** @param nameOf what an error calls a passage, by its ordinal */
  static async create(
    folder: string,
    layout: ShardLayout,
    nameOf = (ordinal: number) => `passage ${ordinal + 1} of the collection`,
  ): Promise<IndexShardWriter> {
    const { vectorsPerPassage: m } = layout;
    if (m !== 'varies' && !(Number.isInteger(m) && m > 0)) throw new RangeError(`${m} vectors per passage`);
    const rows = await ShardWriter.create(shardPaths(folder, layout.number).vectors, layout.dimensions);
    return new IndexShardWriter(folder, layout, rows, nameOf);
  }

  /** Passages written so far. */
  get passages(): number {
    return this.#passages;
  }

  /**
   * @param vectors of whole passages, one passage after another, [sum of M, D]
   * @param counts M of each passage; given exactly where M varies
   * @throws BenchError CHECKPOINT_INVALID where a number is not finite
   */
  async append(vectors: Float32Array, counts?: ArrayLike<number>): Promise<void> {
    const { dimensions, vectorsPerPassage, firstPassage } = this.#layout;
    if ((counts !== undefined) !== (vectorsPerPassage === 'varies')) {
      throw new TypeError('The number of vectors of each passage is given exactly where it varies.');
    }
    const passages = counts?.length ?? vectors.length / (dimensions * Number(vectorsPerPassage));
    let rows = passages * Number(vectorsPerPassage);
    if (counts !== undefined) {
      this.#starts = grown(this.#starts, this.#passages + passages + 1);
      rows = 0;
      for (let i = 0; i < passages; i++) {
        rows += counts[i]!;
        this.#starts[this.#passages + i + 1] = this.#rows.rows + rows;
      }
    }
    if (!Number.isInteger(passages) || rows * dimensions !== vectors.length) {
      throw new RangeError(`${vectors.length} values are not ${rows} vectors of ${dimensions}`);
    }
    if (this.#rows.rows + rows > 2 ** 32 - 1) throw new RangeError('a shard holds fewer than 2^32 vectors');
    const fault = vectors.findIndex((value) => !Number.isFinite(value));
    if (fault >= 0) {
      await this.abort();
      let passage = 0;
      for (let end = 0; ; passage++) {
        end += (counts?.[passage] ?? Number(vectorsPerPassage)) * dimensions;
        if (fault < end) break;
      }
      throw new BenchError(
        'CHECKPOINT_INVALID',
        `The encoder gave ${vectors[fault]} in a vector of ${this.#nameOf(firstPassage + this.#passages + passage)}.`,
        { hint: 'Its weights are of no use for search: train again, with a lower learning rate.' },
      );
    }
    await this.#rows.append(vectors);
    this.#passages += passages;
  }

  /** Puts the shard in place, complete. */
  async commit(): Promise<ShardFacts> {
    const paths = shardPaths(this.#folder, this.#layout.number);
    const facts: ShardFacts = { ...this.#layout, passages: this.#passages, vectors: this.#rows.rows };
    if (this.#layout.vectorsPerPassage === 'varies') {
      await writeAtomic(paths.offsets, new Uint8Array(this.#starts.buffer, 0, 4 * (this.#passages + 1)));
    }
    await this.#rows.commit();
    const sha256: StoredFacts['sha256'] = {
      vectors: await hashOnce(paths.vectors),
      ...(facts.vectorsPerPassage === 'varies' && { offsets: await hashOnce(paths.offsets) }),
    };
    await writeJson(paths.facts, withDigest({ ...facts, sha256 }));
    return facts;
  }

  /** Gives up: the shard stays absent. */
  async abort(): Promise<void> {
    await this.#rows.abort();
  }
}
