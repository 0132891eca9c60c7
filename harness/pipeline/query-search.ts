/** Searching the vectors of all queries of a split, part by part. */
import type { Query } from '../contracts.js';
import type { QueryVectors } from '../index/query-vectors.js';
import type { Progress } from '../progress.js';
import type { PassageHits } from '../search/search.js';
import { searchedDepth, withoutOwnPassages } from './own-passages.js';
import type { OpenSearch } from './searching.js';

/** What a search takes beside its queries. */
export interface SearchOptions {
  /** Queries searched at once where the index is in memory. */
  batchSize: number;
  /** Hits per query. */
  depth: number;
  /** Whether a passage with the query's id is a hit; `kept` where absent. */
  identicalIds?: 'dropped' | 'kept';
}

/** Takes the hits of parts of queries, one after another. */
export interface HitSink {
  /** Queries whose hits it has already. */
  readonly queries: number;
  /** Queries in every part but the last. */
  readonly partQueries: number;
  /** @param batches of the next queries @param seconds of the search alone */
  add(batches: readonly PassageHits[], seconds: number): Promise<void>;
}

/** Enough work to be worth a file. */
const batchesPerPart = 8;
/**
 * Every part reads the whole index where it lies on the disk: with so many queries that takes little beside the products.
 * The 3610 test queries of Natural Questions are one part.
 */
const rereadingPartQueries = 4096;

/** @param resident whether the index lies in memory @param batchSize queries, as `searchQueries` has it */
export function partQueriesOf(resident: boolean, batchSize: number): number {
  return resident ? batchesPerPart * batchSize : batchSize * Math.ceil(rereadingPartQueries / batchSize);
}

/**
 * Within a part batch by batch where the index lies in memory. Where every search reads it from the disk, all queries of the
 * part are searched at once: each shard is then read once for all of them, as in the paper, not once for every batch.
 * @param vectors of the queries, in their order
 * @param sink what it has already is not searched again
 * @throws BenchError INTERRUPTED
 */
export async function searchQueries(
  searching: Pick<OpenSearch, 'searcher' | 'index'>,
  queries: readonly Query[],
  vectors: Pick<QueryVectors, 'read'>,
  { batchSize, depth, identicalIds = 'kept' }: SearchOptions,
  sink: HitSink,
  progress: Progress,
): Promise<void> {
  const { searcher, index } = searching;
  const { resident } = searcher;
  const identifiers = identicalIds === 'dropped' ? await index.identifiers() : undefined;
  const search = async (asked: readonly Query[], first: number, onRows?: (rows: number) => void) => {
    const rows = await vectors.read(first, asked.length);
    const started = performance.now();
    const found = await searcher.search(rows, asked.length, searchedDepth(depth, identicalIds), onRows);
    const seconds = (performance.now() - started) / 1000;
    return { hits: identifiers ? withoutOwnPassages(found, asked, identifiers, depth) : found, seconds };
  };
  if (resident) return inBatches('search', queries, sink, batchSize, progress, search);
  await inParts(queries, sink, async (part, before) => {
    const reading = progress.stage('search', index.vectors, 'vectors');
    const { hits, seconds } = await search(part, before, (rows) => {
      progress.checkInterrupted();
      reading.update(rows);
    });
    reading.end();
    return { hits: [hits], seconds };
  });
}

/**
 * Hands the queries that the sink lacks to `search`, batch by batch.
 * @param name of the stage that it is told as @param search is given the place of the first query; its seconds are of the search alone
 * @throws BenchError INTERRUPTED
 */
export async function inBatches(
  name: string,
  queries: readonly Query[],
  sink: HitSink,
  batchSize: number,
  progress: Progress,
  search: (batch: readonly Query[], first: number) => Promise<{ hits: PassageHits; seconds: number }>,
): Promise<void> {
  const stage = progress.stage(name, queries.length, 'queries');
  await inParts(queries, sink, async (part, before) => {
    const hits: PassageHits[] = [];
    let seconds = 0;
    for (let at = 0; at < part.length; at += batchSize) {
      progress.checkInterrupted();
      const batch = part.slice(at, at + batchSize);
      const found = await search(batch, before + at);
      hits.push(found.hits);
      seconds += found.seconds;
      stage.update(before + at + batch.length);
    }
    return { hits, seconds };
  });
  stage.end();
}

/** Hands the queries that the sink lacks to `search`, part by part. */
export async function inParts(
  queries: readonly Query[],
  sink: HitSink,
  search: (part: readonly Query[], before: number) => Promise<{ hits: PassageHits[]; seconds: number }>,
): Promise<void> {
  for (let before = sink.queries; before < queries.length; before = sink.queries) {
    const { hits, seconds } = await search(queries.slice(before, before + sink.partQueries), before);
    await sink.add(hits, seconds);
  }
}
