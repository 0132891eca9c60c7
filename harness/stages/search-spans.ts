/** The search of an index Flat that is large enough to be cut: by spans of shards, here or on many machines. */
import type { Split } from '../contracts.js';
import { Identifiers } from '../index/identifiers.js';
import type { ShardSpan } from '../index/index-facts.js';
import { type QueryVectorFacts, QueryVectors } from '../index/query-vectors.js';
import { identifiersPath, readIndexFacts } from '../index/vector-index.js';
import { adoptPiece } from '../pipeline/hit-pieces.js';
import type { SearchOptions } from '../pipeline/query-search.js';
import { mergeSpans, type SpanFacts, searchSpan, spanFolder, spansOf } from '../pipeline/span-search.js';
import { inputKey, type Need, type Pieces, type Stage, type Workplace } from './graph.js';

export interface SpannedSearch {
  pieces: Pieces;
  /** All pieces that are not there, one after another, and what they are merged into. */
  make(folder: string): Promise<SpanFacts & { queries: number }>;
}

/** Shards of an index; undefined where that is not known before they are made. */
async function shardCount(shards: Need, at: Workplace): Promise<number | undefined> {
  if ('make' in shards && shards.pieces !== undefined)
    return (await shards.pieces(at, inputKey(shards)))?.count;
  if ('make' in shards && !(await at.store.has(shards.kind, inputKey(shards)))) return undefined;
  return (await readIndexFacts(await at.folderOf(shards))).shards.length;
}

/**
 * Nothing is made or read before a piece is.
 * @param key of the run @returns undefined where the index is searched whole, or it is not known yet whether it is
 */
export async function spannedSearch(
  { queries, shards }: { queries: Stage<QueryVectorFacts>; shards: Need },
  { split, ...options }: { split: Split } & Required<SearchOptions>,
  at: Workplace,
  key: string,
): Promise<SpannedSearch | undefined> {
  const count = (await shardCount(shards, at)) ?? 0;
  const spans = spansOf(count);
  if (spans === undefined) return undefined;
  const begin = async () => {
    const { dataset, engine, progress } = at;
    const folder = await at.folderOf(shards);
    const texts = await dataset.queries(split);
    const vectors = new QueryVectors(await at.made(queries));
    const asked = { key, queries: texts, vectors, options, threads: engine.threads, progress };
    return { folder, facts: await readIndexFacts(folder), asked };
  };
  const search = (into: string, span: ShardSpan, { facts, asked }: Awaited<ReturnType<typeof begin>>) => {
    const { firstPassage } = facts.shards[span.first]!;
    return searchSpan(into, span, firstPassage, () => at.searching(shards, undefined, span), asked);
  };
  return {
    pieces: {
      count: spans.length,
      nameOf: (piece) => `shards ${spans[piece]!.first + 1} to ${spans[piece]!.end} of ${count}`,
      inputs: (piece) => ({ shards: spans[piece]! }),
      make: async (piece, number) => search(piece, spans[number]!, await begin()),
      join: (into, piece, number) => adoptPiece(piece, spanFolder(into, spans[number]!)),
    },
    async make(into) {
      const begun = await begin();
      const { folder, facts, asked } = begun;
      const pieces = [];
      for (const span of spans) {
        const piece = spanFolder(into, span);
        pieces.push({ folder: piece, facts: await search(piece, span, begun) });
      }
      const identifiers = () => Identifiers.open(identifiersPath(folder));
      const merged = await mergeSpans(into, pieces, facts.passages, identifiers, asked);
      return { queries: asked.queries.length, ...merged };
    },
  };
}
