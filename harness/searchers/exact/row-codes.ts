/** How rows and queries become codes, and what is known of an inner product from them. */

/** The largest int8 code; -128 is none, so that codes of -x are those of x negated. */
export const largestCode = 127;
/** The spacing of float32 numbers around 1 is twice this. */
const unitRoundoff = 2 ** -24;
/** The smallest float32 number that no processor takes for 0. */
const smallestNormal = 2 ** -126;
/** No part of a sum of products of vectors whose lengths make less than this leaves float32, however it is rounded. */
const largestSum = 2 ** 126;
/** More than a sum of D squares in float64 may be off, relatively. */
const slack = 1 + 2 ** -30;

/** The length of a vector, and not less. */
export function lengthOf(vector: ArrayLike<number>): number {
  let square = 0;
  for (let d = 0; d < vector.length; d++) square += vector[d]! * vector[d]!;
  return Math.sqrt(square) * slack;
}

/** The length of the longest of some rows, and not less; no number where one of them has none. @param rows [n, D] */
export function longestOf(rows: Float32Array, dimensions: number): number {
  let longest = 0;
  for (let at = 0; at < rows.length; at += dimensions)
    longest = Math.max(longest, lengthOf(rows.subarray(at, at + dimensions)));
  return longest;
}

/** The smallest float32 number that is not below a positive one. */
export function roundedUp(value: number): number {
  const near = new Float32Array([value]);
  if (near[0]! < value) new Uint32Array(near.buffer)[0]!++;
  return near[0]!;
}

/**
 * Writes the int8 codes of a row: c = round(x / s), where s takes the row's largest number to 127.
 * @param row x, [D] @param codes c, at least [D]
 * @returns s, and E >= |x - s c|, both float32
 */
export function codeRow(row: Float32Array, codes: Int8Array): { scale: number; error: number } {
  let largest = 0;
  for (const value of row) largest = Math.max(largest, Math.abs(value));
  const scale = Math.fround(largest / largestCode);
  let square = 0;
  for (let d = 0; d < row.length; d++) {
    // The step of a row of the smallest numbers may round to 0.
    const code = scale === 0 ? 0 : Math.round(row[d]! / scale);
    codes[d] = Math.max(-largestCode, Math.min(largestCode, code));
    square += (row[d]! - scale * codes[d]!) ** 2;
  }
  return { scale, error: roundedUp(Math.sqrt(square) * slack) };
}

/** Writes a row's signs as bits, the lowest first, 1 where a number is positive. @param bits zeros, at least [D / 8] */
export function signRow(row: Float32Array, bits: Uint8Array): void {
  for (let d = 0; d < row.length; d++) if (row[d]! > 0) bits[d >> 3]! |= 1 << (d & 7);
}

/**
 * A query for int8 rows, and how far an inner product may lie from what its codes say.
 *
 * The row is x = s c + e with |e| <= E, the query q = t d + f with |f| = F, c and d being codes; a = s t (c . d) stands for
 * their inner product. By Cauchy and Schwarz
 *
 *     |x . q - a| = |e . q + s (c . f)| <= E |q| + s |c| F,   |c| <= K = 127 sqrt(D)
 *
 * A float32 sum of the products, in any order, with fused operations or without, and rounded once more, differs from x . q by
 * g |x| |q| + h at most (Higham, Accuracy and Stability of Numerical Algorithms, 3.1), where g = n u / (1 - n u), u = 2^-24,
 * n = D + 16, h = 2^-126 D (2 + |q|) for numbers so small that a processor takes them for 0; and |x| <= s K + E. So a score
 * lies no further from a than
 *
 *     R = E |q| (1 + g) + s K (F + g |q|) + h
 *
 * whoever has computed it. The 16 of n are worth more than the float64 roundings of a and R, which are some 2^-50 of |x| |q|.
 * A row with a + R below the k-th largest a - R of all rows has k scores above its own, and is in no list of k.
 */
