/** An index: a folder of shards, the passage ids, and `index.json`, written last, which names the shards that belong to it. */
import path from 'node:path';
import { closing } from '../closing.js';
import { writeJson } from '../store/atomic.js';
import { Identifiers } from './identifiers.js';
import { factsOfSpan, type IndexFacts, isIndexFacts, type ShardSpan } from './index-facts.js';
import { damaged, indexFactsPath, openToRead, readFully, readIndexJson } from './reading.js';
import { ShardReader } from './shard.js';
import { readShardFacts, type ShardFacts, shardPaths } from './shard-files.js';

/** Where the passage ids of an index lie: what an IdentifierWriter is to be given. */
export const identifiersPath = (folder: string): string => path.join(folder, 'identifiers');

/**
 * Makes an index of the shards 0 to shardCount - 1 and the passage ids of a folder, all complete. Files of other shards, left
 * by an earlier attempt with another number of shards, play no part in it.
 * @throws BenchError CACHE_INVALID where they do not fit together
 */
export async function finishIndex(folder: string, shardCount: number): Promise<IndexFacts> {
  const shards: ShardFacts[] = [];
  let passages = 0;
  let vectors = 0;
  for (let number = 0; number < shardCount; number++) {
    const { facts: file } = shardPaths(folder, number);
    const facts = await readShardFacts(folder, number);
    if (facts === undefined) throw damaged(file, 'is missing');
    const { dimensions, vectorsPerPassage } = shards[0] ?? facts;
    if (facts.number !== number || facts.firstPassage !== passages) {
      throw damaged(
        file,
        `describes shard ${facts.number} from passage ${facts.firstPassage}, not ${passages}`,
      );
    }
    if (facts.dimensions !== dimensions || facts.vectorsPerPassage !== vectorsPerPassage) {
      throw damaged(
        file,
        `describes ${facts.vectorsPerPassage} x ${facts.dimensions} numbers per passage, the first shard ${vectorsPerPassage} x ${dimensions}`,
      );
    }
    passages += facts.passages;
    vectors += facts.vectors;
    shards.push(facts);
  }
  const first = shards[0];
  if (first === undefined) throw new RangeError('an index has at least one shard');
  const named = await Identifiers.count(identifiersPath(folder));
  if (named !== passages) {
    throw damaged(identifiersPath(folder), `names ${named} passages where the shards hold ${passages}`);
  }
  const { dimensions, vectorsPerPassage } = first;
  const facts: IndexFacts = { passages, vectors, dimensions, vectorsPerPassage, shards };
  await writeJson(indexFactsPath(folder), facts);
  return facts;
}

/**
 * What index.json of a folder says.
 * @throws BenchError PATH_INVALID where the folder holds no finished index; CACHE_INVALID where it does not say what it must
 */
export async function readIndexFacts(folder: string): Promise<IndexFacts> {
  const facts = await readIndexJson(folder);
  if (!isIndexFacts(facts)) throw damaged(indexFactsPath(folder), 'does not say what an index holds');
  return facts;
}

/** A shard of an open index. */
export interface OpenShard extends ShardFacts {
  /** Number of its first row, counted over the whole index. */
  firstRow: number;
  reader: ShardReader;
  /** Where M varies: the row within the shard at which each passage begins, and the end of the last. */
  starts?: Uint32Array;
}

/** An open index. Rows are counted over all shards, passages by their ordinal in the collection; both from 0. */
export class VectorIndex {
  readonly folder: string;
  readonly passages: number;
  readonly vectors: number;
  readonly dimensions: number;
  readonly vectorsPerPassage: number | 'varies';
  readonly shards: readonly OpenShard[];
  #identifiers: Promise<Identifiers> | undefined;

  constructor(folder: string, facts: IndexFacts, shards: readonly OpenShard[]) {
    this.folder = folder;
    this.passages = facts.passages;
    this.vectors = facts.vectors;
    this.dimensions = facts.dimensions;
    this.vectorsPerPassage = facts.vectorsPerPassage;
    this.shards = shards;
  }

  /** The passage ids by ordinal in the collection, read at the first call. */
  identifiers(): Promise<Identifiers> {
    this.#identifiers ??= Identifiers.open(identifiersPath(this.folder));
    return this.#identifiers;
  }

