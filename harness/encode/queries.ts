/** From queries to their vectors on disk, in shards that are each whole or absent, so that a killed run goes on. */
import type { Query } from '../contracts.js';
import type { QueryVectorFacts } from '../index/query-vectors.js';
import { IndexShardWriter, isWhole } from '../index/shard-files.js';
import type { Progress } from '../progress.js';

export interface QueryEncoding {
  queries: readonly Query[];
  /** D */
  dimensions: number;
  /** @returns [Q, D] */
  encode(queries: readonly Query[]): Promise<Float32Array>;
  /** Queries encoded at once: vectors depend on it in their last bits. */
  batchSize: number;
  /** Queries in every shard but the last: a multiple of `batchSize`, so that batches do not depend on it. */
  shardQueries: number;
  folder: string;
  progress: Progress;
}

/**
 * Encodes the queries that `folder` lacks; holds the vectors of one batch at a time.
 * @throws BenchError CHECKPOINT_INVALID where a number is not finite; INTERRUPTED between two batches
 */
export async function encodeQueries(encoding: QueryEncoding): Promise<QueryVectorFacts> {
  const { queries, dimensions, batchSize, shardQueries, folder, progress } = encoding;
  if (shardQueries % batchSize !== 0)
    throw new RangeError(`shards of ${shardQueries} queries, in batches of ${batchSize}`);
  const stage = progress.stage('encode queries', queries.length, 'queries');
  for (let first = 0; first < queries.length; first += shardQueries) {
    const shard = queries.slice(first, first + shardQueries);
    if (!(await isWhole(folder, first / shardQueries, progress.note)))
      await encodeShard(encoding, shard, first, (done) => stage.update(first + done));
    stage.update(first + shard.length);
    progress.checkInterrupted();
  }
  stage.end();
  return { queries: queries.length, dimensions, shardQueries };
}

/** @param first place of the shard's first query */
async function encodeShard(
  { dimensions, encode, batchSize, shardQueries, folder, progress }: QueryEncoding,
  shard: readonly Query[],
  first: number,
  onBatch: (done: number) => void,
): Promise<void> {
  const layout = { number: first / shardQueries, firstPassage: first, dimensions, vectorsPerPassage: 1 };
  const writer = await IndexShardWriter.create(folder, layout, (ordinal) => `query ${ordinal + 1}`);
  try {
    for (let done = 0; done < shard.length; done += batchSize) {
      progress.checkInterrupted();
      const batch = shard.slice(done, done + batchSize);
      await writer.append(await encode(batch));
      onBatch(done + batch.length);
    }
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writer.commit();
}
