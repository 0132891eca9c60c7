/** The search of an index Flat that is large enough to be cut: by spans of shards, here or on many machines. */
import type { Split } from '../contracts.js';
import { Identifiers } from '../index/identifiers.js';
import type { ShardSpan } from '../index/index-facts.js';
import { type QueryVectorFacts, QueryVectors } from '../index/query-vectors.js';
import { identifiersPath, readIndexFacts } from '../index/vector-index.js';
import { adoptPiece } from '../pipeline/hit-pieces.js';
import type { SearchOptions } from '../pipeline/query-search.js';
import { mergeSpans, type SpanFacts, searchSpan, spanFolder, spansOf } from '../pipeline/span-search.js';
import type { Need, Pieces, Stage, Workplace } from './graph.js';

export interface SpannedSearch {
  pieces: Pieces;
  /** All pieces that are not there, one after another, and what they are merged into. */
  make(folder: string): Promise<SpanFacts & { queries: number }>;
}

/** @param key of the run @returns undefined where the index is searched whole */
export async function spannedSearch(
  { queries, shards }: { queries: Stage<QueryVectorFacts>; shards: Need },
  { split, ...options }: { split: Split } & Required<SearchOptions>,
  at: Workplace,
  key: string,
): Promise<SpannedSearch | undefined> {
  const folder = await at.folderOf(shards);
  const { shards: all, passages } = await readIndexFacts(folder);
  const spans = spansOf(all.length);
  if (spans === undefined) return undefined;
  const { dataset, engine, progress } = at;
  const texts = await dataset.queries(split);
  // Before any piece: a query that is encoded by itself has other last bits than one of a batch.
  const vectors = new QueryVectors(await at.made(queries));
  const asked = { key, queries: texts, vectors, options, threads: engine.threads, progress };
  const search = (into: string, span: ShardSpan) => {
    const { firstPassage } = all[span.first]!;
    return searchSpan(into, span, firstPassage, () => at.searching(shards, undefined, span), asked);
  };
  return {
    pieces: {
      count: spans.length,
      nameOf: (piece) => `shards ${spans[piece]!.first + 1} to ${spans[piece]!.end} of ${all.length}`,
      inputs: (piece) => ({ shards: spans[piece]! }),
      make: (piece, number) => search(piece, spans[number]!),
      join: (into, piece, number) => adoptPiece(piece, spanFolder(into, spans[number]!)),
    },
    async make(into) {
      const pieces = [];
      for (const span of spans) {
        const piece = spanFolder(into, span);
        pieces.push({ folder: piece, facts: await search(piece, span) });
      }
      const identifiers = () => Identifiers.open(identifiersPath(folder));
      return { queries: texts.length, ...(await mergeSpans(into, pieces, passages, identifiers, asked)) };
    },
  };
}
