/** Encoding and searching all queries of a split. */
import type { Query } from '../contracts.js';
import type { Progress } from '../progress.js';
import type { PassageHits } from '../search/search.js';
import type { Searching } from './search-stage.js';

export interface SearchedQueries {
  /** One after another, in the order of the queries. */
  parts: PassageHits[];
  /** Of the search alone. */
  seconds: number;
}

/**
 * Batch by batch where the index lies in memory. Where every search reads it from the disk, all queries are encoded first and
 * searched at once: each shard is then read once for all of them, as in the paper, not once for every batch.
 * @param batchSize queries encoded, and where the index is in memory searched, at once
 * @param depth hits per query
 * @throws BenchError INTERRUPTED
 */
export async function searchQueries(
  { searcher, index, queryEncoder, checkpoint }: Pick<Searching, SearchingParts>,
  queries: readonly Query[],
  { batchSize, depth }: { batchSize: number; depth: number },
  progress: Progress,
): Promise<SearchedQueries> {
  const found: SearchedQueries = { parts: [], seconds: 0 };
  const search = async (vectors: Float32Array, count: number, onRows?: (rows: number) => void) => {
    const started = performance.now();
    found.parts.push(await searcher.search(vectors, count, depth, onRows));
    found.seconds += (performance.now() - started) / 1000;
  };
  const waiting = new Float32Array(searcher.resident ? 0 : queries.length * index.dimensions);
  const stage = progress.stage(searcher.resident ? 'search' : 'encode queries', queries.length, 'queries');
  for (let first = 0; first < queries.length; first += batchSize) {
    progress.checkInterrupted();
    const texts = queries.slice(first, first + batchSize).map(({ text }) => checkpoint.texts.query(text));
    const { vectors } = await queryEncoder.encode(texts);
    if (searcher.resident) await search(vectors, texts.length);
    else waiting.set(vectors, first * index.dimensions);
    stage.update(first + texts.length);
  }
  stage.end();
  if (searcher.resident || queries.length === 0) return found;
  const reading = progress.stage('search', index.vectors, 'vectors');
  await search(waiting, queries.length, (rows) => {
    progress.checkInterrupted();
    reading.update(rows);
  });
  reading.end();
  return found;
}

type SearchingParts = 'searcher' | 'index' | 'queryEncoder' | 'checkpoint';