export interface CodedQuery {
  /** d, [width]: such that no inner product with codes of rows leaves int32. */
  codes: Int16Array;
  /** t: a = s t (c . d). */
  factor: number;
  /** R = errorShare E + scaleShare s + least. */
  errorShare: number;
  scaleShare: number;
  least: number;
}

/** @param query q, [D] @param width codes of a row, at least D */
export function codeQuery(query: Float32Array, width: number): CodedQuery {
  const most = Math.min(32_767, Math.floor((2 ** 31 - 1) / (largestCode * query.length)));
  const { codes, factor, length, rest, sums } = coded(query, width, most);
  return {
    codes,
    factor,
    errorShare: length * (1 + sums),
    scaleShare: largestCode * Math.sqrt(query.length) * slack * (rest + sums * length),
    least: smallestNormal * query.length * (2 + length),
  };
}

/**
 * How far a float32 sum of products may lie from the score, which is a sum in float64 that is rounded once: g |x| |q| + h, as of
 * `CodedQuery`, where h is 2^-126 D (2 + |q| + |x|), since this sum is of the numbers themselves. Infinity where a part of a
 * sum may leave float32.
 * @param longest of the rows, |x|; whatever is no number is no bound either
 */
export function sumRadius(query: Float32Array, longest: number): number {
  const { most, share, least } = sumBound(query);
  return longest < most ? share * longest + least : Number.POSITIVE_INFINITY;
}

/** The same of rows of many lengths: `share` |x| + `least`, where |x| is less than `most`. */
export function sumBound(query: Float32Array): { most: number; share: number; least: number } {
  const [dimensions, length] = [query.length, lengthOf(query)];
  return {
    most: largestSum / length,
    share: sumShare(dimensions) * length + smallestNormal * dimensions,
    least: smallestNormal * dimensions * (2 + length),
  };
}

/**
 * How far two sums in float64 of the products of a query with a row may lie apart, in whatever order their parts are added.
 * @param lengths of query and row, multiplied
 */
export const exactRadius = (dimensions: number, lengths: number): number =>
  (dimensions + 16) * 2 ** -52 * lengths;

/** g */
function sumShare(dimensions: number): number {
  const rounding = (dimensions + 16) * unitRoundoff;
  return rounding / (1 - rounding);
}

/** @param most the largest code, either way @returns d, t, |q|, F and g */
function coded(query: Float32Array, width: number, most: number) {
  const dimensions = query.length;
  let largest = 0;
  for (const value of query) largest = Math.max(largest, Math.abs(value));
  const factor = largest / most;
  const codes = new Int16Array(width);
  const rest = new Float64Array(dimensions);
  for (let d = 0; d < dimensions; d++) {
    codes[d] = factor === 0 ? 0 : Math.max(-most, Math.min(most, Math.round(query[d]! / factor)));
    rest[d] = query[d]! - factor * codes[d]!;
  }
  return { codes, factor, length: lengthOf(query), rest: lengthOf(rest), sums: sumShare(dimensions) };
}

/**
 * A query for rows of bits. Of directions drawn evenly, the share of signs in which two vectors differ is their angle over pi
 * (Charikar, Similarity estimation techniques from rounding algorithms, 2002): so the inner product is about
 * |x| |q| cos(pi differing / D).
 */
export interface SignedQuery {
  /** [width] */
  bits: Uint8Array;
  /** |q| cos(pi differing / D) by the number of bits that differ, [8 width + 1]: those behind D are 0 in what was built, and count as none. */
  cosines: Float64Array;
}

/** @param query [D] @param width bytes of a row */
export function signQuery(query: Float32Array, width: number): SignedQuery {
  const bits = new Uint8Array(width);
  signRow(query, bits);
  const length = lengthOf(query);
  const dimensions = query.length;
  const cosines = Float64Array.from(
    { length: 8 * width + 1 },
    (_, differing) => length * Math.cos((Math.PI * Math.min(differing, dimensions)) / dimensions),
  );
  return { bits, cosines };
}
