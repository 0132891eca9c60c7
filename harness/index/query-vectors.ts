/** The vectors of queries on disk: shards of one row per query, equally many in each but the last, read by range of rows. */
import { closing } from '../closing.js';
import { damaged } from './reading.js';
import { ShardReader } from './shard.js';
import { shardPaths } from './shard-files.js';

/** What reading them needs to know. */
export interface QueryVectorFacts {
  /** Q */
  queries: number;
  /** D */
  dimensions: number;
  /** Queries in every shard but the last. */
  shardQueries: number;
}

/** Holds nothing open and nothing in memory. */
export class QueryVectors {
  readonly #folder: string;
  readonly facts: QueryVectorFacts;

  /** @param encoded what they were written as, and the folder of the shards */
  constructor({ folder, facts }: { folder: string; facts: QueryVectorFacts }) {
    this.#folder = folder;
    this.facts = facts;
  }

  /**
   * @param first place of the first query, from 0
   * @returns [count, D]
   * @throws BenchError CACHE_INVALID where a shard is not there, or holds other rows than it must
   */
  async read(first: number, count: number): Promise<Float32Array> {
    const { queries, dimensions, shardQueries } = this.facts;
    const end = first + count;
    if (!(first >= 0 && count >= 0 && end <= queries))
      throw new RangeError(`queries ${first} to ${end} of ${queries}`);
    const vectors = new Float32Array(count * dimensions);
    for (let at = first; at < end; ) {
      const number = Math.floor(at / shardQueries);
      const shardFirst = number * shardQueries;
      const rows = Math.min(shardQueries, queries - shardFirst);
      const until = Math.min(end, shardFirst + rows);
      await closing(await ShardReader.open(shardPaths(this.#folder, number).vectors), async (reader) => {
        if (reader.rows !== rows || reader.dimensions !== dimensions) {
          const found = `${reader.rows} x ${reader.dimensions}`;
          throw damaged(reader.path, `holds ${found} numbers, not ${rows} x ${dimensions}`);
        }
        await reader.read(at - shardFirst, until - at, vectors.subarray((at - first) * dimensions));
      });
      at = until;
    }
    return vectors;
  }
}