  /** The ordinal of the passage that a row belongs to. */
  passageOf(row: number): number {
    if (this.vectorsPerPassage !== 'varies') return Math.floor(row / this.vectorsPerPassage);
    const shard = this.#shardAt(row);
    const inShard = row - shard.firstRow;
    // The last passage that begins at or before the row: one without vectors begins where the next one does.
    return shard.firstPassage + lastAtMost(shard.passages, (i) => shard.starts![i]!, inShard);
  }

  /**
   * The first row of a passage: row minus this is the number of the vector within its passage. Of the passage behind the last,
   * the number of all rows.
   */
  firstRowOf(passage: number): number {
    if (this.vectorsPerPassage !== 'varies') return passage * this.vectorsPerPassage;
    const shard = this.shards[lastAtMost(this.shards.length, (i) => this.shards[i]!.firstPassage, passage)]!;
    return shard.firstRow + shard.starts![passage - shard.firstPassage]!;
  }

  /**
   * Reads rows from the disk, whichever shards they lie in, into the beginning of `into`.
   * @param into at least count * D long
   * @throws RangeError for rows that are not there, or do not fit
   */
  async readRows(firstRow: number, count: number, into: Float32Array): Promise<void> {
    const end = firstRow + count;
    if (!(firstRow >= 0 && count >= 0 && end <= this.vectors))
      throw new RangeError(`rows ${firstRow} to ${end} of ${this.vectors}`);
    if (into.length < count * this.dimensions)
      throw new RangeError(
        `${into.length} values cannot hold ${count} rows of ${this.dimensions} dimensions`,
      );
    for (const shard of this.shards) {
      const from = Math.max(firstRow, shard.firstRow);
      const until = Math.min(end, shard.firstRow + shard.vectors);
      if (from >= until) continue;
      const place = into.subarray((from - firstRow) * this.dimensions);
      await shard.reader.read(from - shard.firstRow, until - from, place);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard.reader.close()));
  }

  #shardAt(row: number): OpenShard {
    return this.shards[lastAtMost(this.shards.length, (i) => this.shards[i]!.firstRow, row)]!;
  }
}

/** The largest i below `count` with valueAt(i) <= limit; the values ascend and the first is not above the limit. */
function lastAtMost(count: number, valueAt: (i: number) => number, limit: number): number {
  let low = 0;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (valueAt(middle) <= limit) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Opens a finished index: its shards' headers and lengths are checked, its vectors stay on disk.
 * @param span some of the shards, as if there were no others: passages and rows count from their first
 * @throws BenchError PATH_INVALID, or CACHE_INVALID naming the damaged file
 */
export async function openIndex(folder: string, span?: ShardSpan): Promise<VectorIndex> {
  const whole = await readIndexFacts(folder);
  const facts = span === undefined ? whole : factsOfSpan(whole, span);
  const shards: OpenShard[] = [];
  try {
    let firstRow = 0;
    for (const shard of facts.shards) {
      const paths = shardPaths(folder, shard.number);
      const reader = await ShardReader.open(paths.vectors);
      const opened: OpenShard = { ...shard, firstRow, reader };
      shards.push(opened);
      if (shard.vectorsPerPassage === 'varies') opened.starts = await readStarts(paths.offsets, shard);
      if (reader.rows !== shard.vectors || reader.dimensions !== shard.dimensions) {
        throw damaged(
          paths.vectors,
          `holds ${reader.rows} x ${reader.dimensions} numbers where the index says ${shard.vectors} x ${shard.dimensions}`,
        );
      }
      firstRow += shard.vectors;
    }
  } catch (error) {
    await Promise.all(shards.map((shard) => shard.reader.close()));
    throw error;
  }
  return new VectorIndex(folder, facts, shards);
}

async function readStarts(file: string, shard: ShardFacts): Promise<Uint32Array> {
  return closing(await openToRead(file), async (handle) => {
    const starts = new Uint32Array(shard.passages + 1);
    const { size } = await handle.stat();
    if (size !== starts.byteLength) throw damaged(file, `holds ${size} bytes, not ${starts.byteLength}`);
    await readFully(file, handle, new Uint8Array(starts.buffer), 0);
    if (
      starts[0] !== 0 ||
      starts[shard.passages] !== shard.vectors ||
      starts.some((start, i) => start < starts[i - 1]!)
    ) {
      throw damaged(file, `does not hold ascending rows from 0 to ${shard.vectors}`);
    }
    return starts;
  });
}
