/**
 * Searching a large index by spans of shards, each by itself, and merging what they give. One machine does so too: scores depend
 * in their last bits on what is multiplied together, so that no number depends on who searched what.
 */
import path from 'node:path';
import type { Query } from '../contracts.js';
import type { ShardSpan } from '../index/index-facts.js';
import type { QueryVectors } from '../index/query-vectors.js';
import type { Progress } from '../progress.js';
import type { PassageHits } from '../search/passage-hits.js';
import { mergePassages, type PartHits } from '../search/passages.js';
import { removeUnfinished, unfinishedFolder } from '../store/unfinished.js';
import { HitParts } from './hit-files.js';
import { finishPiece, type PieceFacts, readPiece, wholePiece } from './hit-pieces.js';
import { searchedDepth, withoutOwnPassages } from './own-passages.js';
import { inParts, partQueriesOf, type SearchOptions, searchQueries } from './query-search.js';
import type { OpenSearch } from './searching.js';
import { type Conditions, conditionsHere } from './whole-index.js';

/** Shards of a span: 800,000 passages as shards usually are. No setting, and nothing of the machine's: it decides last bits. */
const spanShards = 8;

/**
 * The spans that an index is searched by; undefined where it is searched whole, as it has no more shards than one of them.
 * They depend on the index alone.
 */
export function spansOf(shards: number): readonly ShardSpan[] | undefined {
  if (shards <= spanShards) return undefined;
  return Array.from({ length: Math.ceil(shards / spanShards) }, (_, i) => ({
    first: i * spanShards,
    end: Math.min(shards, (i + 1) * spanShards),
  }));
}

/** What is searched for, whichever span it is searched in. */
export interface SpanQueries {
  /** Of the run. */
  key: string;
  queries: readonly Query[];
  vectors: Pick<QueryVectors, 'read'>;
  options: Required<SearchOptions>;
  threads: number | null;
  progress: Progress;
}

/** What a whole search by spans came to. */
export interface SpanFacts {
  depth: number;
  searcher: string;
  execution: { buildSeconds: number; searchSeconds: number; conditions?: Conditions };
}

const keyOfSpan = (key: string, { first, end }: ShardSpan): string => `${key} ${first}-${end}`;

/** Where a span's hits lie beside what they are merged into. */
export const spanFolder = (folder: string, { first }: ShardSpan): string =>
  path.join(unfinishedFolder(folder), 'pieces', String(first).padStart(5, '0'));

/**
 * Leaves the hits in one span as a piece, going on with what an earlier attempt left.
 * @param firstPassage of the span @param open the span
 * @throws BenchError INTERRUPTED
 */
export async function searchSpan(
  folder: string,
  span: ShardSpan,
  firstPassage: number,
  open: () => Promise<OpenSearch>,
  { key: whole, queries, vectors, options, threads, progress }: SpanQueries,
): Promise<PieceFacts> {
  const key = keyOfSpan(whole, span);
  const done = await wholePiece(folder, key, progress.note);
  if (done !== undefined) return done;
  const searching = await open();
  const { searcher, buildSeconds } = searching;
  const { batchSize, depth, identicalIds } = options;
  const conditions = await conditionsHere(threads);
  const partQueries = partQueriesOf(searcher.resident, batchSize);
  const parts = await HitParts.open(folder, { key, batchSize, partQueries, conditions }, progress.note);
  // What is dropped is dropped behind the merge, by ids of the whole index.
  const kept = { batchSize, depth: searchedDepth(depth, identicalIds) };
  await searchQueries(searching, queries, vectors, kept, parts, progress);
  await parts.join();
  const facts: PieceFacts = {
    ...{ key, depth: parts.depth, firstPassage, searcher: searcher.name },
    execution: { buildSeconds, searchSeconds: parts.seconds, conditions },
  };
  await finishPiece(folder, facts);
  await removeUnfinished(folder);
  return facts;
}

/** Hits by spans on disk, each with what its piece says. */
export type SpanPieces = readonly { readonly folder: string; readonly facts: PieceFacts }[];

/**
 * Writes the hits of the whole where `readHits` finds them.
 * @param passages of the whole index @param identifiers of its passages; asked for where some are to be dropped
 */
export async function mergeSpans(
  folder: string,
  pieces: SpanPieces,
  passages: number,
  identifiers: () => Promise<{ at(ordinal: number): string }>,
  { key, queries, options, progress }: SpanQueries,
): Promise<SpanFacts> {
  const { batchSize, depth, identicalIds } = options;
  const most = Math.min(passages, searchedDepth(depth, identicalIds));
  const named = identicalIds === 'dropped' ? await identifiers() : undefined;
  const conditions = await conditionsHere(1);
  const partQueries = partQueriesOf(true, batchSize);
  const parts = await HitParts.open(folder, { key, batchSize, partQueries, conditions }, progress.note);
  await inParts(queries, parts, async (part, before) => {
    const started = performance.now();
    const hits: PassageHits[] = [];
    // A batch at a time: the lists of every span are in memory together.
    for (let first = 0; first < part.length; first += batchSize) {
      progress.checkInterrupted();
      const batch = part.slice(first, first + batchSize);
      const found: PartHits[] = [];
      for (const { folder: piece, facts } of pieces) {
        const own = await readPiece(piece, facts, before + first, batch.length);
        found.push({ hits: own, firstPassage: facts.firstPassage });
      }
      const merged = mergePassages(found, most);
      hits.push(named === undefined ? merged : withoutOwnPassages(merged, batch, named, depth));
    }
    return { hits, seconds: (performance.now() - started) / 1000 };
  });
  await parts.join();
  const sum = (of: 'buildSeconds' | 'searchSeconds') =>
    pieces.reduce((total, { facts }) => total + facts.execution[of], 0);
  return {
    depth: parts.depth,
    searcher: [...new Set(pieces.map(({ facts }) => facts.searcher))].join(' and '),
    execution: {
      buildSeconds: sum('buildSeconds'),
      searchSeconds: sum('searchSeconds') + parts.seconds,
      ...sharedConditions(pieces),
    },
  };
}

/** None where the pieces were searched under different ones: then their seconds do not add up to anything. */
function sharedConditions(pieces: SpanPieces): { conditions?: Conditions } {
  const all = pieces.map(({ facts }) => facts.execution.conditions);
  const [first] = all;
  const isShared = all.every(({ cpu, threads }) => cpu === first?.cpu && threads === first.threads);
  return first !== undefined && isShared ? { conditions: first } : {};
}
