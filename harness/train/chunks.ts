/** A batch cut into chunks, which the gradient cache encodes one after another. */
import type { Encoder } from '../model/encoder.js';
import type { NumericArray } from '../tensor/engine.js';
import type { Batch } from './batches.js';
import { textFeeds } from './step.js';

export type Side = 'query' | 'passage';

/** A part of one side of a batch. */
export interface Chunk {
  side: Side;
  /** Place of its first text in the batch. */
  first: number;
  texts: number;
  tokens: number;
  /** Ids, mask and plan, which both passes are fed. */
  feeds: readonly NumericArray[];
}

/** @param size texts per chunk; the last one may be shorter */
export function chunksOf(side: Side, batch: Batch, size: number, encoder: Encoder): Chunk[] {
  const [texts, tokens] =
    side === 'query' ? [batch.queries, batch.queryTokens] : [batch.passages, batch.passageTokens];
  const [ids, mask] =
    side === 'query' ? [batch.queryIds, batch.queryMask] : [batch.passageIds, batch.passageMask];
  const chunks: Chunk[] = [];
  for (let first = 0; first < texts; first += size) {
    const end = Math.min(first + size, texts);
    const [from, to] = [first * tokens, end * tokens];
    chunks.push({
      side,
      first,
      texts: end - first,
      tokens,
      feeds: textFeeds(encoder, ids.subarray(from, to), mask.subarray(from, to)),
    });
  }
  return chunks;
}
