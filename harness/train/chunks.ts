/**
 * A batch cut into chunks, which the gradient cache encodes one after another: texts of about one length together, so that each chunk is
 * padded to its own longest text and not to the batch's.
 */
import type { Encoder } from '../model/encoder.js';
import type { NumericArray } from '../tensor/engine.js';
import { chunkBucketOf } from '../text/padding.js';
import type { Batch } from './batches.js';
import { textFeeds } from './step.js';

export type Side = 'query' | 'passage';

/** A part of one side of a batch. */
export interface Chunk {
  side: Side;
  /** Place of each of its texts in the batch. */
  places: Int32Array;
  /** That its texts are padded to. */
  tokens: number;
  /** Ids, mask and plan, which both passes are fed. */
  feeds: readonly NumericArray[];
}

/**
 * The longest texts first: a last chunk that is not full has the shortest. A text without any token is as long as its batch, for an
 * encoder may look at all of its padding.
 * @param most texts of a chunk of so many tokens
 * @param readsPadding whether all texts are, since their vectors depend on their padding
 */
export function chunksOf(
  side: Side,
  batch: Batch,
  most: (tokens: number) => number,
  encoder: Encoder,
  readsPadding = false,
): Chunk[] {
  const { texts, tokens, ids, mask } = sideOf(side, batch);
  const lengths = Int32Array.from({ length: texts }, (_, i) => {
    const own = mask.subarray(i * tokens, (i + 1) * tokens).reduce((sum, value) => sum + value, 0);
    return own === 0 || readsPadding ? tokens : own;
  });
  const order = Int32Array.from(lengths.keys()).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const chunks: Chunk[] = [];
  for (let first = 0; first < texts; ) {
    const own = chunkBucketOf(lengths[order[first]!]!, tokens);
    const places = order.slice(first, first + most(own));
    first += places.length;
    const [chunkIds, chunkMask] = [
      new Int32Array(places.length * own),
      new Float32Array(places.length * own),
    ];
    for (const [i, place] of places.entries()) {
      chunkIds.set(ids.subarray(place * tokens, place * tokens + own), i * own);
      chunkMask.set(mask.subarray(place * tokens, place * tokens + own), i * own);
    }
    chunks.push({ side, places, tokens: own, feeds: textFeeds(encoder, chunkIds, chunkMask) });
  }
  return chunks;
}

/** One side of a batch: how many texts of how many tokens, their ids and their mask. */
export function sideOf(side: Side, batch: Batch) {
  return side === 'query'
    ? { texts: batch.queries, tokens: batch.queryTokens, ids: batch.queryIds, mask: batch.queryMask }
    : { texts: batch.passages, tokens: batch.passageTokens, ids: batch.passageIds, mask: batch.passageMask };
}

/**
 * What each chunk has of its texts, in the places of the batch. Texts have as many numbers as those of the chunk that has most; what
 * the others lack is 0.
 * @param parts one for each chunk, text by text
 */
export function inPlaces(chunks: readonly Chunk[], parts: readonly Float32Array[]): Float32Array {
  const sizes = chunks.map(({ places }, i) => parts[i]!.length / places.length);
  const most = Math.max(...sizes);
  const texts = chunks.reduce((sum, { places }) => sum + places.length, 0);
  const whole = new Float32Array(texts * most);
  for (const [i, { places }] of chunks.entries()) {
    const size = sizes[i]!;
    for (const [text, place] of places.entries())
      whole.set(parts[i]!.subarray(text * size, (text + 1) * size), place * most);
  }
  return whole;
}

/**
 * The way back: of each text of a chunk the first so many numbers.
 * @param whole of all texts of the side
 */
export function ofChunk({ places }: Chunk, whole: Float32Array, texts: number, size: number): Float32Array {
  const most = whole.length / texts;
  const part = new Float32Array(places.length * size);
  for (const [text, place] of places.entries())
    part.set(whole.subarray(place * most, place * most + size), text * size);
  return part;
}
