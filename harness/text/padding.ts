/** Texts of token ids, padded to a few lengths: programs have fixed shapes, and each shape costs a compilation. */

/** The lengths that texts are padded to, in tokens: steps of an eighth or so of the length. */
const lengths = [8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512];

/** The length to pad a text of so many tokens to, never above `longest`. */
export function bucketOf(tokens: number, longest: number): number {
  return Math.min(lengths.find((length) => length >= tokens) ?? tokens, longest);
}

/** The lengths that chunks of the gradient cache are padded to: few, for each has programs of its own, one of them with a backward pass. */
const chunkLengths = [16, 32, 64, 128, 192, 256, 384, 512];

/** The length to pad a chunk to whose longest text has so many tokens. @param longest the length that its batch is padded to */
export function chunkBucketOf(tokens: number, longest: number): number {
  return Math.min(chunkLengths.find((length) => length >= tokens) ?? longest, longest);
}

/** The lengths that chunks of a batch may have beside its own. */
export const shorterLengths = (longest: number): number[] =>
  chunkLengths.filter((length) => length < longest);

/** The length to pad all of these texts to; `longest` is the most tokens a text of theirs can have. */
export function paddedLength(texts: readonly Int32Array[], longest: number): number {
  return bucketOf(
    texts.reduce((most, text) => Math.max(most, text.length), 1),
    longest,
  );
}

/** Row-major [B, T], 0 behind the end of each row. @param texts number of rows, as in `padTexts` */
export function padZeros(rows: readonly Int32Array[], tokens: number, texts = rows.length): Int32Array {
  const padded = new Int32Array(texts * tokens);
  for (const [i, row] of rows.entries()) padded.set(row, i * tokens);
  return padded;
}

/**
 * @param tokens T
 * @param texts number of rows, where there are to be more than there are texts: the rest is padding
 * @returns ids [B, T] and mask [B, T], row-major
 */
export function padTexts(
  all: readonly Int32Array[],
  tokens: number,
  paddingId: number,
  texts = all.length,
): { ids: Int32Array; mask: Float32Array } {
  const ids = new Int32Array(texts * tokens).fill(paddingId);
  const mask = new Float32Array(texts * tokens);
  for (const [i, text] of all.entries()) {
    ids.set(text, i * tokens);
    mask.fill(1, i * tokens, i * tokens + text.length);
  }
  return { ids, mask };
}
