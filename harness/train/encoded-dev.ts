/** The passages of dev as vectors under the weights of now. */
import type { VectorEncoder } from '../model/vector-encoder.js';
import { paddedLength } from '../text/padding.js';

/** The dev examples as vectors under the weights of now. */
export interface EncodedDev {
  dimensions: number;
  /** [queries, D] */
  queries: Float32Array;
  /** Rows of all passages, example by example: the positive, then its negatives. */
  rows: Float32Array;
  /** Where the rows of passage p begin, with one more at the end. */
  rowStarts: Int32Array;
  /** Where the passages of example i begin, with one more at the end; the first is its positive. */
  passageStarts: Int32Array;
  /** Passages that are nothing but padding. */
  padding: number;
}

/** Passages of nothing but padding that an example gets, each padded to so many tokens. */
export interface Padding {
  passages: number;
  tokens: number;
}

/**
 * What `train.missingNegative: padded` adds: as in training, every example of a batch gets as many passages as the one
 * that has most, and what is missing is padding as long as the batch's longest passage.
 * @param lists the passages of each example
 */
export function paddingOf(
  lists: readonly (readonly Int32Array[])[],
  batchSize: number,
  maxTokens: number,
): Padding[] {
  const padding: Padding[] = [];
  for (let first = 0; first < lists.length; first += batchSize) {
    const batch = lists.slice(first, first + batchSize);
    const most = batch.reduce((largest, list) => Math.max(largest, list.length), 0);
    const tokens = paddedLength(batch.flat(), maxTokens);
    for (const list of batch) padding.push({ passages: most - list.length, tokens });
  }
  return padding;
}

/**
 * Copies of a passage are encoded once: apart, each with other texts in its batch, they would be rounded apart, and one
 * would beat the other by chance.
 * @param lists the passages of each example, its positive first
 * @param padding what each of them gets besides, after its passages; absent: nothing
 */
export async function encodePassages(
  encoder: VectorEncoder,
  lists: readonly (readonly Int32Array[])[],
  padding: readonly Padding[] = [],
  onBatch?: () => void,
): Promise<Pick<EncodedDev, 'rows' | 'rowStarts' | 'passageStarts' | 'padding'>> {
  const { distinct, numbers } = numbered(lists.flat());
  const texts = await encoder.encode(distinct, onBatch);
  const starts = startsOf(texts.counts);
  const blank = new Map<number, Float32Array>();
  const added = padding.reduce((sum, { passages }) => sum + passages, 0);
  const asEncoded = added === 0 && distinct.length === numbers.length;
  for (const { passages, tokens } of padding) {
    // Its vectors depend on its length: BERT lets a text without tokens look at all of its padding.
    if (passages > 0 && !blank.has(tokens))
      blank.set(tokens, (await encoder.encode([new Int32Array(0)], undefined, tokens)).vectors);
  }
  const dimensions = encoder.options.retriever.dimensions;
  const pieces: Float32Array[] = [];
  const rowStarts = new Int32Array(numbers.length + added + 1);
  const passageStarts = new Int32Array(lists.length + 1);
  let [passage, text] = [0, 0];
  const add = (vectors: Float32Array) => {
    if (!asEncoded) pieces.push(vectors);
    rowStarts[passage + 1] = rowStarts[passage]! + vectors.length / dimensions;
    passage++;
  };
  for (const [i, list] of lists.entries()) {
    for (const _ of list) {
      const number = numbers[text++]!;
      add(texts.vectors.subarray(starts[number]! * dimensions, starts[number + 1]! * dimensions));
    }
    const { passages, tokens } = padding[i] ?? { passages: 0, tokens: 0 };
    for (let j = 0; j < passages; j++) add(blank.get(tokens)!);
    passageStarts[i + 1] = passage;
  }
  // A pool may be larger than what memory holds twice: copied only where something stands in between.
  const rows = asEncoded ? texts.vectors : joined(pieces, rowStarts.at(-1)! * dimensions);
  return { rows, rowStarts, passageStarts, padding: added };
}

/** The texts without copies, in the order of their first, and which of them each one is. */
function numbered(texts: readonly Int32Array[]): { distinct: Int32Array[]; numbers: Int32Array } {
  const known = new Map<string, number>();
  const distinct: Int32Array[] = [];
  const numbers = Int32Array.from(texts, (text) => {
    const key = text.join();
    const number = known.get(key) ?? distinct.push(text) - 1;
    known.set(key, number);
    return number;
  });
  return { distinct, numbers };
}

/** Where the rows of each text begin, with one more at the end. */
function startsOf(counts: Int32Array): Int32Array {
  const starts = new Int32Array(counts.length + 1);
  for (const [i, count] of counts.entries()) starts[i + 1] = starts[i]! + count;
  return starts;
}

function joined(pieces: readonly Float32Array[], length: number): Float32Array {
  const whole = new Float32Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
